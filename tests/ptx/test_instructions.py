"""Every instruction gives what numpy, or exact arithmetic, says that it must."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
import pytest

from . import DeviceMemory, Program
from .exact import rounded
from .single_instructions import THREADS, Case, dtype, module, values

U32_MAX = 2**32 - 1


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of Python's numbers, for arrays; integers wrap around."""

    def for_arrays(*arrays: Any) -> list[Any]:
        return [function(*(x.item() for x in row)) for row in zip(*arrays, strict=True)]

    return for_arrays


def once_rounded(function: Callable[..., Fraction], mode: str, result: Any = np.float32) -> Any:
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


def extract(x: int, first: int, count: int, bits: int, signed: bool) -> int:
    """PTX ISA 9.0, 9.7.1.20: bit by bit, as its pseudo-code has it."""
    first, count = first & 255, count & 255
    sign_place = min(first + count - 1, bits - 1)
    sign = x >> sign_place & 1 if signed and count else 0
    return sum(
        (x >> first + i & 1 if i < count and first + i < bits else sign) << i for i in range(bits)
    )


def insert(x: int, into: int, first: int, count: int) -> int:
    first, count = first & 255, count & 255
    for i in range(min(count, max(0, 32 - first))):
        into = into & ~(1 << first + i) | (x >> i & 1) << first + i
    return into


def permute(a: int, b: int, selectors: int) -> int:
    data = (b << 32 | a).to_bytes(8, "little")
    chosen = [selectors >> 4 * i & 15 for i in range(4)]
    picked = [data[s & 7] if s < 8 else 255 * (data[s & 7] >> 7) for s in chosen]
    return int.from_bytes(picked, "little")


def to_integer(bits: int, signed: bool, of_nan: int, whole: Callable[[float], float]) -> Any:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def one(x: float) -> int:
        if np.isnan(x):
            return of_nan
        return int(min(max(whole(x), low), high)) if np.isfinite(x) else (low if x < 0 else high)

    return one_by_one(one)


def truncated_division(a: int, b: int) -> Any:
    return None if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def flushed(x: Any) -> Any:
    return np.where(np.abs(x) < np.float32(2) ** -126, np.copysign(np.float32(0), x), x)


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

BITS = [
    Case("and.b32 %d, %a, %b;", "u32", "u32 u32", operator.and_),
    Case("or.b64 %d, %a, %b;", "u64", "u64 u64", operator.or_),
    Case("xor.b16 %d, %a, %b;", "u16", "u16 u16", operator.xor),
    Case("not.b32 %d, %a;", "u32", "u32", operator.invert),
    Case("cnot.b32 %d, %a;", "u32", "u32", lambda a: a == 0),
    Case("lop3.b32 %d, %a, %b, %c, 0xE8;", "u32", "u32 u32 u32",
         lambda a, b, c: a & b | a & c | b & c),
    Case("lop3.b32 %d, %a, %b, %c, 0x1E;", "u32", "u32 u32 u32", lambda a, b, c: a ^ (b | c)),
    Case("shl.b32 %d, %a, %b;", "u32", "u32 u32",
         one_by_one(lambda a, b: a << b if b < 32 else 0)),
    Case("shr.u64 %d, %a, %b;", "u64", "u64 u32",
         one_by_one(lambda a, b: a >> b if b < 64 else 0)),
    Case("shr.s32 %d, %a, %b;", "s32", "s32 u32", one_by_one(lambda a, b: a >> min(b, 31))),
    Case("shf.l.wrap.b32 %d, %a, %b, %c;", "u32", "u32 u32 u32",
         one_by_one(lambda a, b, c: (b << 32 | a) << (c & 31) >> 32)),
    Case("shf.r.clamp.b32 %d, %a, %b, %c;", "u32", "u32 u32 u32",
         one_by_one(lambda a, b, c: (b << 32 | a) >> min(c, 32))),
    Case("bfe.u32 %d, %a, %b, %c;", "u32", "u32 u32 u32",
         one_by_one(lambda a, b, c: extract(a, b, c, 32, False))),
    Case("bfe.s32 %d, %a, %b, %c;", "u32", "u32 u32 u32",
         one_by_one(lambda a, b, c: extract(a, b, c, 32, True))),
    Case("bfe.s64 %d, %a, %b, %c;", "u64", "u64 u32 u32",
         one_by_one(lambda a, b, c: extract(a, b, c, 64, True))),
    Case("bfi.b32 %d, %a, %b, %c, %e;", "u32", "u32 u32 u32 u32", one_by_one(insert)),
    Case("bfind.u32 %d, %a;", "u32", "u32", one_by_one(lambda a: a.bit_length() - 1)),
    Case("bfind.s32 %d, %a;", "u32", "s32",
         one_by_one(lambda a: (~a if a < 0 else a).bit_length() - 1)),
    Case("bfind.shiftamt.u64 %d, %a;", "u32", "u64",
         one_by_one(lambda a: 64 - a.bit_length() if a else -1)),
    Case("brev.b32 %d, %a;", "u32", "u32", one_by_one(lambda a: int(f"{a:032b}"[::-1], 2))),
    Case("brev.b64 %d, %a;", "u64", "u64", one_by_one(lambda a: int(f"{a:064b}"[::-1], 2))),
    Case("clz.b64 %d, %a;", "u32", "u64", one_by_one(lambda a: 64 - a.bit_length())),
    Case("popc.b32 %d, %a;", "u32", "u32", one_by_one(int.bit_count)),
    Case("prmt.b32 %d, %a, %b, %c;", "u32", "u32 u32 u32", one_by_one(permute)),
]  # fmt: skip

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
    Case("add.f16 %d, %a, %b;", "f16", "f16 f16", operator.add),
    Case("mul.rn.f16 %d, %a, %b;", "f16", "f16 f16", operator.mul),
    Case("fma.rn.f16 %d, %a, %b, %c;", "f16", "f16 f16 f16",
         lambda a, b, c: (a.astype("f8") * b.astype("f8") + c.astype("f8")).astype("f2")),
    Case("testp.subnormal.f32 %p, %a; selp.u32 %d, 1, 0, %p;", "u32", "f32",
         lambda a: (a != 0) & (np.abs(a) < np.float32(2) ** -126)),
]  # fmt: skip

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

