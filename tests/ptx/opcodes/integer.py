"""Integer arithmetic. PTX ISA 9.0, 9.7.1 and 9.7.2."""

from tests.ptx.operation import Operation
from tests.ptx.scalars import U32, Scalar

from .table import opcode

_SIGNS = {"add": "+", "sub": "-", "addc": "+", "subc": "-"}


@opcode("add", "sub")
def add(op: Operation) -> str:
    """d = a + b, wrapping around; ``.cc`` notes the carry, ``.sat`` (s32 alone) clamps."""
    sign = _SIGNS[op.instruction.opcode]
    carries, saturates = op.flag("cc"), op.flag("sat")
    scalar = op.type()
    if carries:
        return _with_carry(op, scalar, sign, carry_in=False, carry_out=True)
    if saturates:
        exact = f"(s64){op.read(1, scalar)} {sign} (s64){op.read(2, scalar)}"
        return op.write(0, scalar, f"saturate_s32({exact})")
    wrapping = scalar.unsigned
    return op.write(0, wrapping, f"{op.read(1, wrapping)} {sign} {op.read(2, wrapping)}")


@opcode("addc", "subc")
def add_with_carry(op: Operation) -> str:
    """d = a + b + carry."""
    carries = op.flag("cc")
    return _with_carry(op, op.type(), _SIGNS[op.instruction.opcode], True, carries)


def _with_carry(op: Operation, scalar: Scalar, sign: str, carry_in: bool, carry_out: bool) -> str:
    word = scalar.unsigned
    return _carrying(op, word, sign, [op.read(1, word), op.read(2, word)], carry_in, carry_out)


def _carrying(
    op: Operation, word: Scalar, sign: str, terms: list[str], carry_in: bool, carry_out: bool
) -> str:
    """The sum in twice the width, whose bit beyond the word is the carry or borrow."""
    terms = [f"(u128){term}" for term in terms] + ["carry"] * carry_in
    noted = f"carry = (u8)(sum >> {word.bits}) & 1; " if carry_out else ""
    written = op.write(0, word, f"({word.c})sum")
    return f"{{ const u128 sum = {f' {sign} '.join(terms)}; {noted}{written} }}"


@opcode("mul", "mad", "madc")
def multiply(op: Operation) -> str:
    """d = a * b [+ c]: the lower half, the upper half, or all of the product."""
    name, part = op.instruction.opcode, op.required("lo", "hi", "wide")
    carries = op.flag("cc")
    scalar = op.type()
    product = _product(part, scalar, op.read(1, scalar), op.read(2, scalar))
    result = (scalar.doubled if part == "wide" else scalar).unsigned
    if name == "mul":
        return op.write(0, result, product)
    if carries or name == "madc":
        terms = [f"({result.c}){product}", op.read(3, result)]
        return _carrying(op, result, "+", terms, name == "madc", carries)
    return op.write(0, result, f"({result.c}){product} + {op.read(3, result)}")


def _product(part: str, scalar: Scalar, a: str, b: str) -> str:
    if part == "lo":
        return f"(({scalar.unsigned.c})((u64){a} * (u64){b}))"
    wide = f"{scalar.kind}128" if scalar.bits == 64 else scalar.doubled.c
    exact = f"(({wide}){a} * ({wide}){b})"
    return exact if part == "wide" else f"(({scalar.c})({exact} >> {scalar.bits}))"


@opcode("mul24", "mad24")
def multiply_24_bits(op: Operation) -> str:
    """d = lower half of a * b [+ c], of which the lower 24 bits count."""
    op.required("lo")
    scalar = op.type()
    a, b = (f"({op.read(place, scalar)} << 8 >> 8)" for place in (1, 2))
    product = f"(u32){a} * (u32){b}"
    more = f" + {op.read(3, U32)}" if op.instruction.opcode == "mad24" else ""
    return op.write(0, U32, product + more)


@opcode("div", "rem")
def divide(op: Operation) -> str:
    """Quotient or remainder; by zero PTX leaves them open."""
    scalar = op.type()
    name = {"div": "divide", "rem": "remainder"}[op.instruction.opcode]
    call = f"{name}_{scalar.c}({op.read(1, scalar)}, {op.read(2, scalar)})"
    return op.write(0, scalar, call)


@opcode("min", "max")
def extremum(op: Operation) -> str:
    """The lesser or the greater."""
    scalar = op.type()
    a, b = op.read(1, scalar), op.read(2, scalar)
    sign = "<" if op.instruction.opcode == "min" else ">"
    return op.write(0, scalar, f"{a} {sign} {b} ? {a} : {b}")


@opcode("neg")
def negate(op: Operation) -> str:
    """d = -a."""
    word = op.type().unsigned
    return op.write(0, word, f"({word.c})0 - {op.read(1, word)}")


@opcode("abs")
def absolute(op: Operation) -> str:
    """d = |a|; the least number stays as it is."""
    scalar = op.type()
    word = scalar.unsigned
    wrapped = op.read(1, word)
    return op.write(0, word, f"{op.read(1, scalar)} < 0 ? ({word.c})0 - {wrapped} : {wrapped}")


@opcode("sad")
def sum_of_absolute_differences(op: Operation) -> str:
    """d = |a - b| + c."""
    scalar = op.type()
    word = scalar.unsigned
    wide = f"(s128){op.read(1, scalar)} - (s128){op.read(2, scalar)}"
    return op.write(0, word, f"({word.c})absolute_s128({wide}) + {op.read(3, word)}")


@opcode("dp4a")
def dot_product_of_bytes(op: Operation) -> str:
    """d = c + the dot product of four bytes and four bytes."""
    types = [op.type(), op.type()]
    a, b = (op.read(place, U32) for place in (1, 2))
    terms = [
        f"({types[0].kind}8)({a} >> {shift}) * ({types[1].kind}8)({b} >> {shift})"
        for shift in (0, 8, 16, 24)
    ]
    return op.write(0, U32, f"{op.read(3, U32)} + (u32)({' + '.join(terms)})")
