"""Moves, loads, stores and atomics. PTX ISA 9.0, 9.7.9 and 9.7.13."""

from tests.ptx.model import Name, Offset, Operand, Several
from tests.ptx.operation import Operation
from tests.ptx.scalars import PREDICATE, SCALARS, U64, Scalar

from .table import opcode

_SPACES = {name: name.upper() for name in ("global", "shared", "local", "param", "const")}
_SPACES |= {"shared::cta": "SHARED", "param::entry": "PARAM", "param::func": "PARAM"}
_VECTORS = {"v2": 2, "v4": 4, "v8": 8}


@opcode("mov")
def move(op: Operation) -> str:
    """d = a; a vector in braces is packed into, or unpacked from, one register."""
    scalar = op.type()
    if isinstance(op.operand(0), Several):
        return _unpack(op, scalar)
    if isinstance(op.operand(1), Several):
        return op.write(0, scalar, _packed(op, scalar))
    return op.write(0, scalar, op.read(1, scalar))


def _part(op: Operation, scalar: Scalar, parts: int) -> Scalar:
    part = SCALARS.get(f"b{scalar.bits // max(parts, 1)}")
    if part is None or part.bits * parts != scalar.bits:
        raise op.error(f"{scalar.bits} bits have no {parts} parts")
    return part


def _unpack(op: Operation, scalar: Scalar) -> str:
    parts = op.parts(0)
    part = _part(op, scalar, len(parts))
    written = [
        op.assign(target, part, f"({part.c})(packed >> {part.bits * place})")
        for place, target in enumerate(parts)
    ]
    return f"{{ const {scalar.c} packed = {op.read(1, scalar)}; {' '.join(written)} }}"


def _packed(op: Operation, scalar: Scalar) -> str:
    parts = op.parts(1)
    part = _part(op, scalar, len(parts))
    return " | ".join(
        f"({scalar.c}){op.value(source, part)} << {part.bits * place}"
        for place, source in enumerate(parts)
    )


def _checked(op: Operation, place: int, access: str, size: int) -> str:
    """The host's address of `size` bytes: a C expression that checks them first.

    Parameters that are named are checked here and now.
    """
    operand = op.operand(place)
    if not isinstance(operand, Offset):
        raise op.error("expected an address in brackets")
    variable = op.variable(operand)
    space = _SPACES.get(op.choice(*_SPACES) or "", "GENERIC")
    if variable and variable.variable.space == "param":
        declared = variable.variable
        if not 0 <= operand.bytes <= declared.size - size:
            raise op.error(f"{size} bytes at {operand.bytes} of {declared.size} in {declared.name}")
        return f"(u8 *){op.address(operand)}"
    return f"{access}({space}, {op.address(operand)}, {size})"


@opcode("ld", "ldu")
def load(op: Operation) -> str:
    """d = what lies at a; a type narrower than the register is extended."""
    vector = _VECTORS.get(op.choice(*_VECTORS) or "", 1)
    scalar = op.type()
    source = _checked(op, 1, "READABLE", scalar.size * vector)
    loaded = [
        op.assign(target, scalar, f"((const {scalar.c} *)at)[{place}]")
        for place, target in enumerate(_elements(op, 0, vector))
        if target != Name("_")
    ]
    return f"{{ const u8 *at = {source}; {' '.join(loaded)} }}"


@opcode("st")
def store(op: Operation) -> str:
    """What lies at d = a."""
    vector = _VECTORS.get(op.choice(*_VECTORS) or "", 1)
    scalar = op.type()
    target = _checked(op, 0, "WRITABLE", scalar.size * vector)
    stored = [
        f"(({scalar.c} *)at)[{place}] = {op.value(source, scalar)};"
        for place, source in enumerate(_elements(op, 1, vector))
    ]
    return f"{{ u8 *at = {target}; {' '.join(stored)} }}"


def _elements(op: Operation, place: int, count: int) -> tuple[Operand, ...]:
    parts = op.parts(place)
    if len(parts) != count:
        raise op.error(f"expected {count} elements")
    return parts


@opcode("cvta")
def convert_address(op: Operation) -> str:
    """d = the generic address of a; with ``.to`` back. They differ in shared space alone."""
    back, space = op.flag("to"), _SPACES[op.required(*_SPACES)]
    scalar = op.type()
    base = "" if space != "SHARED" else " - SHARED_BASE" if back else " + SHARED_BASE"
    return op.write(0, scalar, f"{op.read(1, scalar)}{base}")


@opcode("isspacep")
def is_in_space(op: Operation) -> str:
    """p = whether the generic address a lies in a space."""
    space = _SPACES[op.required(*_SPACES)]
    return op.write(0, PREDICATE, f"IS_IN_SPACE({space}, {op.read(1, U64)})")


@opcode("prefetch", "membar", "fence", "nanosleep")
def without_effect(op: Operation) -> str:
    """Caches and order of memory: one thread runs at a time and sees all that others wrote."""
    op.choice(*_SPACES)
    op.choice("L1", "L2", "gl", "sc", "u32")
    for place in range(len(op.operands)):
        op.operand(place)
    return ";"


_UPDATES = {
    "add": "old + b",
    "min": "old < b ? old : b",
    "max": "old > b ? old : b",
    "and": "old & b",
    "or": "old | b",
    "xor": "old ^ b",
    "exch": "b",
    "inc": "old >= b ? 0 : old + 1",
    "dec": "old == 0 || old > b ? b : old - 1",
    "cas": "old == b ? c : old",
}


@opcode("atom", "red")
def atomic(op: Operation) -> str:
    """d = what lies at a, which is then updated with b; ``red`` does not tell what was there."""
    update = op.required(*_UPDATES)
    op.flag("noftz")
    returns = op.instruction.opcode == "atom"
    scalar = op.type()
    at = _checked(op, int(returns), "WRITABLE", scalar.size)
    names = ("b", "c") if update == "cas" else ("b",)
    inputs = [
        f"const {scalar.c} {name} = {op.read(returns + 1 + place, scalar)};"
        for place, name in enumerate(names)
    ]
    result = op.write(0, scalar, "old") if returns else ""
    return (
        f"{{ {scalar.c} *at = ({scalar.c} *){at}; {' '.join(inputs)} "
        f"const {scalar.c} old = *at; *at = {_UPDATES[update]}; {result} }}"
    )
