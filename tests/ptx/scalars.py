"""The scalar types of PTX, and the C types that stand for them (runtime/ptx_types.h)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scalar:
    """A type: `kind` is u(nsigned), s(igned), b(its), f(loat) or p(redicate)."""

    kind: str
    bits: int

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.bits // 8

    @property
    def c(self) -> str:
        """The C type; bits without a type are unsigned."""
        return "u8" if self.kind == "p" else f"{self.member}{self.bits}"

    @property
    def member(self) -> str:
        """The member of a register's union that has this type: u, s or f."""
        return "u" if self.kind == "b" else self.kind

    @property
    def unsigned(self) -> Scalar:
        """The unsigned type of the same width: its arithmetic wraps around."""
        return Scalar("u", self.bits)

    @property
    def doubled(self) -> Scalar:
        """The type that holds any product of two values of this one."""
        return Scalar(self.kind, 2 * self.bits)


SCALARS = {f"{kind}{bits}": Scalar(kind, bits) for kind in "usb" for bits in (8, 16, 32, 64)}
SCALARS |= {f"f{bits}": Scalar("f", bits) for bits in (16, 32, 64)}
SCALARS["pred"] = PREDICATE = Scalar("p", 1)

U8, U16, U32, U64 = (SCALARS[f"u{bits}"] for bits in (8, 16, 32, 64))
B32, B64 = SCALARS["b32"], SCALARS["b64"]
F16, F32, F64 = (SCALARS[f"f{bits}"] for bits in (16, 32, 64))