CONVERSIONS = [
    Case("cvt.rzi.s32.f32 %d, %a;", "s32", "f32", to_integer(32, True, 0, np.trunc)),
    Case("cvt.rni.u32.f32 %d, %a;", "u32", "f32", to_integer(32, False, 0, np.rint)),
    Case("cvt.rmi.s64.f32 %d, %a;", "s64", "f32", to_integer(64, True, -(2**63), np.floor)),
    Case("cvt.rpi.u64.f64 %d, %a;", "u64", "f64", to_integer(64, False, 2**63, np.ceil)),
    Case("cvt.rzi.s32.f64 %d, %a;", "s32", "f64", to_integer(32, True, -(2**31), np.trunc)),
    Case("cvt.rzi.u8.f32 %x, %a; mov.b32 %d, %x;", "u32", "f32",
         to_integer(8, False, 0, np.trunc)),
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

CASES = INTEGER + BITS + ROUNDED + FLOATING + COMPARE + CONVERSIONS + MOVES


@pytest.fixture(scope="module")
def program(load: Callable[[str, str], Program]) -> Program:
    return load(module(CASES), "instructions.ptx")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.code for case in CASES])
def test_an_instruction_gives_what_it_must(program: Program, number: int) -> None:
    case, memory = CASES[number], DeviceMemory()
    inputs = [values(scalar, seed) for seed, scalar in enumerate(case.input_types)]
    result_type = dtype(case.result)
    result = memory.zeros(THREADS * result_type.itemsize)
    arguments = [result, *(memory.upload(array) for array in inputs)]
    program.launch(f"case_{number}", (1, 1, 1), (THREADS, 1, 1), arguments, memory)
    with np.errstate(all="ignore"):
        expected = list(case.expected(*inputs))
    compare(case, inputs, result.read(result_type), expected)


def compare(case: Case, inputs: list[Any], found: Any, expected: list[Any]) -> None:
    """Each result by itself, so that a failure shows the inputs; None is not compared."""
    compared = 0
    for place, (is_, should) in enumerate(zip(found, expected, strict=True)):
        if should is None:
            continue
        compared += 1
        given = [array[place] for array in inputs]
        assert agree(is_, should, case), f"{case.code} of {given}: {is_!r}, not {should!r}"
    assert compared > THREADS // 4


def agree(found: Any, expected: Any, case: Case) -> bool:
    """Bit for bit, but for the payload of what is not a number, and for approximations."""
    if case.result[0] != "f":
        return int(found) == int(expected) % 2 ** int(case.result[1:]) - (
            2 ** int(case.result[1:]) if found < 0 else 0
        )
    with np.errstate(all="ignore"):
        target = found.dtype.type(expected)
    if np.isnan(target) or np.isnan(found):
        return bool(np.isnan(target) and np.isnan(found))
    if case.tolerance and np.isfinite(target):
        return abs(float(found) - float(expected)) <= case.tolerance * max(1.0, abs(expected))
    return bool(found == target and np.signbit(found) == np.signbit(target))
