"""Logic, shifts, bit fields, permutations."""

from __future__ import annotations

import operator

from .case import Case
from .reference import one_by_one


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
