"""Comparison and selection."""

from __future__ import annotations

import operator

import numpy as np

from .case import Case
from .reference import U32_MAX

COMPARE = [
    Case(f"setp.{name}.{scalar} %p, %a, %b; selp.u32 %d, 1, 0, %p;", "u32",
         f"{scalar} {scalar}", function)
    for scalar, comparisons in [
        ("f32", {"eq": operator.eq, "lt": operator.lt, "ge": operator.ge,
                 "ne": lambda a, b: (a < b) | (a > b),
                 "neu": operator.ne, "ltu": lambda a, b: ~(a >= b), "gtu": lambda a, b: ~(a <= b),
                 "num": lambda a, b: ~np.isnan(a) & ~np.isnan(b),
                 "nan": lambda a, b: np.isnan(a) | np.isnan(b)}),
        ("s32", {"lt": operator.lt, "ge": operator.ge, "ne": operator.ne}),
        ("u64", {"gt": operator.gt, "hi": operator.gt, "ls": operator.le}),
        ("f64", {"le": operator.le, "leu": lambda a, b: ~(a > b)}),
    ]
    for name, function in comparisons.items()
] + [
    Case("setp.gt.s32 %q, %c, 0; setp.lt.and.s32 %p, %a, %b, %q; selp.u32 %d, 1, 0, %p;", "u32",
         "s32 s32 s32", lambda a, b, c: (a < b) & (c > 0)),
    Case("setp.gt.s32 %p, %c, 0; setp.lt.and.s32 %p|%q, %a, %b, %p; selp.u32 %d, 1, 0, %q;", "u32",
         "s32 s32 s32", lambda a, b, c: (a >= b) & (c > 0)),
    Case("setp.lt.xor.s32 %p|%q, %a, %b, 1; selp.u32 %d, 1, 0, %q;", "u32",
         "s32 s32", lambda a, b: ~(a < b) ^ True),
    Case("set.lt.u32.f32 %d, %a, %b;", "u32", "f32 f32",
         lambda a, b: np.where(a < b, U32_MAX, 0)),
    Case("set.lt.f32.s32 %d, %a, %b;", "f32", "s32 s32", operator.lt),
    Case("slct.f32.s32 %d, %a, %b, %c;", "f32", "f32 f32 s32",
         lambda a, b, c: np.where(c >= 0, a, b)),
    Case("setp.lt.f32 %p, %a, 0f40200000; @%p neg.f32 %a, %a; @!%p mov.f32 %a, 0f00000000;"
         "mov.b32 %d, %a;", "f32", "f32", lambda a: np.where(a < 2.5, -a, 0)),
]  # fmt: skip
