"""A function of a module to a C function."""

from __future__ import annotations

from .errors import PtxError
from .model import (
    BranchTargets,
    Function,
    Instruction,
    Label,
    Registers,
    Scope,
    Statement,
    Variable,
)
from .names import Memory, Names, Register, c_name
from .opcodes import translate_instruction
from .operation import Operation
from .scalars import PREDICATE

#: More than any local variable needs; addresses then agree between machines.
_LOCAL_ALIGNMENT = 16


def function_signature(function: Function) -> str:
    """An entry point takes the launch's parameters, a function the addresses of its own."""
    if function.is_entry:
        return f"void {c_name('E', function.name)}(Thread *T, u8 *parameters)"
    passed = [f"u8 *{c_name('P', p.name)}" for p in (*function.results, *function.parameters)]
    return f"void {c_name('F', function.name)}({', '.join(['Thread *T', *passed])})"


def translate_function(function: Function, names: Names) -> str:
    """The C text of a function that has a body."""
    return "\n".join(_Translation(function, names).lines())


class _Translation:
    def __init__(self, function: Function, names: Names) -> None:
        self._function = function
        self._names = names

    def lines(self) -> list[str]:
        """The whole function."""
        function, names = self._function, self._names
        assert function.body
        lines = [f"static {function_signature(function)} {{", "ENTER;"]
        offsets = iter(function.parameter_offsets()[0])
        for parameter in (*function.results, *function.parameters):
            c = c_name("P", parameter.name)
            if function.is_entry:
                lines.append(f"u8 *const {c} = parameters + {next(offsets)}; (void){c};")
            names.memory[parameter.name] = Memory(parameter, f"((u64){c})")
        self._collect_labels(function.body)
        return [*lines, *self._scope(function.body, names), "RETURN;", "}"]

    def _collect_labels(self, scope: Scope) -> None:
        """Labels, and lists of them, are used before they are there."""
        for statement in scope.statements:
            match statement:
                case Label(name):
                    self._names.labels.add(name)
                case BranchTargets(name, labels):
                    self._names.branch_targets[name] = labels
                case Scope():
                    self._collect_labels(statement)

    def _scope(self, scope: Scope, names: Names) -> list[str]:
        return [line for s in scope.statements for line in self._statement(s, names)]

    def _statement(self, statement: Statement, names: Names) -> list[str]:
        match statement:
            case Instruction():
                return _instruction(statement, names)
            case Label(name):
                return [f"{c_name('L', name)}: __attribute__((unused));"]
            case Registers():
                return [_registers(statement, names)]
            case Variable():
                return [_variable(statement, names)]
            case Scope():
                return ["{", *self._scope(statement, names.inner()), "}"]
            case BranchTargets():
                return []


def _instruction(instruction: Instruction, names: Names) -> list[str]:
    operation = Operation(instruction, names)
    statements = translate_instruction(operation)
    if instruction.guard:
        statements = f"if ({operation.value(instruction.guard, PREDICATE)}) {{ {statements} }}"
    return [f'#line {instruction.place.line} "{instruction.place.file}"', statements]


def _registers(registers: Registers, names: Names) -> str:
    """Zero at first: a kernel that reads what it never wrote gives the same result each time."""
    scalar = registers.type
    c_names = [c_name("R", name) for name in registers.names]
    for name, c in zip(registers.names, c_names, strict=True):
        names.registers[name] = Register(scalar, c)
    c_type, zero = ("u8", "0") if scalar == PREDICATE else (f"R{max(scalar.bits, 16)}", "{ 0 }")
    return f"{c_type} {', '.join(f'{c} = {zero}' for c in c_names)};"


def _variable(variable: Variable, names: Names) -> str:
    """Local memory is the thread's own; parameters of a call are variables of the C function."""
    match variable.space:
        case "local":
            c = c_name("D", variable.name)
            names.memory[variable.name] = Memory(variable, f"((u64){c})")
            alignment = max(variable.alignment, _LOCAL_ALIGNMENT)
            return f"u8 *const {c} = LOCAL_MEMORY({variable.size}, {alignment}); (void){c};"
        case "param":
            c = c_name("P", variable.name)
            names.memory[variable.name] = Memory(variable, f"((u64){c})")
            return f"u8 {c}[{variable.size}] __attribute__((aligned(16)));"
        case "shared":  # has its place among those of the module
            return ""
        case _:
            raise PtxError(
                f"{variable.written}: '{variable.name}' in space {variable.space} in a function"
            )
