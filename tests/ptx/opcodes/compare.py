"""Comparison and selection. PTX ISA 9.0, 9.7.5 and 9.7.6."""

from tests.ptx.operation import Operation
from tests.ptx.scalars import F32, PREDICATE, Scalar

from .table import opcode

_SIGNS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "lo": "<",
    "ls": "<=",
    "hi": ">",
    "hs": ">=",
}
_UNORDERED = {f"{name}u": _SIGNS[name] for name in ("eq", "ne", "lt", "le", "gt", "ge")}
_COMBINED = {"and": "&", "or": "|", "xor": "^"}


def _comparison(op: Operation, name: str, scalar: Scalar, flushes: bool) -> str:
    a, b = (
        f"flushed({op.read(place, scalar)})" if flushes else op.read(place, scalar)
        for place in (1, 2)
    )
    if name in ("num", "nan"):
        return f"({'!' if name == 'num' else ''}isunordered({a}, {b}))"
    if name in _UNORDERED:
        return f"(isunordered({a}, {b}) || {a} {_UNORDERED[name]} {b})"
    if name == "ne" and scalar.kind == "f":  # C's != holds for NaN
        return f"({a} < {b} || {a} > {b})"
    return f"({a} {_SIGNS[name]} {b})"


@opcode("setp")
def set_predicate(op: Operation) -> str:
    """p = a compared with b, combined with a predicate; q = the same of the opposite."""
    compared, combined = op.required(*_SIGNS, *_UNORDERED, "num", "nan"), op.choice(*_COMBINED)
    flushes = op.flag("ftz")
    scalar = op.type()
    test = _comparison(op, compared, scalar, flushes and scalar == F32)
    # The results may overwrite the third operand.
    other = f"const u8 other = {op.read(3, PREDICATE)}; " if combined else ""
    join = f" {_COMBINED[combined]} other" if combined else ""
    first, *second = op.parts(0)
    statements = [op.assign(first, PREDICATE, f"met{join}")]
    statements += [op.assign(part, PREDICATE, f"!met{join}") for part in second]
    return f"{{ const u8 met = {test}; {other}{' '.join(statements)} }}"


@opcode("set")
def set_value(op: Operation) -> str:
    """d = all ones, or 1.0, where the comparison holds; else 0."""
    compared, flushes = op.required(*_SIGNS, *_UNORDERED, "num", "nan"), op.flag("ftz")
    result, scalar = op.type(), op.type()
    test = _comparison(op, compared, scalar, flushes and scalar == F32)
    return op.write(0, result, f"{test} ? ({result.c}){'1' if result == F32 else '-1'} : 0")


@opcode("selp")
def select(op: Operation) -> str:
    """d = c ? a : b."""
    scalar = op.type()
    chosen = op.read(3, PREDICATE)
    return op.write(0, scalar, f"{chosen} ? {op.read(1, scalar)} : {op.read(2, scalar)}")


@opcode("slct")
def select_by_sign(op: Operation) -> str:
    """d = c >= 0 ? a : b."""
    flushes = op.flag("ftz")
    scalar, sign = op.type(), op.type()
    tested = op.read(3, sign)
    if flushes:
        tested = f"flushed({tested})"
    return op.write(0, scalar, f"{tested} >= 0 ? {op.read(1, scalar)} : {op.read(2, scalar)}")
