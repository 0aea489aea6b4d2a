"""The same expressions by nvcc and the runner, and by g++: integers and basic operations agree bit
for bit, the mathematical functions of both libraries to a few units in the last place."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from . import DeviceMemory, Program
from .compilers import nvcc_ptx

KERNELS = Path(__file__).parent / "kernels"
COUNT = 1024
BLOCK = 128


def listed(kind: str) -> list[tuple[str, float]]:
    """Expressions and errors of a section of expressions.cuh."""
    text = (KERNELS / "expressions.cuh").read_text()
    section = text.partition(f"#ifdef {kind}\n")[2].partition("#endif")[0]
    return [(e, float(error)) for e, error in re.findall(r"RESULT\((.*), (\S+)\)\n", section)]


def inputs() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
    random = np.random.default_rng(3)
    words = random.integers(0, 2**32, COUNT, np.uint32)
    words[:32] = 1 << np.arange(32)
    words[32] = 0
    return words, random.normal(0, 3, COUNT).astype(np.float32)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not on the PATH")
    library = tmp_path_factory.mktemp("host") / "expressions.so"
    options = (
        "-x c++ -std=gnu++17 -O1 -w -march=native -ffp-contract=off -frounding-math -shared -fPIC"
    )
    source = str(KERNELS / "expressions.cu")
    subprocess.run([compiler, *options.split(), source, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="module", params=[75, 120])
def program(request: pytest.FixtureRequest, load: Callable[[str, str], Program]) -> Program:
    ptx = nvcc_ptx(KERNELS / "expressions.cu", request.param, ["-fmad=false", "-w"])
    return load(ptx, f"expressions-{request.param}.ptx")


def results(program: Program, host: ctypes.CDLL, name: str, rows: int, dtype: Any) -> Any:
    """What the runner and the host give, [rows, COUNT] each."""
    words, floats = inputs()
    expected = np.zeros((rows, COUNT), dtype)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (words, floats, expected)]
    getattr(host, name)(*pointers, ctypes.c_uint(COUNT))
    memory = DeviceMemory()
    found = memory.zeros(expected.nbytes)
    arguments = [memory.upload(words), memory.upload(floats), found, np.uint32(COUNT)]
    program.launch(name, (COUNT // BLOCK, 1, 1), (BLOCK, 1, 1), arguments, memory)
    return found.read(dtype).reshape(rows, COUNT), expected


def test_expressions_of_words_are_the_same(program: Program, host: ctypes.CDLL) -> None:
    expressions = listed("WORDS")
    found, expected = results(program, host, "of_words", len(expressions), np.uint32)
    differing = [
        e for (e, _), a, b in zip(expressions, found, expected, strict=True) if any(a != b)
    ]
    assert not differing
    assert len(np.unique(found)) > COUNT  # not all zero, for instance


def test_expressions_of_floats_are_the_same_within_their_error(
    program: Program, host: ctypes.CDLL
) -> None:
    expressions = listed("FLOATS")
    found, expected = results(program, host, "of_floats", len(expressions), np.float32)
    for (expression, allowed), a, b in zip(expressions, found, expected, strict=True):
        error = np.abs(a.astype("f8") - b) / np.maximum(np.abs(b), 1.0)
        is_wrong = np.where(np.isnan(b), ~np.isnan(a), (a != b) & ~(error <= allowed))
        assert not is_wrong.any(), f"{expression}: {a[is_wrong][:3]}, not {b[is_wrong][:3]}"
