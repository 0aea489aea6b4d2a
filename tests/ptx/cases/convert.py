"""Conversions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from .case import Case
from .reference import flushed, once_rounded, one_by_one, rounded


def to_integer(bits: int, signed: bool, of_nan: int, whole: Callable[[float], float]) -> Any:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def one(x: float) -> int:
        if np.isnan(x):
            return of_nan
        return int(min(max(whole(x), low), high)) if np.isfinite(x) else (low if x < 0 else high)

    return one_by_one(one)


CONVERSIONS = [
    Case("cvt.rzi.s32.f32 %d, %a;", "s32", "f32", to_integer(32, True, 0, np.trunc)),
    Case("cvt.rni.u32.f32 %d, %a;", "u32", "f32", to_integer(32, False, 0, np.rint)),
    Case("cvt.rmi.s64.f32 %d, %a;", "s64", "f32", to_integer(64, True, -(2**63), np.floor)),
    Case("cvt.rpi.u64.f64 %d, %a;", "u64", "f64", to_integer(64, False, 2**63, np.ceil)),
    Case("cvt.rzi.s32.f64 %d, %a;", "s32", "f64", to_integer(32, True, -(2**31), np.trunc)),
    Case("cvt.rzi.u8.f32 %x, %a; mov.b32 %d, %x;", "u32", "f32",
         to_integer(8, False, 0, np.trunc)),
    Case("cvt.rpi.ftz.s32.f32 %d, %a;", "s32", "f32",
         lambda a: to_integer(32, True, 0, np.ceil)(flushed(a))),
    Case("cvt.rn.ftz.f32.f64 %d, %a;", "f32", "f64", lambda a: flushed(a.astype("f4"))),
    Case("cvt.rn.f32.s32 %d, %a;", "f32", "s32", lambda a: a.astype("f4")),
    Case("cvt.rn.f32.u64 %d, %a;", "f32", "u64",
         one_by_one(lambda a: rounded(Fraction(a), np.float32))),
    Case("cvt.rz.f32.u64 %d, %a;", "f32", "u64",
         one_by_one(lambda a: rounded(Fraction(a), np.float32, "rz"))),
    Case("cvt.rp.f32.s32 %d, %a;", "f32", "s32",
         one_by_one(lambda a: rounded(Fraction(a), np.float32, "rp"))),
    Case("cvt.rn.f32.f64 %d, %a;", "f32", "f64", lambda a: a.astype("f4")),
    Case("cvt.rm.f32.f64 %d, %a;", "f32", "f64", once_rounded(lambda a: a, "rm")),
    Case("cvt.f64.f32 %d, %a;", "f64", "f32", lambda a: a.astype("f8")),
    Case("cvt.rn.f16.f32 %d, %a;", "f16", "f32", lambda a: a.astype("f2")),
    Case("cvt.f32.f16 %d, %a;", "f32", "f16", lambda a: a.astype("f4")),
    Case("cvt.rn.f16.s32 %d, %a;", "f16", "s32", lambda a: a.astype("f2")),
    Case("cvt.rmi.f32.f32 %d, %a;", "f32", "f32", np.floor),
    Case("cvt.rni.f64.f64 %d, %a;", "f64", "f64", np.rint),
    Case("cvt.sat.f32.f32 %d, %a;", "f32", "f32",
         lambda a: np.clip(np.nan_to_num(a, nan=0, posinf=1, neginf=0), 0, 1) + 0),
    Case("cvt.s64.s32 %d, %a;", "s64", "s32", lambda a: a.astype("i8")),
    Case("cvt.u64.u32 %d, %a;", "u64", "u32", lambda a: a.astype("u8")),
    Case("cvt.s32.s8 %d, %a;", "s32", "u32", lambda a: a.astype("i1").astype("i4")),
    Case("cvt.u32.u64 %d, %a;", "u32", "u64", lambda a: a.astype("u4")),
    Case("cvt.sat.u8.s32 %x, %a; mov.b32 %d, %x;", "u32", "s32", lambda a: np.clip(a, 0, 255)),
    Case("cvt.sat.s16.s64 %x, %a; cvt.s32.s16 %d, %x;", "s32", "s64",
         lambda a: np.clip(a, -(2**15), 2**15 - 1)),
]  # fmt: skip
