"""Subdivision surfaces, hair and other geometry that is read and left aside."""

from __future__ import annotations

from gpuqueue.scene.tokens import Kind, Tokens

MAX_HAIR_NUMBERS = 1 << 30


def skip_block(tokens: Tokens, *ending: str) -> None:
    """Everything up to ``end`` and these words."""
    first = tokens.peek()
    while True:
        if tokens.at_end():
            raise tokens.fail(f"there is no 'end {' '.join(ending)}' for this", first)
        if tokens.take().text == "end" and tokens.at_word(ending[0]):
            for word in ending:
                tokens.expect_word(word)
            return


def skip_hair(tokens: Tokens) -> None:
    """hair = "hair" { item } "scalar" list "hair" list "end" "hair"."""
    while not tokens.accept_word("end"):
        if tokens.at_mark("["):
            count = _bracketed_count(tokens)
            _skip_list(tokens, count)
        elif tokens.peek().kind in (Kind.SYMBOL, Kind.STRING, Kind.INTEGER, Kind.FLOAT):
            tokens.take()
        else:
            raise tokens.expected("an item of hair or 'end hair'")
    tokens.expect_word("hair")


def _bracketed_count(tokens: Tokens) -> int:
    tokens.expect_mark("[")
    count = tokens.integer("the length of the list", 0, MAX_HAIR_NUMBERS)
    tokens.expect_mark("]")
    return count


def _skip_list(tokens: Tokens, count: int) -> None:
    if tokens.accept_word("binary"):
        # The list of hairs has one more entry than it says.
        size = 4 * count if tokens.binary_ends_after(4 * count) else 4 * count + 4
        tokens.skip_binary(size)
    else:
        tokens.number_run()
