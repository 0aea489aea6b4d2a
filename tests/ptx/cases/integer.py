"""Integer arithmetic."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .case import Case
from .reference import U32_MAX, one_by_one


def truncated_division(a: int, b: int) -> Any:
    return None if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def lower_24(x: int) -> int:
    """The lower 24 bits as a signed number."""
    return (x & 0xFFFFFF) - 2 * (x & 0x800000)


INTEGER = [
    Case("add.s32 %d, %a, %b;", "u32", "u32 u32", operator.add),
    Case("sub.s64 %d, %a, %b;", "u64", "u64 u64", operator.sub),
    Case("add.u16 %d, %a, %b;", "u16", "u16 u16", operator.add),
    Case("add.sat.s32 %d, %a, %b;", "s32", "s32 s32",
         one_by_one(lambda a, b: min(max(a + b, -2**31), 2**31 - 1))),
    Case("add.cc.u32 %d, %a, %b; addc.u32 %d, %a, %b;", "u32", "u32 u32",
         one_by_one(lambda a, b: a + b + (a + b > U32_MAX))),
    Case("sub.cc.u32 %d, %a, %b; subc.u32 %d, %a, %b;", "u32", "u32 u32",
         one_by_one(lambda a, b: a - b - (a < b))),
    Case("mad.lo.cc.u32 %x, %a, %b, %c; madc.hi.u32 %d, %a, %b, %c;", "u32", "u32 u32 u32",
         one_by_one(lambda a, b, c: (a * b >> 32) + c + ((a * b & U32_MAX) + c > U32_MAX))),
    Case("mul.lo.s32 %d, %a, %b;", "u32", "u32 u32", operator.mul),
    Case("mul.lo.u64 %d, %a, %b;", "u64", "u64 u64", operator.mul),
    Case("mul.hi.u32 %d, %a, %b;", "u32", "u32 u32", one_by_one(lambda a, b: a * b >> 32)),
    Case("mul.hi.s32 %d, %a, %b;", "s32", "s32 s32", one_by_one(lambda a, b: a * b >> 32)),
    Case("mul.hi.u64 %d, %a, %b;", "u64", "u64 u64", one_by_one(lambda a, b: a * b >> 64)),
    Case("mul.hi.s64 %d, %a, %b;", "s64", "s64 s64", one_by_one(lambda a, b: a * b >> 64)),
    Case("mul.wide.s32 %d, %a, %b;", "s64", "s32 s32", one_by_one(operator.mul)),
    Case("mul.wide.u16 %d, %a, %b;", "u32", "u16 u16", one_by_one(operator.mul)),
    Case("mad.lo.s32 %d, %a, %b, %c;", "u32", "u32 u32 u32", lambda a, b, c: a * b + c),
    Case("mad.wide.u32 %d, %a, %b, %c;", "u64", "u32 u32 u64",
         one_by_one(lambda a, b, c: a * b + c)),
    Case("mul24.lo.u32 %d, %a, %b;", "u32", "u32 u32",
         one_by_one(lambda a, b: (a & 0xFFFFFF) * (b & 0xFFFFFF))),
    Case("mad24.lo.s32 %d, %a, %b, %c;", "u32", "u32 u32 u32",
         one_by_one(lambda a, b, c: lower_24(a) * lower_24(b) + c)),
    Case("div.u32 %d, %a, %b;", "u32", "u32 u32", one_by_one(truncated_division)),
    Case("div.s32 %d, %a, %b;", "s32", "s32 s32", one_by_one(truncated_division)),
    Case("div.s64 %d, %a, %b;", "s64", "s64 s64", one_by_one(truncated_division)),
    Case("rem.s32 %d, %a, %b;", "s32", "s32 s32",
         one_by_one(lambda a, b: None if b == 0 else a - b * truncated_division(a, b))),
    Case("rem.u64 %d, %a, %b;", "u64", "u64 u64", one_by_one(lambda a, b: a % b if b else None)),
    Case("min.s32 %d, %a, %b;", "s32", "s32 s32", np.minimum),
    Case("max.u32 %d, %a, %b;", "u32", "u32 u32", np.maximum),
    Case("min.u64 %d, %a, %b;", "u64", "u64 u64", np.minimum),
    Case("neg.s32 %d, %a;", "s32", "s32", operator.neg),
    Case("abs.s64 %d, %a;", "s64", "s64", np.abs),
    Case("sad.s32 %d, %a, %b, %c;", "u32", "s32 s32 u32",
         one_by_one(lambda a, b, c: abs(a - b) + c)),
    Case("dp4a.u32.s32 %d, %a, %b, %c;", "s32", "u32 u32 s32", one_by_one(
        lambda a, b, c: c + sum(
            (a >> s & 255) * ((b >> s & 255) - (b >> s & 128) * 2) for s in (0, 8, 16, 24)))),
]  # fmt: skip
