"""Floating point arithmetic. PTX ISA 9.0, 9.7.3 and 9.7.4.

Rounding to nearest is C's own; the other modes are set for one operation (runtime/ptx_float.h).
"""

from tests.ptx.operation import Operation
from tests.ptx.scalars import F16, F32, F64, Scalar

from .table import opcode

MODES = {"rz": "FE_TOWARDZERO", "rm": "FE_DOWNWARD", "rp": "FE_UPWARD"}


def rounding(op: Operation) -> str | None:
    """C's name of the rounding mode; None for rounding to nearest, which is the default."""
    mode = op.choice("rn", "rz", "rm", "rp")
    return MODES.get(mode or "rn")


class FloatOperation:
    """Inputs and result of an operation with ``.ftz`` and ``.sat`` taken into account."""

    def __init__(self, op: Operation) -> None:
        self.op = op
        self.mode = rounding(op)
        self.flushes = op.flag("ftz")
        self.saturates = op.flag("sat")
        self.type: Scalar = op.type()
        if self.mode and self.type == F16:
            raise op.error("half precision is rounded to nearest alone")

    def read(self, place: int) -> str:
        """An input; subnormals are zeros where they are flushed."""
        value = self.op.read(place, self.type)
        return f"flushed({value})" if self.flushes and self.type == F32 else value

    def write(self, value: str) -> str:
        """The statement that stores the result."""
        if self.flushes and self.type == F32:
            value = f"flushed({value})"
        if self.saturates:
            value = f"saturated_{self.type.c}({value})"
        return self.op.write(0, self.type, value)

    def call(self, name: str, inputs: int) -> str:
        """The call of the C function that rounds in the mode asked for."""
        arguments = [self.read(place + 1) for place in range(inputs)]
        return f"{name}_{self.type.c}({', '.join([*arguments, self.mode or 'FE_TONEAREST'])})"


_BINARY = {"add": "+", "sub": "-", "mul": "*"}


@opcode("add", "sub", "mul", kind="f")
def arithmetic(op: Operation) -> str:
    """d = a + b, a - b, a * b."""
    name = op.instruction.opcode
    x = FloatOperation(op)
    if x.mode:
        return x.write(x.call(f"rounded_{name}", 2))
    return x.write(f"({x.type.c})({x.read(1)} {_BINARY[name]} {x.read(2)})")


@opcode("fma", "mad", kind="f")
def fused(op: Operation) -> str:
    """d = a * b + c, rounded once."""
    x = FloatOperation(op)
    if x.mode:
        return x.write(x.call("rounded_fma", 3))
    return x.write(f"fused_{x.type.c}({x.read(1)}, {x.read(2)}, {x.read(3)})")


@opcode("div", kind="f")
def divide(op: Operation) -> str:
    """d = a / b; the approximations are exact here."""
    op.choice("approx", "full")
    x = FloatOperation(op)
    return x.write(x.call("rounded_div", 2) if x.mode else f"({x.read(1)} / {x.read(2)})")


@opcode("rcp", kind="f")
def reciprocal(op: Operation) -> str:
    """d = 1 / a; the approximations are exact here."""
    op.choice("approx")
    x = FloatOperation(op)
    one = f"({x.type.c})1"
    if x.mode:
        return x.write(f"rounded_div_{x.type.c}({one}, {x.read(1)}, {x.mode})")
    return x.write(f"({one} / {x.read(1)})")


@opcode("sqrt", kind="f")
def square_root(op: Operation) -> str:
    """d = square root of a; the approximation is exact here."""
    op.choice("approx")
    x = FloatOperation(op)
    return x.write(x.call("rounded_sqrt", 1) if x.mode else f"square_root_{x.type.c}({x.read(1)})")


@opcode("rsqrt", "sin", "cos", "lg2", "ex2", "tanh", kind="f")
def approximation(op: Operation) -> str:
    """Functions that a GPU approximates; the C library's are closer by a unit or two."""
    op.required("approx")
    x = FloatOperation(op)
    return x.write(f"{op.instruction.opcode}_{x.type.c}({x.read(1)})")


@opcode("min", "max", kind="f")
def extremum(op: Operation) -> str:
    """The lesser or greater of two or three; NaN only where all are, or where ``.NaN`` asks."""
    propagates = op.flag("NaN")
    x = FloatOperation(op)
    name = f"{op.instruction.opcode}{'_nan' if propagates else ''}_{x.type.c}"
    value = x.read(1)
    for place in range(2, len(op.operands)):
        value = f"{name}({value}, {x.read(place)})"
    return x.write(value)


@opcode("neg", kind="f")
def negate(op: Operation) -> str:
    """d = -a."""
    x = FloatOperation(op)
    return x.write(f"(-{x.read(1)})")


@opcode("abs", kind="f")
def absolute(op: Operation) -> str:
    """d = |a|."""
    x = FloatOperation(op)
    return x.write(f"absolute_{x.type.c}({x.read(1)})")


@opcode("copysign", kind="f")
def copy_sign(op: Operation) -> str:
    """d = b with the sign of a."""
    x = FloatOperation(op)
    return x.write(f"copysign_{x.type.c}({x.read(2)}, {x.read(1)})")


_CLASSES = {
    "finite": "isfinite({})",
    "infinite": "isinf({})",
    "number": "!isnan({})",
    "notanumber": "isnan({})",
    "normal": "isnormal({})",
    "subnormal": "fpclassify({}) == FP_SUBNORMAL",
}


@opcode("testp", kind="f")
def test_property(op: Operation) -> str:
    """d = whether a is of this class of numbers."""
    test = _CLASSES[op.required(*_CLASSES)]
    scalar = op.type()
    if scalar not in (F32, F64):
        raise op.error("expected f32 or f64")
    return op.write(0, scalar, test.format(op.read(1, scalar)))
