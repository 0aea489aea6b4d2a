"""What the lanes of a warp, and the threads of a block, tell each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import THREADS, Case

WARP = 32


def by_warp(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of the numbers of a warp, whose result all its lanes get."""

    def for_all(numbers: Any) -> Any:
        warps = numbers.reshape(-1, WARP)
        return np.concatenate([np.broadcast_to(function(warp), WARP) for warp in warps])

    return for_all


def by_block(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same of a block."""
    return lambda numbers: np.full(THREADS, function(numbers))


IS_ODD = "and.b32 %x, %a, 1; setp.eq.u32 %p, %x, 1;"

WARPS = [
    Case("redux.sync.add.u32 %d, %a, -1;", "u32", "u32", by_warp(lambda a: a.sum() % 2**32)),
    Case("redux.sync.min.s32 %d, %a, -1;", "s32", "s32", by_warp(np.min)),
    Case("redux.sync.max.u32 %d, %a, -1;", "u32", "u32", by_warp(np.max)),
    Case("redux.sync.and.b32 %d, %a, -1;", "u32", "u32", by_warp(np.bitwise_and.reduce)),
    Case("redux.sync.xor.b32 %d, %a, -1;", "u32", "u32", by_warp(np.bitwise_xor.reduce)),
    Case("shfl.sync.up.b32 %x|%p, %a, 4, 0, -1; selp.b32 %d, %x, 77, %p;", "u32", "u32",
         by_warp(lambda a: np.where(np.arange(WARP) < 4, 77, np.roll(a, 4)))),
    Case("shfl.sync.idx.b32 %d, %a, 2, 0x181f, -1;", "u32", "u32",  # segments of eight
         by_warp(lambda a: a[np.arange(WARP) // 8 * 8 + 2])),
    Case("mov.u32 %x, %laneid; shr.u32 %x, %x, 5; match.all.sync.b32 %d|%p, %x, -1;"
         "@!%p mov.u32 %d, 1;", "u32", "u32", by_warp(lambda a: 2**32 - 1)),
    Case("match.all.sync.b32 %d|%p, %a, -1; @!%p mov.u32 %d, 1;", "u32", "u32",
         by_warp(lambda a: 1)),
    Case(f"{IS_ODD} vote.sync.uni.pred %q, %p, -1; selp.u32 %d, 1, 0, %q;", "u32", "u32",
         by_warp(lambda a: len(set(a & 1)) == 1)),
    Case(f"{IS_ODD} bar.red.popc.u32 %d, 0, %p;", "u32", "u32", by_block(lambda a: (a & 1).sum())),
    Case(f"{IS_ODD} bar.red.popc.u32 %x, 0, %p; bar.red.popc.u32 %d, 0, !%p; sub.u32 %d, %d, %x;",
         "u32", "u32", by_block(lambda a: THREADS - 2 * int((a & 1).sum()))),
    Case(f"{IS_ODD} bar.red.or.pred %q, 0, %p; selp.u32 %d, 1, 0, %q;", "u32", "u32",
         by_block(lambda a: (a & 1).any())),
    Case(f"{IS_ODD} barrier.cta.red.and.pred %q, 3, %p; selp.u32 %d, 1, 0, %q;", "u32", "u32",
         by_block(lambda a: (a & 1).all())),
]  # fmt: skip
