"""What instructions must give, in Python's exact arithmetic, rounded once at the end."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np

U32_MAX = 2**32 - 1


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of Python's numbers, for arrays; integers wrap around."""

    def for_arrays(*arrays: Any) -> list[Any]:
        return [function(*(x.item() for x in row)) for row in zip(*arrays, strict=True)]

    return for_arrays


def once_rounded(function: Callable[..., Any], mode: str, result: Any = np.float32) -> Any:
    """An operation in exact arithmetic; None (not compared) where it is not defined."""

    def one(*numbers: float) -> Any:
        if not all(map(isfinite, numbers)):
            return None
        try:
            exact = function(*map(Fraction, numbers))
        except ZeroDivisionError:
            return None
        if not 1e-37 < abs(exact) < 3e38:  # near the ends of the range other rules hold
            return None
        return rounded(exact, result, mode)

    return one_by_one(one)


def rounded(exact: Fraction, dtype: Any, mode: str = "rn") -> Any:
    """The number of a binary format that stands for an exact one: rn, rz, rm (down), rp (up)."""
    with np.errstate(over="ignore"):
        near = dtype(float(exact))
    candidates = {near, np.nextafter(near, dtype(-np.inf)), np.nextafter(near, dtype(np.inf))}
    finite = [c for c in candidates if np.isfinite(c)]
    if mode == "rz":
        mode = "rm" if exact > 0 else "rp"
    if mode == "rm":
        return max(c for c in finite if Fraction(float(c)) <= exact)
    if mode == "rp":
        return min(c for c in finite if Fraction(float(c)) >= exact)
    return min(finite, key=lambda c: (abs(Fraction(float(c)) - exact), _last_bit(c)))


def _last_bit(number: Any) -> int:
    """Of two that are equally near the even one is taken."""
    return int(number.view(f"u{number.itemsize}")) & 1


def flushed(x: Any) -> Any:
    return np.where(np.abs(x) < np.float32(2) ** -126, np.copysign(np.float32(0), x), x)
