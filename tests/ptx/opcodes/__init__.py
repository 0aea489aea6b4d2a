"""Instructions to C, one module for each family; importing them fills the table."""

from . import bits, compare, control, convert, floating, integer, memory, warp
from .table import translate_instruction

__all__ = ["translate_instruction"]

#: One list names every family.
FAMILIES = (bits, compare, control, convert, floating, integer, memory, warp)
