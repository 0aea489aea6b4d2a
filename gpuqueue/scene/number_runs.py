"""Long runs of numbers, read at once: they make up nearly all of a scene's bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

_NOT_NUMERIC = re.compile(r"[^0-9+\-.eE\s]", re.ASCII)
_INDICES = re.compile(r"(?:\s*+[+-]?\d++(?![\w.]))*+", re.ASCII)


def number_run(
    text: str, at: int, convert: Callable[[str], float]
) -> tuple[NDArray[np.float64] | None, int]:
    """Return all numbers from `at` to the next token that is none, and where they end.

    `convert` is float or int. None if a number is unusual (not finite, an exponent letter d, a
    float among integers): reading token by token then tells what is wrong, if anything is.
    """
    words: list[str] = []
    end = at
    for start, end in _numeric_pieces(text, at):
        words += text[start:end].split()
    try:
        values = np.array(list(map(convert, words)), np.float64)
    except (ValueError, OverflowError):
        return None, end
    return (values if np.isfinite(values).all() else None), end


def _numeric_pieces(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Stretches of numbers and spaces between comments."""
    while True:
        match = _NOT_NUMERIC.search(text, at)
        end = match.start() if match else len(text)
        is_comment = match is not None and match[0] == "#"
        if match and (match[0].isalnum() or match[0] == "_"):
            while end > at and text[end - 1] in "eE+-.":  # "12 end": the e belongs to the word
                end -= 1
        yield at, end
        if not is_comment:
            return
        newline = text.find("\n", end)
        at = len(text) if newline < 0 else newline


def index_run(text: str, at: int) -> tuple[list[str], int]:
    """Return the integers from `at` to the next token that is none, as words, and their end.

    Short runs, such as the corners of a polygon, are quicker this way.
    """
    match = _INDICES.match(text, at)
    end = match.end() if match else at
    return text[at:end].split(), end
