"""Branches, calls and ends. PTX ISA 9.0, 9.7.12."""

from tests.ptx.model import Name, Several
from tests.ptx.names import c_name
from tests.ptx.operation import Operation
from tests.ptx.scalars import U32

from .table import opcode


def _name(op: Operation, place: int) -> str:
    operand = op.operand(place)
    if not isinstance(operand, Name):
        raise op.error("expected a name")
    return operand.text


@opcode("bra")
def branch(op: Operation) -> str:
    """Go to a label."""
    return _go_to(op, _name(op, 0))


def _go_to(op: Operation, label: str) -> str:
    if label not in op.names.labels:
        raise op.error(f"there is no label '{label}'")
    return f"goto {c_name('L', label)};"


@opcode("brx")
def branch_by_index(op: Operation) -> str:
    """Go to one label of a list."""
    op.required("idx")
    labels = op.names.branch_targets.get(_name(op, 1))
    if labels is None:
        raise op.error(f"there is no list of labels '{_name(op, 1)}'")
    cases = [f"case {n}: {_go_to(op, label)}" for n, label in enumerate(labels)]
    return (
        f'switch ({op.read(0, U32)}) {{ {" ".join(cases)} default: FAIL("index out of range"); }}'
    )


@opcode("call")
def call(op: Operation) -> str:
    """Call a function by name, results first."""
    place = int(isinstance(op.operand(0), Several))
    results = op.parts(0) if place else ()
    name = _name(op, place)
    arguments = op.parts(place + 1) if len(op.operands) > place + 1 else ()
    if len(op.operands) > place + 2 or name in op.names.registers:
        raise op.error("calls through a pointer are not known to the runner")
    if name not in op.names.functions:
        raise op.error(f"there is no function '{name}' in the module")
    passed = []
    for argument in (*results, *arguments):
        variable = op.variable(argument)
        if variable is None:
            raise op.error("expected parameters that are declared as .param")
        passed.append(f"(u8 *){variable.address}")
    return f"{c_name('F', name)}({', '.join(['T', *passed])});"


@opcode("ret")
def give_back(op: Operation) -> str:
    """Return to the caller; the function's local memory ends."""
    return "RETURN;"


@opcode("exit")
def end_thread(op: Operation) -> str:
    """End this thread, wherever it is."""
    return "end_thread(T);"


@opcode("trap")
def trap(op: Operation) -> str:
    """End the launch with an error."""
    return 'FAIL("the kernel stopped itself (trap)");'
