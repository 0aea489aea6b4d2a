"""Floating point arithmetic, in every rounding mode and in half precision."""

from __future__ import annotations

import operator

import numpy as np

from .case import Case
from .reference import flushed, once_rounded

ROUNDED = [
    Case(f"{name}.{mode}.f32 %d, {', '.join(f'%{x}' for x in 'abc'[:count])};", "f32",
         "f32 " * count, once_rounded(function, mode))
    for name, count, function in [
        ("add", 2, operator.add),
        ("sub", 2, operator.sub),
        ("mul", 2, operator.mul),
        ("div", 2, operator.truediv),
        ("fma", 3, lambda a, b, c: a * b + c),
        ("rcp", 1, lambda a: 1 / a),
    ]
    for mode in ("rn", "rz", "rm", "rp")
] + [
    Case("add.rm.f64 %d, %a, %b;", "f64", "f64 f64", once_rounded(operator.add, "rm", np.float64)),
    Case("fma.rn.f64 %d, %a, %b, %c;", "f64", "f64 f64 f64",
         once_rounded(lambda a, b, c: a * b + c, "rn", np.float64)),
    Case("div.rp.f64 %d, %a, %b;", "f64", "f64 f64",
         once_rounded(operator.truediv, "rp", np.float64)),
]  # fmt: skip

FLOATING = [
    Case("add.ftz.f32 %d, %a, %b;", "f32", "f32 f32",
         lambda a, b: flushed(flushed(a) + flushed(b))),
    Case("mul.ftz.f32 %d, %a, %b;", "f32", "f32 f32",
         lambda a, b: flushed(flushed(a) * flushed(b))),
    Case("add.sat.f32 %d, %a, %b;", "f32", "f32 f32",
         lambda a, b: np.clip(np.nan_to_num(a + b, nan=0, posinf=1, neginf=0), 0, 1) + 0),
    Case("sqrt.rn.f32 %d, %a;", "f32", "f32", np.sqrt),
    Case("sqrt.rn.f64 %d, %a;", "f64", "f64", np.sqrt),
    Case("min.f32 %d, %a, %b;", "f32", "f32 f32", np.fmin),
    Case("max.f64 %d, %a, %b;", "f64", "f64 f64", np.fmax),
    Case("max.NaN.f32 %d, %a, %b;", "f32", "f32 f32", np.maximum),
    Case("min.f32 %d, %a, %b, %c;", "f32", "f32 f32 f32",
         lambda a, b, c: np.fmin(np.fmin(a, b), c)),
    Case("neg.f32 %d, %a;", "f32", "f32", operator.neg),
    Case("abs.f64 %d, %a;", "f64", "f64", np.abs),
    Case("copysign.f32 %d, %a, %b;", "f32", "f32 f32", lambda a, b: np.copysign(b, a)),
    Case("rsqrt.approx.f32 %d, %a;", "f32", "f32", lambda a: 1 / np.sqrt(a.astype("f8")), 2e-7),
    Case("ex2.approx.f32 %d, %a;", "f32", "f32", lambda a: np.exp2(a.astype("f8")), 2e-7),
    Case("lg2.approx.f32 %d, %a;", "f32", "f32", lambda a: np.log2(a.astype("f8")), 2e-7),
    Case("sin.approx.f32 %d, %a;", "f32", "f32", lambda a: np.sin(a.astype("f8")), 2e-7),
    Case("cos.approx.f32 %d, %a;", "f32", "f32", lambda a: np.cos(a.astype("f8")), 2e-7),
    Case("tanh.approx.f32 %d, %a;", "f32", "f32", lambda a: np.tanh(a.astype("f8")), 2e-7),
    Case("add.f16 %d, %a, %b;", "f16", "f16 f16", operator.add),
    Case("mul.rn.f16 %d, %a, %b;", "f16", "f16 f16", operator.mul),
    Case("fma.rn.f16 %d, %a, %b, %c;", "f16", "f16 f16 f16",
         lambda a, b, c: (a.astype("f8") * b.astype("f8") + c.astype("f8")).astype("f2")),
    Case("testp.subnormal.f32 %p, %a; selp.u32 %d, 1, 0, %p;", "u32", "f32",
         lambda a: (a != 0) & (np.abs(a) < np.float32(2) ** -126)),
]  # fmt: skip
