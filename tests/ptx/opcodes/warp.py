"""What threads do together: barriers, shuffles, votes. PTX ISA 9.0, 9.7.9.6 and 9.7.13."""

from tests.ptx.operation import Operation
from tests.ptx.scalars import B32, PREDICATE, U32

from .table import opcode


@opcode("bar", "barrier")
def barrier(op: Operation) -> str:
    """Wait for all threads of the block, or for as many as are said."""
    op.choice("cta")
    if op.flag("warp"):
        op.required("sync")
        return f"(void)MEET({op.read(0, U32)}, 0);"
    if op.flag("red"):
        return _reducing_barrier(op)
    op.required("sync")
    count = op.read(1, U32) if len(op.operands) > 1 else "0"
    return f"BARRIER({op.read(0, U32)}, {count});"


def _reducing_barrier(op: Operation) -> str:
    """d = the number of the block's threads whose predicate holds, or whether any or all do."""
    reduction = op.required("popc", "and", "or")
    result = op.type()
    call = f"BARRIER_COUNT({op.read(1, U32)}, {op.read(2, PREDICATE)})"
    value = {"popc": "count.holding", "and": "count.holding == count.threads"}
    written = op.write(0, result, value.get(reduction, "count.holding != 0"))
    return f"{{ const Count count = {call}; {written} }}"


@opcode("shfl")
def shuffle(op: Operation) -> str:
    """d = a of another lane; p = whether that lane is in range."""
    op.required("sync")
    way = op.required("up", "down", "bfly", "idx").upper()
    scalar = op.type()
    inputs = [op.read(1, scalar), *(op.read(place, U32) for place in (2, 3, 4))]
    first, *second = op.parts(0)
    written = [op.assign(first, B32, "shuffled.value")]
    written += [op.assign(part, PREDICATE, "shuffled.is_in_range") for part in second]
    return (
        f"{{ const Shuffled shuffled = SHUFFLE({way}, {', '.join(inputs)}); {' '.join(written)} }}"
    )


@opcode("vote")
def vote(op: Operation) -> str:
    """d = for which lanes a holds; or whether it does for any, for all, or alike for all."""
    op.required("sync")
    way = op.required("ballot", "any", "all", "uni")
    scalar = op.type()
    cast = f"const Ballot ballot = VOTE({op.read(1, PREDICATE)}, {op.read(2, U32)});"
    value = {
        "ballot": "ballot.holding",
        "any": "ballot.holding != 0",
        "all": "ballot.holding == ballot.lanes",
        "uni": "ballot.holding == 0 || ballot.holding == ballot.lanes",
    }[way]
    return f"{{ {cast} {op.write(0, scalar, value)} }}"


@opcode("match")
def match(op: Operation) -> str:
    """d = lanes whose a is the same; with ``.all`` none unless it is the same for all."""
    op.required("sync")
    way = op.required("any", "all")
    scalar = op.type()
    found = f"const Ballot same = MATCH({op.read(1, scalar)}, {op.read(2, U32)});"
    first, *second = op.parts(0)
    if way == "any":
        return f"{{ {found} {op.assign(first, B32, 'same.holding')} }}"
    written = [op.assign(first, B32, "same.holding == same.lanes ? same.lanes : 0")]
    written += [op.assign(part, PREDICATE, "same.holding == same.lanes") for part in second]
    return f"{{ {found} {' '.join(written)} }}"


@opcode("redux")
def reduce(op: Operation) -> str:
    """d = sum, least and so on of a over the lanes."""
    op.required("sync")
    name = op.required("add", "min", "max", "and", "or", "xor")
    scalar = op.type()
    wide = "s64" if scalar.kind == "s" else "u64"
    call = f"REDUCE({name}_{wide}, ({wide}){op.read(1, scalar)}, {op.read(2, U32)})"
    return op.write(0, scalar, f"({scalar.c}){call}")


@opcode("activemask")
def active_mask(op: Operation) -> str:
    """d = the lanes that run together: here each thread runs alone, as a GPU's may."""
    return op.write(0, op.type(), "1u << T->lane")
