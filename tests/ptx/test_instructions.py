"""Every instruction gives what numpy, or exact arithmetic, says that it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from . import DeviceMemory, Program
from .cases import CASES, THREADS, Case, dtype, module, values


@pytest.fixture(scope="module")
def program(load: Callable[[str, str], Program]) -> Program:
    return load(module(CASES), "instructions.ptx")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.code for case in CASES])
def test_an_instruction_gives_what_it_must(program: Program, number: int) -> None:
    case, memory = CASES[number], DeviceMemory()
    inputs = [values(scalar, seed) for seed, scalar in enumerate(case.input_types)]
    result_type = dtype(case.result)
    result = memory.zeros(THREADS * result_type.itemsize)
    arguments = [result, *(memory.upload(array) for array in inputs)]
    program.launch(f"case_{number}", (1, 1, 1), (THREADS, 1, 1), arguments, memory)
    with np.errstate(all="ignore"):
        expected = list(case.expected(*inputs))
    compare(case, inputs, result.read(result_type), expected)


def compare(case: Case, inputs: list[Any], found: Any, expected: list[Any]) -> None:
    """Each result by itself, so that a failure shows the inputs; None is not compared."""
    compared = 0
    for place, (is_, should) in enumerate(zip(found, expected, strict=True)):
        if should is None:
            continue
        compared += 1
        given = [array[place] for array in inputs]
        assert agree(is_, should, case), f"{case.code} of {given}: {is_!r}, not {should!r}"
    assert compared > THREADS // 4


def agree(found: Any, expected: Any, case: Case) -> bool:
    """Bit for bit, but for the payload of what is not a number, and for approximations."""
    if case.result[0] != "f":
        return bool((int(found) - int(expected)) % 2 ** int(case.result[1:]) == 0)
    with np.errstate(all="ignore"):
        target = found.dtype.type(expected)
    if np.isnan(target) or np.isnan(found):
        return bool(np.isnan(target) and np.isnan(found))
    if case.tolerance and np.isfinite(target):
        return abs(float(found) - float(expected)) <= case.tolerance * max(
            1.0, abs(float(expected))
        )
    return bool(found == target and np.signbit(found) == np.signbit(target))
