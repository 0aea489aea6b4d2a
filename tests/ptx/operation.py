"""One instruction on its way to C: its modifiers are taken one by one, its operands read."""

from __future__ import annotations

import struct

from .errors import PtxError
from .model import Instruction, Literal, Name, Offset, Operand, Several
from .names import SPECIAL, Memory, Names, Register
from .scalars import F32, F64, PREDICATE, SCALARS, U64, Scalar

#: Hints and memory orders, which change no result where threads run one after another.
_HINTS = {
    *("volatile", "relaxed", "acquire", "release", "acq_rel", "weak", "cta", "cluster", "gpu"),
    *("sys", "nc", "ca", "cg", "cs", "cv", "lu", "wb", "wt", "uni", "aligned"),
}
_HINT_PREFIXES = ("L1::", "L2::", "level::")


class Operation:
    """What the functions in opcodes/ are given: the instruction, and what its names mean.

    A modifier or an operand that no one takes is an error: no meaning is passed over in silence.
    """

    def __init__(self, instruction: Instruction, names: Names) -> None:
        self.instruction = instruction
        self.names = names
        self.operands = instruction.operands
        self._modifiers = list(instruction.modifiers)
        self._unread = set(range(len(instruction.operands)))

    def error(self, problem: str) -> PtxError:
        """An error that names the instruction, its place in the PTX and in the source."""
        at = self.instruction
        return PtxError(f"{at.written}: {at.full_name}: {problem} (from {at.place})")

    # Modifiers.

    def flag(self, name: str) -> bool:
        """Whether the modifier is there; it is taken."""
        return self.choice(name) is not None

    def choice(self, *names: str) -> str | None:
        """The first of these modifiers that is there, taken; None if there is none."""
        for name in self._modifiers:
            if name in names:
                self._modifiers.remove(name)
                return name
        return None

    def required(self, *names: str) -> str:
        """As `choice`, but one must be there."""
        found = self.choice(*names)
        if found is None:
            raise self.error(f"expected one of the modifiers {', '.join(names)}")
        return found

    def type(self) -> Scalar:
        """The next type among the modifiers, taken."""
        return SCALARS[self.required(*SCALARS)]

    def finish(self) -> None:
        """Raise PtxError if an operand is left, or a modifier that is not a mere hint."""
        left = [
            name
            for name in self._modifiers
            if name not in _HINTS and not name.startswith(_HINT_PREFIXES)
        ]
        if left:
            raise self.error(f"the runner does not know the modifier '.{left[0]}' here")
        if self._unread:
            raise self.error(f"the runner does not know what operand {min(self._unread)} is for")

    # Operands.

    def operand(self, place: int) -> Operand:
        """The operand in this place, from 0."""
        if place >= len(self.operands):
            raise self.error(f"expected at least {place + 1} operands")
        self._unread.discard(place)
        return self.operands[place]

    def parts(self, place: int) -> tuple[Operand, ...]:
        """The parts of an operand in braces, or the operand alone."""
        operand = self.operand(place)
        return operand.parts if isinstance(operand, Several) else (operand,)

    def read(self, place: int, scalar: Scalar) -> str:
        """The operand's value as a C expression of this type."""
        return self.value(self.operand(place), scalar)

    def write(self, place: int, scalar: Scalar, value: str) -> str:
        """A C statement that gives the operand a value of this type."""
        return self.assign(self.operand(place), scalar, value)

    def value(self, operand: Operand, scalar: Scalar) -> str:
        """An operand's value as a C expression of this type."""
        if isinstance(operand, Literal):
            return self._literal(operand.text, scalar)
        if isinstance(operand, Offset) or self.variable(operand):
            return f"(({scalar.c}){self.address(operand)})"
        if not isinstance(operand, Name):
            raise self.error("expected a single operand")
        if operand.negated:
            return f"(!{self.value(Name(operand.text), scalar)})"
        if operand.text in SPECIAL:
            return f"(({scalar.c}){SPECIAL[operand.text]})"
        return self._read_register(self.register(operand), scalar)

    def assign(self, operand: Operand, scalar: Scalar, value: str) -> str:
        """A C statement that gives an operand a value of this type; ``_`` takes it and forgets."""
        if operand == Name("_"):
            return f"(void)({value});"
        register = self.register(operand)
        if register.type == PREDICATE:
            return f"{register.c} = ({value}) != 0;"
        if register.type.bits == scalar.bits:
            return f"{register.c}.{scalar.member} = {value};"
        if scalar.kind == "f" or register.type.bits < scalar.bits:
            raise self.error(f"a value of {scalar.bits} bits does not fit {_shown(operand)}")
        return f"{register.c}.u = ({register.type.unsigned.c})({scalar.c})({value});"

    def register(self, operand: Operand) -> Register:
        """The register that the operand names."""
        found = self.names.registers.get(operand.text) if isinstance(operand, Name) else None
        if found is None:
            raise self.error(f"expected a register instead of {_shown(operand)}")
        return found

    def variable(self, operand: Operand) -> Memory | None:
        """The variable that is the operand, or the base of the address."""
        base = operand.base if isinstance(operand, Offset) else operand
        return self.names.memory.get(base.text) if isinstance(base, Name) else None

    def address(self, operand: Operand) -> str:
        """The address that an operand stands for, as a C expression of type u64."""
        base, offset = (
            (operand.base, operand.bytes) if isinstance(operand, Offset) else (operand, 0)
        )
        variable = self.variable(base)
        start = variable.address if variable else self._start(base)
        return f"({start} + (u64){offset}ll)" if offset else start

    def _start(self, base: Operand) -> str:
        """An address in a register of 32 (shared space) or 64 bits, or a number."""
        if isinstance(base, Literal):
            return self._literal(base.text, U64)
        return f"((u64){self.register(base).c}.u)"

    def _read_register(self, register: Register, scalar: Scalar) -> str:
        if scalar == PREDICATE or register.type == PREDICATE:
            if register.type != scalar:
                raise self.error("a predicate and a number are mixed")
            return register.c
        if register.type.bits == scalar.bits:
            return f"{register.c}.{scalar.member}"
        if scalar.kind == "f" or register.type.bits < scalar.bits:
            raise self.error(f"a register of {register.type.bits} bits holds no {scalar.c}")
        return f"(({scalar.c}){register.c}.u)"

    def _literal(self, text: str, scalar: Scalar) -> str:
        if text[:2] in ("0f", "0F", "0d", "0D"):
            return self._float_literal(text, scalar)
        try:
            number = int(text.rstrip("U"), 0)
        except ValueError:
            raise self.error(f"'{text}' is not a number") from None
        if scalar == PREDICATE:
            return str(int(number != 0))
        if scalar.kind == "f":
            raise self.error(f"the integer {text} stands for a float")
        return f"(({scalar.c}){number % 2**64:#x}ull)"

    def _float_literal(self, text: str, scalar: Scalar) -> str:
        """``0f`` or ``0d`` and the bits of a float, which may stand for bits of that width."""
        bits = int(text[2:], 16)
        written = F32 if text[1] in "fF" else F64
        if scalar == F64 and written == F32:
            (number,) = struct.unpack(">f", bytes.fromhex(text[2:]))
            return f"f64_of_bits({int.from_bytes(struct.pack('>d', number)):#x}ull)"
        if scalar.bits != written.bits:
            raise self.error(f"{text} does not have {scalar.bits} bits")
        return (
            f"{scalar.c}_of_bits({bits:#x})" if scalar.kind == "f" else f"(({scalar.c}){bits:#x})"
        )


def _shown(operand: Operand) -> str:
    return f"'{operand.text}'" if isinstance(operand, Name | Literal) else f"{operand}"
