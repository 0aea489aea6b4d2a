from pathlib import Path

import numpy as np
import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene.source import Library, Source
from gpuqueue.scene.tokens import Kind, Tokens
from gpuqueue.scene.warnings import Warnings


def tokens_of(text: str) -> Tokens:
    source = Source("t.mi", Path("/t.mi"), text.encode())
    return Tokens(Library(Path("/"), 1000), source, Warnings())


def kinds(text: str) -> list[tuple[Kind, str]]:
    tokens, found = tokens_of(text), []
    while not tokens.at_end():
        token = tokens.take()
        found.append((token.kind, token.text))
    return found


@pytest.mark.parametrize(
    "text",
    ["1.", ".5", "-1.2e-007", "1E+30", "1e5", "+.5d3", "1000000015047466200000000000000.000000"],
)
def test_a_float_has_a_point_or_an_exponent(text: str) -> None:
    assert kinds(text) == [(Kind.FLOAT, text)]


@pytest.mark.parametrize("text", ["0", "-3", "+7", "007"])
def test_an_integer_has_neither(text: str) -> None:
    assert kinds(text) == [(Kind.INTEGER, text)]


@pytest.mark.parametrize("text", ["1.2.3", "1x", "--1", "1e", "0x10", ".", "+"])
def test_what_only_begins_like_a_number_is_refused(text: str) -> None:
    with pytest.raises(SceneError, match="this is not a number"):
        kinds(text)


def test_d_is_an_exponent_letter() -> None:
    assert tokens_of("1.5d2").number() == 150.0


def test_a_string_may_span_lines_and_hold_quotes_and_hashes() -> None:
    assert kinds('"a\n# \\" b"') == [(Kind.STRING, 'a\n# " b')]


def test_a_name_keeps_its_letters() -> None:
    assert tokens_of('"Glas|Tür"').name() == "Glas|Tür"


def test_a_comment_ends_with_its_line() -> None:
    assert kinds('a # b "c\nd #') == [(Kind.SYMBOL, "a"), (Kind.SYMBOL, "d")]


def test_carriage_returns_separate_tokens() -> None:
    assert kinds("a\r\nb") == [(Kind.SYMBOL, "a"), (Kind.SYMBOL, "b")]


def test_a_string_of_more_than_a_megabyte_is_refused() -> None:
    with pytest.raises(SceneError, match="string of more than"):
        kinds('"' + "x" * (1 << 20) + 'x"')


@pytest.mark.parametrize("count", [5, 200])
@pytest.mark.parametrize("ending", ["]", " end", "\nv 0", " # c\n]", '"e"', "\ne 1", "d"])
def test_a_list_of_numbers_ends_where_the_next_token_begins(count: int, ending: str) -> None:
    values = np.arange(count) - 1.25e-1
    tokens = tokens_of("[" + " ".join(map(str, values)) + (" " if ending == "d" else "") + ending)
    tokens.expect_mark("[")
    assert np.array_equal(tokens.numbers(count), values)
    assert tokens.peek().text == ending.split("\n")[-1].split()[0].strip('"')


def test_a_list_of_numbers_may_hold_comments_and_unusual_spellings() -> None:
    text = " ".join(["1 2.5 # three 3\n-.5 1d1"] * 20)
    assert tokens_of(text).numbers(80).tolist() == [1, 2.5, -0.5, 10] * 20


def test_a_run_of_numbers_takes_all_there_are() -> None:
    tokens = tokens_of(" ".join(map(str, range(100))) + "\nv 0")
    assert tokens.number_run().tolist() == list(range(100))
    assert tokens.at_word("v")


def test_the_place_of_a_wrong_number_in_a_long_list_is_told() -> None:
    text = "\n".join(str(i) for i in range(50)) + "\n1e999\n" + " 1" * 50
    with pytest.raises(SceneError, match=r"^t\.mi:51:1: this number is too large"):
        tokens_of(text).numbers(100)


def test_integers_are_no_floats() -> None:
    with pytest.raises(SceneError, match=r"expected an integer, found '2\.0'"):
        tokens_of("2.0 " + "1 " * 40).integer_run("an integer")


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 5000])
def test_an_integer_of_any_length_is_only_out_of_range(digits: str) -> None:
    with pytest.raises(SceneError, match="out of range"):
        tokens_of(digits).integer()
    with pytest.raises(SceneError, match="out of range"):
        tokens_of("1 " * 40 + digits).integer_run("an index")
    with pytest.raises(SceneError, match="out of range"):
        tokens_of(digits).integer_run("an index")


def test_binary_data_may_hold_anything() -> None:
    tokens = tokens_of('a `#"\n`\\x` b')
    tokens.take()
    tokens.skip_binary(6)
    assert tokens.at_word("b")


def test_the_next_token_is_told_where_another_was_expected() -> None:
    tokens = tokens_of('a "x"')
    tokens.take()
    with pytest.raises(SceneError, match=r"t\.mi:1:3: expected 'camera' or 'light', found \"x\""):
        tokens.expect_word("camera", "light")
