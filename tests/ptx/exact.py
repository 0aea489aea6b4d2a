"""Arithmetic without error, rounded once at the end: what IEEE 754 asks of one operation."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np


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
