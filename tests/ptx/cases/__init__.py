"""Instructions with what they must give, one module for each family as in opcodes/."""

from .bits import BITS
from .case import THREADS, Case, dtype, module, values
from .compare import COMPARE
from .convert import CONVERSIONS
from .floating import FLOATING, ROUNDED
from .integer import INTEGER
from .move import MOVES
from .warp import WARPS

__all__ = ["CASES", "THREADS", "Case", "dtype", "module", "values"]

CASES = INTEGER + BITS + ROUNDED + FLOATING + COMPARE + CONVERSIONS + MOVES + WARPS
