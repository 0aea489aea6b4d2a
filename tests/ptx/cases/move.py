"""Moves, vectors of registers, special registers, addresses, branches."""

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
    Case("ldu.global.u32 %d, [%at];", "u32", "u32", lambda a: a),
    Case("membar.gl; fence.acq_rel.gpu; nanosleep.u32 20; prefetch.global.L1 [%at];"
         "mov.u32 %d, %a;", "u32", "u32", lambda a: a),
    Case("mov.u64 %v, room; cvta.shared.u64 %w, %v; isspacep.shared %p, %w; selp.u32 %d, 1, 0, %p;"
         "isspacep.global %p, %w; @%p add.u32 %d, %d, 2;"
         "isspacep.global %p, %at; @%p add.u32 %d, %d, 4;", "u32", "u32",
         lambda a: np.full(THREADS, 5)),
    Case("and.b32 %x, %a, 3; setp.eq.u32 %p, %x, 3; @%p bra $other;"
         "$targets: .branchtargets $zero, $one, $two; brx.idx %x, $targets;"
         "$zero: mov.u32 %d, 10; bra.uni $end; $one: mov.u32 %d, 11; bra.uni $end;"
         "$two: mov.u32 %d, 12; bra.uni $end; $other: mov.u32 %d, 99; $end:", "u32", "u32",
         lambda a: np.choose(a & 3, [10, 11, 12, 99])),
    Case("setp.lt.u32 %p, %a, 50; @%p exit; mov.u32 %d, %a;", "u32", "u32",
         lambda a: np.where(a < 50, 0, a)),
]  # fmt: skip
