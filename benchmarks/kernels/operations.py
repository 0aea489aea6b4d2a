"""Floating-point operations of a visit, counted in the code that the compiler makes of it.

Each lane of a vector counts, a fused multiply-add as two. A test of triangles that ends early is
counted whole.
"""

from __future__ import annotations

import re
from functools import cache

from benchmarks.kernels.compiler import IS_X86, CompilerMissing, assembly

_ARITHMETIC = re.compile(
    r"\tv?(?:(?P<fused>fn?m(?:add|sub)\d+)|add|sub|mul|div|min|max|sqrt|cmp\w*?|u?comi)"
    r"(?P<width>[sp]s)\b(?P<operands>.*)"
)


@cache
def operations() -> dict[str, int]:
    """Of ``node_LAYOUT`` and ``block_LAYOUT``. Raises CompilerMissing, also where the code is not
    x86."""
    if not IS_X86:
        raise CompilerMissing("operations are counted in x86 code alone")
    return counted(assembly("operations.cpp"))


def counted(listing: str) -> dict[str, int]:
    """By the name of the function, in an assembler listing."""
    found: dict[str, int] = {}
    for body in re.finditer(
        r"^(?P<name>(?:node|block)_\w+):\n(?P<code>.*?)^\t\.size\t(?P=name),", listing, re.M | re.S
    ):
        found[body["name"]] = sum(
            lanes(match) * (2 if match["fused"] else 1)
            for match in _ARITHMETIC.finditer(body["code"])
        )
    return found


def lanes(match: re.Match[str]) -> int:
    """Floats that an instruction works on."""
    if match["width"] == "ss":
        return 1
    return 8 if "%ymm" in match["operands"] else 4
