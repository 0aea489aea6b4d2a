"""Moves, vectors of registers, special registers."""

from __future__ import annotations

import numpy as np

from .case import THREADS, Case
from .reference import one_by_one

MOVES = [
    Case("mov.b64 %w, {%a, %b}; mov.b64 {%x, %y}, %w; sub.u32 %d, %y, %x;", "u32", "u32 u32",
         lambda a, b: b - a),
    Case("mov.b64 %d, {%a, %b};", "u64", "u32 u32", one_by_one(lambda a, b: b << 32 | a)),
    Case("mov.b32 {_, %d}, %a;", "u16", "u32", lambda a: a >> 16),
    Case("mov.f64 %d, 0d400921FB54442D18;", "f64", "f64", lambda a: np.full(THREADS, np.pi)),
    Case("mov.b32 %d, 0f3FC00000;", "u32", "u32", lambda a: np.full(THREADS, 0x3FC00000)),
    Case("mov.u32 %d, %laneid; mov.u32 %x, %ntid.x; add.u32 %d, %d, %x;", "u32", "u32",
         lambda a: np.arange(THREADS) % 32 + THREADS),
    Case("mov.u32 %d, %lanemask_lt;", "u32", "u32", lambda a: (1 << np.arange(THREADS) % 32) - 1),
]  # fmt: skip
