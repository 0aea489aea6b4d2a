"""The syntax of realityserver.conf: every rule, and an error with its line for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuqueue.config.parser import (
    MAX_BLOCK_DEPTH,
    MAX_FILE_BYTES,
    MAX_INCLUDE_DEPTH,
    Block,
    Directive,
    parse,
    parse_file,
)
from gpuqueue.errors import ConfigError

PATH = Path("server.conf")
DIRECTIVE = "expected a directive: a key of letters, digits and '_', a blank, a value"


def plain(block: Block) -> list[object]:
    """A tree as nested tuples: (key, value) or (key, name, children)."""
    return [
        (child.key, child.value)
        if isinstance(child, Directive)
        else (child.key, child.name, plain(child))
        for child in block.children
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("key value", [("key", "value")]),
        (
            "key value\r\nother thing\nlast one\r\n",
            [("key", "value"), ("other", "thing"), ("last", "one")],
        ),
        ("  \t key \t value with  blanks", [("key", "value with  blanks")]),
        ("key value \t", [("key", "value \t")]),
        ("key", [("key", "")]),
        ("key   ", [("key", "")]),
        ("HTTP_Address 8080", [("http_address", "8080")]),
        ("key a#b # c", [("key", "a#b # c")]),
        ("# comment\n   # indented\nkey value", [("key", "value")]),
        ("key #value", [("key", "#value")]),
        ("key one\\\n  two", [("key", "one  two")]),
        ("key one\\\r\ntwo\\\nthree", [("key", "onetwothree")]),
        ("key one\\ \ntwo three", [("key", "one\\ "), ("two", "three")]),
        ("key \\\\\nx", [("key", "\\x")]),
        ("# comment \\\nstill the comment\nkey value", [("key", "value")]),
        ("key a\\\n# not a comment", [("key", "a# not a comment")]),
        (
            "key exampleSecret+with/characters==\"'<>&$",
            [("key", "exampleSecret+with/characters==\"'<>&$")],
        ),
        ("key \u2028\x0b\x0c end", [("key", "\u2028\x0b\x0c end")]),
        ("include inside.conf", [("include", "inside.conf")]),
        ("<user a>\n</user>", [("user", "a", [])]),
        ("<USER Aws>\nKey v\n</User>", [("user", "Aws", [("key", "v")])]),
        ("< user  a b >\t\n</ user > ", [("user", "a b", [])]),
        (
            "<user a>\n<user b>\nk v\n</user>\n</user>",
            [("user", "a", [("user", "b", [("k", "v")])])],
        ),
        ("<other>\n</other>", [("other", "", [])]),
    ],
)
def test_a_text_becomes_a_tree(text: str, expected: list[object]) -> None:
    assert plain(parse(text, PATH)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b\n\n= c", "server.conf:3: " + DIRECTIVE),
        ("my-key value", "server.conf:1: " + DIRECTIVE),
        ("<user a>\nk v", "server.conf:1: <user a> is never closed; expected </user>"),
        ("k v\n</user>", "server.conf:2: </user> closes nothing; expected a directive or a block"),
        (
            "<box b>\n</user>",
            "server.conf:2: expected </box> to close <box b> of server.conf:1, found </user>",
        ),
        ("<user a", "server.conf:1: expected '<user NAME>' or '</user>'"),
        ("<>", "server.conf:1: expected '<user NAME>' or '</user>'"),
        ("<", "server.conf:1: expected '<user NAME>' or '</user>'"),
        ("<user a>\n</user a>", "server.conf:2: expected '<user NAME>' or '</user>'"),
        ("<user a> # comment", "server.conf:1: expected '<user NAME>' or '</user>'"),
        ("a b\nlast \\", "server.conf:2: expected another line after the final '\\'"),
        ("a b\\\nc\\\nd\n=", "server.conf:4: " + DIRECTIVE),
        ("<user a>\n" * (MAX_BLOCK_DEPTH + 1), "server.conf:33: blocks nest deeper than 32"),
    ],
)
def test_a_mistake_names_its_line_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, PATH)
    assert str(caught.value) == message


def test_a_wrong_line_is_not_quoted_since_it_may_hold_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("secret-key topSecret", PATH)
    assert "topSecret" not in str(caught.value)
    assert "topSecret" not in repr(parse("secret_key topSecret", PATH))


def test_a_continued_line_stands_where_it_begins() -> None:
    tree = parse("\n\nkey one\\\ntwo\nnext line", PATH)
    assert [str(child.place) for child in tree.children] == ["server.conf:3", "server.conf:5"]


@given(st.text())
def test_any_text_is_a_tree_or_an_error_with_a_line(text: str) -> None:
    try:
        parse(text, PATH)
    except ConfigError as error:
        message = str(error)
    else:
        return
    assert message.startswith("server.conf:")


def write(folder: Path, **files: str) -> Path:
    """Write ``name="text"`` as ``name.conf``; the path of the first."""
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)
    return folder / f"{next(iter(files))}.conf"


def test_an_included_file_stands_where_its_include_stood(tmp_path: Path) -> None:
    main = write(tmp_path, main="a 1\ninclude other.conf\nb 2", other="c 3\n<user x>\n</user>\n")
    tree = parse_file(main)
    assert plain(tree) == [("a", "1"), ("c", "3"), ("user", "x", []), ("b", "2")]
    assert str(tree.children[1].place) == f"{tmp_path}/other.conf:1"


def test_an_include_is_relative_to_the_file_that_includes(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    main = write(tmp_path, main="include parts/first.conf")
    write(tmp_path / "parts", first="INCLUDE second.conf", second="a 1")
    assert plain(parse_file(main)) == [("a", "1")]


def test_the_files_of_a_folder_are_read_in_alphabetical_order(tmp_path: Path) -> None:
    folder = tmp_path / "conf.d"
    (folder / "deeper").mkdir(parents=True)
    write(folder, b="b 2", a="a 1", c="c 3")
    write(folder / "deeper", z="z 26")
    (folder / ".b.conf.swp").write_bytes(b"\x00")
    main = write(tmp_path, main="include conf.d")
    assert plain(parse_file(main)) == [("a", "1"), ("b", "2"), ("c", "3")]


def test_inside_a_block_include_is_a_directive_like_any_other(tmp_path: Path) -> None:
    main = write(tmp_path, main="<user x>\ninclude nowhere.conf\n</user>")
    assert plain(parse_file(main)) == [("user", "x", [("include", "nowhere.conf")])]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"main": "a 1\ninclude main.conf"}, r"main\.conf:2: .*main\.conf includes itself"),
        (
            {"main": "include other.conf", "other": "\ninclude ./main.conf"},
            r"other\.conf:2: .*main\.conf includes itself",
        ),
        ({"main": "include none.conf"}, r"main\.conf:1: cannot read .*none\.conf: No such file"),
        ({"main": "include"}, r"main\.conf:1: expected a file or a folder after 'include'"),
        ({"main": "include other.conf", "other": "<user a>"}, r"other\.conf:1: .*never closed"),
        (
            {"main": "include f0.conf"}
            | {f"f{i}": f"include f{i + 1}.conf" for i in range(MAX_INCLUDE_DEPTH + 1)},
            r"f\d+\.conf:1: too many includes; allowed are 16 levels",
        ),
    ],
)
def test_a_wrong_include_names_its_line(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_file(write(tmp_path, **files))


def test_includes_do_not_multiply_without_bound(tmp_path: Path) -> None:
    files = {f"f{i}": f"include f{i + 1}.conf\n" * 4 for i in range(12)}
    with pytest.raises(ConfigError, match="too many includes"):
        parse_file(write(tmp_path, **files, f12="a 1"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a 1\nb \xff", r"main\.conf:2: expected UTF-8 text"),
        (b"a 1\n\nb \x00", r"main\.conf:3: expected text, found a NUL character"),
        (b"#" * (MAX_FILE_BYTES + 1), r"main\.conf is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_is_no_text_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "main.conf"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        parse_file(path)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.conf", tmp_path):
        with pytest.raises(ConfigError, match=f"^cannot read {path}"):
            parse_file(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "main.conf"
    path.write_bytes(b"\xef\xbb\xbfa 1")
    assert plain(parse_file(path)) == [("a", "1")]
