"""What names mean inside a function, as C expressions."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .model import Variable
from .scalars import Scalar


def c_name(prefix: str, name: str) -> str:
    """A C identifier for a PTX name; prefixes keep kinds of names, and C's keywords, apart."""
    return (
        f"{prefix}_{re.sub(r'[^A-Za-z0-9_]', lambda c: f'_{ord(c.group()):x}_', name.lstrip('%'))}"
    )


@dataclass(frozen=True)
class Register:
    """A variable of the C function: a union of the types of one width, or a truth value."""

    type: Scalar
    c: str


@dataclass(frozen=True)
class Memory:
    """A variable in memory. `address` is a C expression of type u64.

    Addresses are the host's; those in shared space count from the start of the block's share.
    """

    variable: Variable
    address: str


#: Special registers (PTX ISA 9.0, chapter 10) that do not name a dimension.
SPECIAL = {
    "%laneid": "T->lane",
    "%warpid": "T->warp",
    "%lanemask_eq": "(1u << T->lane)",
    "%lanemask_lt": "((1u << T->lane) - 1)",
    "%lanemask_le": "((2u << T->lane) - 1)",
    "%lanemask_gt": "~((2u << T->lane) - 1)",
    "%lanemask_ge": "~((1u << T->lane) - 1)",
    "%smid": "0u",
    "%nsmid": "1u",
    "%gridid": "0u",
    "WARP_SZ": "32u",
}
for _dimension, _letter in enumerate("xyz"):
    SPECIAL |= {
        f"%tid.{_letter}": f"T->index[{_dimension}]",
        f"%ntid.{_letter}": f"T->block->launch->block[{_dimension}]",
        f"%ctaid.{_letter}": f"T->block->index[{_dimension}]",
        f"%nctaid.{_letter}": f"T->block->launch->grid[{_dimension}]",
    }


@dataclass
class Names:
    """The names in force at one place of a function."""

    registers: ChainMap[str, Register] = field(default_factory=ChainMap)
    memory: ChainMap[str, Memory] = field(default_factory=ChainMap)
    labels: set[str] = field(default_factory=set)
    branch_targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()

    @classmethod
    def of_module(cls, memory: Mapping[str, Memory], functions: Iterable[str]) -> Names:
        """The names that every function sees."""
        return cls(memory=ChainMap(dict(memory)), functions=frozenset(functions))

    def inner(self) -> Names:
        """The names inside braces: own ones, and those outside."""
        return replace(self, registers=self.registers.new_child(), memory=self.memory.new_child())
