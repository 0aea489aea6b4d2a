"""Logic, shifts and bit fields. PTX ISA 9.0, 9.7.1 and 9.7.8."""

from tests.ptx.operation import Operation
from tests.ptx.scalars import B32, U32

from .table import opcode

_SIGNS = {"and": "&", "or": "|", "xor": "^"}


@opcode("and", "or", "xor")
def logic(op: Operation) -> str:
    """d = a & b and so on, of bits or of predicates."""
    scalar = op.type()
    sign = _SIGNS[op.instruction.opcode]
    return op.write(0, scalar, f"{op.read(1, scalar)} {sign} {op.read(2, scalar)}")


@opcode("not")
def complement(op: Operation) -> str:
    """d = all bits turned."""
    scalar = op.type()
    return op.write(0, scalar, f"~{op.read(1, scalar)}")


@opcode("not", kind="p")
def negation(op: Operation) -> str:
    """d = !a."""
    scalar = op.type()
    return op.write(0, scalar, f"!{op.read(1, scalar)}")


@opcode("cnot")
def is_zero(op: Operation) -> str:
    """d = 1 where a is 0, else 0."""
    scalar = op.type()
    return op.write(0, scalar, f"{op.read(1, scalar)} == 0")


@opcode("lop3")
def logic_of_three(op: Operation) -> str:
    """d = any function of three bits, given by its table."""
    scalar = op.type()
    a, b, c = (op.read(place, scalar) for place in (1, 2, 3))
    return op.write(0, scalar, f"logic_of_three({a}, {b}, {c}, {op.read(4, U32)})")


@opcode("shl", "shr")
def shift(op: Operation) -> str:
    """d = a shifted by b, which may be more than the width."""
    scalar = op.type()
    if op.instruction.opcode == "shl":
        return op.write(
            0, scalar, f"shift_left({op.read(1, scalar)}, {op.read(2, U32)}, {scalar.bits})"
        )
    wide = "s64" if scalar.kind == "s" else "u64"
    call = f"shift_right_{wide}({op.read(1, scalar)}, {op.read(2, U32)}, {scalar.bits})"
    return op.write(0, scalar, f"({scalar.c}){call}")


@opcode("shf")
def funnel_shift(op: Operation) -> str:
    """d = 32 bits out of the 64 of b and a."""
    direction, bound = op.required("l", "r"), op.required("wrap", "clamp")
    scalar = op.type()
    count = f"bounded_{bound}({op.read(3, U32)})"
    low, high = op.read(1, scalar), op.read(2, scalar)
    return op.write(0, scalar, f"funnel_shift_{direction}({low}, {high}, {count})")


@opcode("bfe")
def extract_field(op: Operation) -> str:
    """d = the bit field of a, from b on, c bits long, extended by its sign if signed."""
    scalar = op.type()
    where = f"{op.read(2, U32)}, {op.read(3, U32)}, {scalar.bits}"
    wide = "s64" if scalar.kind == "s" else "u64"
    return op.write(0, scalar, f"({scalar.c})extract_{wide}({op.read(1, scalar)}, {where})")


@opcode("bfi")
def insert_field(op: Operation) -> str:
    """d = b, with the lower d bits of a put in from c on."""
    scalar = op.type()
    where = f"{op.read(3, U32)}, {op.read(4, U32)}, {scalar.bits}"
    call = f"insert_field({op.read(1, scalar)}, {op.read(2, scalar)}, {where})"
    return op.write(0, scalar, f"({scalar.c}){call}")


@opcode("bfind")
def find_highest(op: Operation) -> str:
    """d = number of the highest bit that is not the sign, or how far it must be shifted up."""
    shifts = op.flag("shiftamt")
    scalar = op.type()
    value = op.read(1, scalar)
    if scalar.kind == "s":
        value = f"({scalar.unsigned.c})({value} < 0 ? ~{value} : {value})"
    return op.write(0, U32, f"find_highest({value}, {scalar.bits if shifts else 0})")


@opcode("brev", "clz", "popc")
def count_or_reverse(op: Operation) -> str:
    """d = bits in reverse; number of leading zeros; number of ones."""
    scalar = op.type()
    name = op.instruction.opcode
    result = scalar if name == "brev" else U32
    return op.write(0, result, f"{name}_{scalar.bits}({op.read(1, scalar)})")


@opcode("prmt")
def permute_bytes(op: Operation) -> str:
    """d = four of the eight bytes of a and b, or their signs, chosen by c."""
    op.type()
    a, b, c = (op.read(place, B32) for place in (1, 2, 3))
    return op.write(0, B32, f"permute_bytes({a}, {b}, {c})")
