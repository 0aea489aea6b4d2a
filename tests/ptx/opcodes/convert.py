"""Conversions. PTX ISA 9.0, 9.7.9.21 (cvt)."""

from tests.ptx.operation import Operation
from tests.ptx.scalars import F16, F32, F64, Scalar

from .floating import rounding
from .table import opcode

_TO_INTEGER = {"rni": "rint", "rzi": "trunc", "rmi": "floor", "rpi": "ceil"}


@opcode("cvt")
def convert(op: Operation) -> str:
    """d = a in another type."""
    whole = op.choice(*_TO_INTEGER)
    mode = rounding(op)
    flushes, saturates = op.flag("ftz"), op.flag("sat")
    to, of = op.type(), op.type()
    value = op.read(1, of)
    if flushes and of == F32:
        value = f"flushed({value})"
    value = _converted(op, value, of, to, _TO_INTEGER.get(whole or ""), mode)
    if flushes and to == F32:
        value = f"flushed({value})"
    if saturates:
        value = _saturated(value, of, to)
    return op.write(0, to, value)


def _converted(
    op: Operation, value: str, of: Scalar, to: Scalar, whole: str | None, mode: str | None
) -> str:
    if of.kind == "f" and to.kind == "f":
        return _float_to_float(op, value, of, to, whole, mode)
    if of.kind == "f":
        if whole is None:
            raise op.error("expected .rni, .rzi, .rmi or .rpi")
        # What is not a number becomes 0 where both types are of at most 32 bits, else 100...0.
        not_a_number = "0" if of != F64 and to.bits < 64 else f"1ull << {to.bits - 1}"
        return f"{to.c}_of_float({whole}({value}), ({to.c})({not_a_number}))"
    if to.kind == "f":
        return _integer_to_float(op, value, to, mode)
    return value


def _float_to_float(
    op: Operation, value: str, of: Scalar, to: Scalar, whole: str | None, mode: str | None
) -> str:
    if whole:  # to an integer in the same format
        return f"({to.c}){whole}({value})"
    if mode is None or to.bits >= of.bits:
        return f"({to.c}){value}"
    if (of, to) != (F64, F32):
        raise op.error("rounding modes are known from f64 to f32 alone")
    return f"rounded_f32({value}, {mode})"


def _integer_to_float(op: Operation, value: str, to: Scalar, mode: str | None) -> str:
    if to == F16:  # by way of f64, which holds 32 bits exactly
        if mode:
            raise op.error("half precision is rounded to nearest alone")
        return f"(f16)(f64){value}"
    if mode is None:
        return f"({to.c}){value}"
    return f"rounded_{to.c}_of_integer({value}, {mode})"


def _saturated(value: str, of: Scalar, to: Scalar) -> str:
    if to.kind == "f":
        return f"saturated_{to.c}({value})"
    if of.kind == "f":  # conversions of floats saturate anyway
        return value
    low, high = (-(1 << to.bits - 1), (1 << to.bits - 1) - 1) if to.kind == "s" else (0, None)
    high = (1 << to.bits) - 1 if high is None else high
    return f"({to.c})clamped((s128){value}, (s128){low + 1}ll - 1, (s128){high}ull)"
