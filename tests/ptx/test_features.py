"""Compiled kernels whose threads work together, or that call and index, give what numpy gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from . import DeviceMemory, Program
from .compilers import nvcc_ptx, nvrtc_ptx

KERNELS = Path(__file__).parent / "kernels"
WARP = 32


@pytest.fixture(scope="module", params=[75, 90, 120])
def program(request: pytest.FixtureRequest, load: Callable[[str, str], Program]) -> Program:
    ptx = nvcc_ptx(KERNELS / "features.cu", request.param, ["-fmad=false"])
    return load(ptx, f"features-{request.param}.ptx")


@pytest.fixture
def memory() -> DeviceMemory:
    return DeviceMemory()


def test_a_sum_over_blocks_by_shuffles_shared_memory_and_atomics(
    program: Program, memory: DeviceMemory
) -> None:
    blocks, shape = 5, (16, 6, 1)
    numbers = np.random.default_rng(1).integers(0, 1000, (blocks, 96), np.uint32)
    sums, total = memory.zeros(4 * blocks), memory.zeros(4)
    launched = np.frombuffer(program.variable("launched"), np.uint32)
    before = int(launched[0])
    program.launch(
        "block_sums", (blocks, 1, 1), shape, [memory.upload(numbers), sums, total], memory
    )
    assert (sums.read(np.uint32) == numbers.sum(1)).all()
    assert total.read(np.uint32)[0] == numbers.sum()
    assert launched[0] == before + blocks


def test_lanes_exchange_and_vote(program: Program, memory: DeviceMemory) -> None:
    threads = 2 * WARP
    x = np.random.default_rng(2).integers(0, 256, threads, np.uint32)
    out = memory.zeros(10 * 4 * threads)
    program.launch("lanes", (1, 1, 1), (threads, 1, 1), [memory.upload(x), out], memory)
    warps: Any = x.reshape(2, WARP)
    lane: Any = np.arange(WARP)

    def mask(holds: Any) -> Any:
        return (holds.astype(np.uint64) << lane.astype(np.uint64)).sum(-1).astype(np.uint32)

    same = np.array([[mask(w % 5 == v) for v in w % 5] for w in warps])
    expected = [
        [w[w % WARP] for w in warps],
        warps[:, np.where(lane >= 3, lane - 3, lane)],
        warps[:, np.where(lane % 8 + 5 < 8, lane + 5, lane)],
        warps[:, lane ^ 9],
        mask(warps & 1 == 1)[:, None],
        ((warps > 100).any(1) + 2 * (warps < 256).all(1))[:, None],
        same,
        np.where(lane % 2, mask((warps & 2 == 2) & (lane % 2 == 1))[:, None], 0),
        (x & 4 == 4).sum(),
        1,
    ]
    found = out.read(np.uint32).reshape(10, 2, WARP)
    for row, should in zip(found, expected, strict=True):
        assert (row == np.broadcast_to(should, (2, WARP))).all()


def test_shared_memory_of_a_size_that_the_launch_gives(
    program: Program, memory: DeviceMemory
) -> None:
    numbers = np.arange(64, dtype=np.float32)
    out = memory.zeros(256)
    arguments = [memory.upload(numbers), out]
    program.launch("dynamic_shared", (1, 1, 1), (64, 1, 1), arguments, memory, shared_bytes=256)
    assert (out.read(np.float32) == numbers[::-1]).all()


def test_atomics_of_every_kind(program: Program, memory: DeviceMemory) -> None:
    i: Any = np.arange(100)
    words = memory.upload(np.array([0, 0, 5000, 0, 0, ~0, 7, 0], np.int64).astype(np.uint32))
    total, wide = memory.zeros(4), memory.zeros(8)
    program.launch("atomics", (1, 1, 1), (100, 1, 1), [words, total, wide], memory)
    expected = [i.sum(), (i * 7 % 64).max(), 901, 2**32 - 1, np.bitwise_xor.reduce(i), 0, 207, 0]
    assert list(words.read(np.uint32)) == expected
    assert total.read(np.float32)[0] == 50
    assert wide.read(np.uint64)[0] == 100 << 33


def test_calls_local_arrays_switches_and_halves(program: Program, memory: DeviceMemory) -> None:
    threads = 64
    x = np.random.default_rng(4).normal(0, 2, threads).astype(np.float32)
    pair = np.zeros(1, np.dtype([("first", "f8"), ("second", "i2", 3)], align=True))
    pair["first"], pair["second"] = 0.5, [1, -2, 3]
    out = memory.zeros(6 * 4 * threads)
    program.launch("calls", (1, 1, 1), (threads, 1, 1), [memory.upload(x), out, pair], memory)
    i: Any = np.arange(threads)
    coefficients = np.tile(np.arange(8) + np.tile([1.5, 2.5, 3.5, 4.5], 2), (threads, 1))
    coefficients[i, i & 7] += x
    wide = x.astype(np.float64)
    choices: list[Any] = [
        np.sin(wide),
        17,
        wide * 2,
        np.exp(wide),
        -4,
        wide - 1,
        6,
        (1 + wide**2) ** -0.5,
        0,
    ]
    half = x.astype(np.float16).astype(np.float64)
    expected = [
        (coefficients * 0.5 ** np.arange(8)).sum(1),
        np.array([0, 1, 1, 2, 3, 5, 8, 13, 21, 34])[i % 10],
        -0.5 - np.array([1, -2, 3])[i % 3],
        np.choose(i % 9, choices),
        (half * half + 0.25).astype(np.float16),
        np.sin(wide) * 1e3,
    ]
    found = out.read(np.float32).reshape(6, threads)
    for row, should in zip(found, expected, strict=True):
        np.testing.assert_allclose(row, should, rtol=1e-6, atol=1e-6)


def test_sixteen_bytes_at_once(program: Program, memory: DeviceMemory) -> None:
    numbers = np.arange(128, dtype=np.uint32).reshape(32, 4)
    out = memory.zeros(numbers.nbytes)
    program.launch("vectors", (1, 1, 1), (32, 1, 1), [memory.upload(numbers), out], memory)
    assert (out.read(np.uint32).reshape(32, 4) == np.roll(numbers, -1, axis=1)).all()


def test_nvrtc_and_nvcc_make_kernels_that_agree(
    load: Callable[[str, str], Program], memory: DeviceMemory
) -> None:
    source = KERNELS / "mistakes.cu"  # right as long as nobody does wrong
    made = [nvcc_ptx(source, 80, ["-w"]), nvrtc_ptx(source, 80, ["-w"])]
    found = []
    for ptx in made:
        out = memory.zeros(400)
        arguments = [out, np.uint32(99)]
        load(ptx, "both.ptx").launch("write_beyond", (1, 1, 1), (128, 1, 1), arguments, memory)
        found.append(list(out.read(np.uint32)))
    assert found[0] == found[1] == list(range(100))
