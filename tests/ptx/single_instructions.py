"""Kernels of a single instruction, written by hand, and what numpy says that it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

THREADS = 256


@dataclass(frozen=True)
class Case:
    """`code` gives %d, a `result`, from %a, %b, ... of types `inputs`.

    It may use %p and %q (predicates), %x and %y (32 bits), %v and %w (64 bits).
    """

    code: str
    result: str
    inputs: str
    expected: Callable[..., Any]
    #: Largest error, relative to the result or to one.
    tolerance: float = 0.0

    @property
    def input_types(self) -> list[str]:
        return self.inputs.split()


def dtype(name: str) -> np.dtype[Any]:
    """numpy's type for one of PTX."""
    return np.dtype(f"{name[0].replace('s', 'i').replace('b', 'u')}{int(name[1:]) // 8}")


_REGISTERS = {8: "b16", 16: "b16", 32: "b32", 64: "b64"}


def kernel(name: str, case: Case) -> str:
    """The PTX of an entry point with an address for the result and for each input."""
    types = [case.result, *case.input_types]
    letters = "dabcefgh"[: len(types)]
    parameters = ", ".join(f".param .u64 {name}_{letter}" for letter in letters)
    lines = [f".visible .entry {name}({parameters}) {{"]
    lines += [".reg .pred %p, %q; .reg .b32 %x, %y, %i; .reg .b64 %v, %w, %at;"]
    lines += ["mov.u32 %i, %tid.x;"]
    for letter, scalar in zip(letters, types, strict=True):
        bits = int(scalar[1:])
        lines.append(f".reg .{_REGISTERS[bits]} %{letter};")
        lines.append(f"ld.param.u64 %at, [{name}_{letter}];")
        lines.append(f"mad.wide.u32 %at, %i, {bits // 8}, %at;")
        if letter != "d":
            lines.append(f"ld.global.b{bits} %{letter}, [%at];")
    lines += [f"ld.param.u64 %at, [{name}_d];", f"mad.wide.u32 %at, %i, {bits_of(case)}, %at;"]
    lines += [case.code, f"st.global.b{int(case.result[1:])} [%at], %d;", "ret; }"]
    return "\n".join(lines)


def bits_of(case: Case) -> int:
    """Bytes of the result."""
    return int(case.result[1:]) // 8


def module(cases: list[Case]) -> str:
    """All cases as kernels case_0, case_1, ..."""
    head = ".version 9.0\n.target sm_75\n.address_size 64\n"
    return head + "\n".join(kernel(f"case_{n}", case) for n, case in enumerate(cases))


_HALF_FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 3.5, 1e-3, 255.5, -128.5, 65504.0, 6e-6]
_FLOATS = [*_HALF_FLOATS, 1e6, -1e6, 3e9, -3e9, 5e9, 1e19, 2e19, -1e19, 1e-38, 1e-40, -1e-40, 3e38]
_SPECIAL = [np.inf, -np.inf, np.nan]


def values(scalar: str, seed: int) -> Array:
    """Numbers of a type: those at the edges, in random order, and random ones."""
    random = np.random.default_rng([seed, int(scalar[1:])])
    target = dtype(scalar)
    if scalar[0] == "f":
        finite = _HALF_FLOATS if target.itemsize == 2 else _FLOATS
        edges = np.array(finite + _SPECIAL)
        others = random.normal(0, 100, THREADS - len(edges))
    else:
        info = np.iinfo(target)
        edges = np.array([0, 1, 2, 3, 7, 31, 32, 33, 255, info.max, info.min, info.max - 1], object)
        edges = edges[edges <= info.max]
        others = random.integers(info.min, info.max, THREADS - len(edges), target, endpoint=True)
        small = random.integers(0, 40, len(others)).astype(target)
        others = np.where(random.random(len(others)) < 0.4, small, others)
    together = np.concatenate([edges.astype(target), np.asarray(others).astype(target)])
    return random.permutation(together)
