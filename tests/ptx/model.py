"""A PTX module as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from .scalars import Scalar


@dataclass(frozen=True)
class Place:
    """Where an instruction comes from: a line of CUDA C++ where the compiler noted it, else PTX."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


# Operands.


@dataclass(frozen=True)
class Name:
    """A register, special register, variable, label or function; `negated` is ``!name``."""

    text: str
    negated: bool = False


@dataclass(frozen=True)
class Literal:
    """A number as written: ``16``, ``-0x10``, ``0f3F800000`` (bits of a float), ``0d...``."""

    text: str


@dataclass(frozen=True)
class Offset:
    """An address: base and bytes beyond it. Written in brackets it stands for what lies there."""

    base: Name | Literal
    bytes: int


@dataclass(frozen=True)
class Several:
    """Operands in braces (a vector), in parentheses (arguments), or two joined by ``|``."""

    parts: tuple[Operand, ...]


Operand = Name | Literal | Offset | Several


# Statements of a function's body.


@dataclass(frozen=True)
class Instruction:
    """``@guard opcode.modifiers operands;``"""

    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple[Operand, ...]
    guard: Name | None
    place: Place
    #: Where it stands in the PTX.
    written: Place

    @property
    def full_name(self) -> str:
        """Opcode and modifiers."""
        return ".".join((self.opcode, *self.modifiers))


@dataclass(frozen=True)
class Label:
    """A place to go to."""

    name: str


@dataclass(frozen=True)
class BranchTargets:
    """The labels of a jump by index."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Registers:
    """``.reg``: registers of one type."""

    type: Scalar
    names: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """Memory with a name. `count` None is an array whose size the launch gives.

    `initial` holds numbers as written and names of other variables, whose addresses they stand for.
    """

    space: str
    name: str
    type: Scalar
    count: int | None
    alignment: int
    written: Place
    initial: tuple[Operand, ...] = ()

    @property
    def size(self) -> int:
        """Bytes; none where the launch gives the size."""
        return self.type.size * (self.count or 0)


@dataclass(frozen=True)
class Scope:
    """Statements in braces, with names of their own."""

    statements: tuple[Statement, ...]


Statement = Instruction | Label | BranchTargets | Registers | Variable | Scope


@dataclass(frozen=True)
class Function:
    """An entry point (``.entry``) or a function; body None is a declaration."""

    name: str
    is_entry: bool
    results: tuple[Variable, ...]
    parameters: tuple[Variable, ...]
    #: Threads of a block at most, 0 if not said.
    max_threads: int
    body: Scope | None

    def parameter_offsets(self) -> tuple[list[int], int]:
        """Where each parameter lies in the buffer of a launch, and the bytes of the buffer."""
        offsets, end = [], 0
        for parameter in self.parameters:
            offsets.append(-(-end // parameter.alignment) * parameter.alignment)
            end = offsets[-1] + parameter.size
        return offsets, end


@dataclass
class Module:
    """All of a PTX file."""

    functions: dict[str, Function] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
