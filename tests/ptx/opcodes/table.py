"""The table of opcodes: which function turns which instruction into C."""

from __future__ import annotations

from collections.abc import Callable

from tests.ptx.operation import Operation
from tests.ptx.scalars import SCALARS

Handler = Callable[[Operation], str]

#: By opcode and kind of its type: "f", "p", or None for all that are not listed apart.
_HANDLERS: dict[tuple[str, str | None], Handler] = {}


def opcode(*names: str, kind: str | None = None) -> Callable[[Handler], Handler]:
    """Register a handler, which returns the C statements of an instruction."""

    def register(handler: Handler) -> Handler:
        for name in names:
            assert (name, kind) not in _HANDLERS, f"{name} ({kind}) is there twice"
            _HANDLERS[name, kind] = handler
        return handler

    return register


def translate_instruction(operation: Operation) -> str:
    """The C statements of an instruction. Raises PtxError where any of it is unknown."""
    name = operation.instruction.opcode
    types = [m for m in operation.instruction.modifiers if m in SCALARS]
    kind = SCALARS[types[-1]].kind if types else None
    handler = _HANDLERS.get((name, kind)) or _HANDLERS.get((name, None))
    if handler is None:
        raise operation.error("the runner does not know this instruction")
    statements = handler(operation)
    operation.finish()
    return statements


def known_opcodes() -> set[str]:
    """The names of all instructions that have a handler."""
    return {name for name, _ in _HANDLERS}
