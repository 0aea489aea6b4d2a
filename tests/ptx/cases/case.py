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

    It may use %p and %q (predicates), %x and %y (32 bits), %v and %w (64 bits); %at holds the
    address of the last input, and `room` is in shared memory.
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


def kernel(name: str, case: Case) -> str:
    """The PTX of an entry point with an address for the result and for each input."""
    operands = dict(zip("abce", case.input_types, strict=False))
    parameters = ", ".join(f".param .u64 {name}_{letter}" for letter in ["d", *operands])
    lines = [f".visible .entry {name}({parameters}) {{"]
    lines += [".reg .pred %p, %q; .reg .b32 %x, %y, %i; .reg .b64 %v, %w, %at;"]
    lines += [f".reg {_register(case.result)} %d; mov.u32 %i, %tid.x;"]
    for letter, scalar in operands.items():
        lines += [f".reg {_register(scalar)} %{letter};", _element(name, letter, scalar)]
        lines += [f"ld.global.{_bits(scalar)} %{letter}, [%at];"]
    lines += [case.code, _element(name, "d", case.result)]
    lines += [f"st.global.{_bits(case.result)} [%at], %d;", "ret; }"]
    return "\n".join(lines)


def _register(scalar: str) -> str:
    """The type of a register for a value; the narrowest has 16 bits."""
    return f".b{max(16, int(scalar[1:]))}"


def _bits(scalar: str) -> str:
    return f"b{scalar[1:]}"


def _element(name: str, letter: str, scalar: str) -> str:
    """Sets %at to the address of this thread's element."""
    size = dtype(scalar).itemsize
    return f"ld.param.u64 %at, [{name}_{letter}]; mad.wide.u32 %at, %i, {size}, %at;"


def module(cases: list[Case]) -> str:
    """All cases as kernels case_0, case_1, ..."""
    head = ".version 9.0\n.target sm_80\n.address_size 64\n.shared .b8 room[64];\n"
    return head + "\n".join(kernel(f"case_{n}", case) for n, case in enumerate(cases))


_HALF_FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 3.5, 1e-3, 255.5, -128.5, 65504.0, 6e-6]
_FLOATS = [*_HALF_FLOATS, 1e6, -1e6, 3e9, -3e9, 5e9, 1e19, 2e19, -1e19, 1e-38, 1e-40, -1e-40, 3e38]
_SPECIAL = [np.inf, -np.inf, np.nan]


def values(scalar: str, seed: int) -> Array:
    """Numbers of a type: those at the edges and random ones, mixed."""
    random = np.random.default_rng([seed, int(scalar[1:])])
    numbers = _floats if scalar[0] == "f" else _integers
    return random.permutation(numbers(dtype(scalar), random))


def _floats(target: np.dtype[Any], random: np.random.Generator) -> Array:
    edges = np.array((_HALF_FLOATS if target.itemsize == 2 else _FLOATS) + _SPECIAL)
    others = random.normal(0, 100, THREADS - len(edges))
    return np.concatenate([edges, others]).astype(target)


def _integers(target: np.dtype[Any], random: np.random.Generator) -> Array:
    """Many are small: they are counts and positions of bits too."""
    info = np.iinfo(target)
    edges = np.array([0, 1, 2, 3, 7, 31, 32, 33, 64, info.max, info.min, info.max - 1], target)
    small = random.integers(0, 70, THREADS // 3).astype(target)
    count = THREADS - len(edges) - len(small)
    any_ = random.integers(info.min, info.max, count, target, endpoint=True)
    return np.concatenate([edges, small, any_])
