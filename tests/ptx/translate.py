"""A module to one C file, which includes the runtime and lists the kernels at its end.

Each function becomes a C function with labels and gotos, each register a union of the types that
it may hold. ``#line`` before each instruction makes messages, debuggers and gcov speak of the
CUDA C++ source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .errors import PtxError
from .function import function_signature, translate_function
from .model import Function, Literal, Module, Name, Scope, Variable
from .names import Memory, Names, c_name

#: Alignment of memory whose size the launch gives.
DYNAMIC_ALIGNMENT = 16


def translate(module: Module) -> str:
    """The C text. Raises PtxError where the module uses something that the runner does not know."""
    shared, static_bytes = _shared_memory(module)
    memory = shared | {
        name: Memory(variable, f"((u64){c_name('G', name)})")
        for name, variable in module.variables.items()
        if variable.space != "shared"
    }
    functions = [function for function in module.functions.values() if function.body]
    parts = ['#include "ptx_runtime.h"']
    parts += [_definition(m.variable) for m in memory.values() if m.variable.space != "shared"]
    parts += [f"static {function_signature(function)};" for function in functions]
    callable_ = [function.name for function in functions if not function.is_entry]
    parts += [translate_function(f, Names.of_module(memory, callable_)) for f in functions]
    parts += [_addresses(module, memory), _kernel_table(functions, static_bytes)]
    parts += [_variable_table(module)]
    return "\n".join(parts) + "\n"


def _shared_memory(module: Module) -> tuple[dict[str, Memory], int]:
    """Every shared variable with its offset, and the bytes that all take.

    Those whose size the launch gives all start behind the others.
    """
    variables = [v for v in module.variables.values() if v.space == "shared"]
    for function in module.functions.values():
        variables += _shared_in(function.body)
    placed, end = {}, 0
    for variable in variables:
        if variable.count is not None:
            end = _aligned(end, variable.alignment)
            placed[variable.name] = Memory(variable, f"{end}ull")
            end += variable.size
    end = _aligned(end, DYNAMIC_ALIGNMENT)
    for variable in variables:
        if variable.count is None:
            placed[variable.name] = Memory(variable, f"{end}ull")
    return placed, end


def _shared_in(scope: Scope | None) -> Iterator[Variable]:
    for statement in scope.statements if scope else ():
        if isinstance(statement, Variable) and statement.space == "shared":
            yield statement
        elif isinstance(statement, Scope):
            yield from _shared_in(statement)


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _definition(variable: Variable) -> str:
    """The bytes of a global variable; addresses are put in when the module is loaded."""
    content = b"".join(_initial_bytes(variable))
    listed = ", ".join(map(str, content)) or "0"
    name = c_name("G", variable.name)
    return (
        f"static u8 {name}[{max(variable.size, 1)}] "
        f"__attribute__((aligned({max(variable.alignment, 16)}))) = {{ {listed} }};"
    )


def _initial_bytes(variable: Variable) -> Iterator[bytes]:
    size = variable.type.size
    for value in variable.initial:
        if isinstance(value, Name):
            yield bytes(size)
        elif isinstance(value, Literal) and value.text[:2].lower() in ("0f", "0d"):
            yield int(value.text[2:], 16).to_bytes(size, "little")
        elif isinstance(value, Literal):
            number = int(value.text.rstrip("U"), 0)
            yield (number % (1 << 8 * size)).to_bytes(size, "little")


def _addresses(module: Module, memory: dict[str, Memory]) -> str:
    """A function, run at loading, that puts addresses into variables that are to hold them."""
    lines = []
    for variable in module.variables.values():
        for place, value in enumerate(variable.initial):
            if isinstance(value, Name):
                if value.text not in memory or variable.type.size != 8:
                    raise PtxError(
                        f"{variable.written}: '{variable.name}' cannot hold the address of "
                        f"'{value.text}'"
                    )
                target = f"{c_name('G', variable.name)} + {8 * place}"
                lines.append(f"*(u64 *)({target}) = {memory[value.text].address};")
    body = " ".join(lines)
    return f"__attribute__((constructor)) static void put_addresses(void) {{ {body} }}"


def _kernel_table(functions: Iterable[Function], static_bytes: int) -> str:
    rows, arrays = [], []
    for function in functions:
        if function.is_entry:
            name, sizes = c_name("E", function.name), [p.size for p in function.parameters]
            offsets, total = function.parameter_offsets()
            arrays.append(f"static const u32 {name}_sizes[] = {_array(sizes)};")
            arrays.append(f"static const u32 {name}_offsets[] = {_array(offsets)};")
            rows.append(
                f'  {{ "{function.name}", {name}, {len(sizes)}, {name}_sizes, {name}_offsets, '
                f"{total}, {function.max_threads}, {static_bytes} }},"
            )
    return "\n".join([*arrays, "const PtxKernel ptx_kernels[] = {", *rows, "  { 0 }", "};"])


def _array(numbers: Iterable[int]) -> str:
    return f"{{ {', '.join(map(str, numbers)) or '0'} }}"


def _variable_table(module: Module) -> str:
    rows = [
        f'  {{ "{v.name}", {c_name("G", v.name)}, {v.size}, {int(v.space != "const")} }},'
        for v in module.variables.values()
        if v.space != "shared"
    ]
    return "\n".join(["const PtxVariable ptx_variables[] = {", *rows, "  { 0 }", "};"])
