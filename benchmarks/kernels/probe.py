"""What the machine can do at best: bytes a second from memory, operations a second."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kernels.compiler import KERNELS, library
from benchmarks.kernels.launcher import Launcher
from benchmarks.options import CheckFailed
from benchmarks.timing import Clock, timed
from gpuqueue.device.kernel_device import Driver
from gpuqueue.device.kernel_image import OPTIONS
from gpuqueue.device.nvrtc import Nvrtc

#: Elements of an array of the triad: several times what caches hold.
HOST_ELEMENTS, GPU_ELEMENTS = 1 << 23, 1 << 26
PROBE = Path(__file__).with_name("probe.cu")
ROUNDS = 7
STEPS, OPERATIONS_A_STEP = 1 << 20, 12 * 8 * 2
TRIAD_JOB = np.dtype(
    {
        "names": ["a", "b", "c", "item_count"],
        "formats": [np.uint64, np.uint64, np.uint64, np.uint32],
        "offsets": [0, 8, 16, 24],
        "itemsize": 32,
    }
)


@dataclass(frozen=True)
class Machine:
    """The best of several rounds."""

    bytes_per_s: float
    operations_per_s: float


def probe_host(threads: int, clock: Clock, elements: int = HOST_ELEMENTS) -> Machine:
    """Threads of the host together; `clock` is that of the rays. Raises CompilerMissing."""
    functions = library("probe.cpp")
    functions.multiply_add.restype = ctypes.c_float
    arrays = [np.ones((3, elements // threads)) for _ in range(threads)]
    work = [
        partial(functions.triad, *map(_pointer, own), ctypes.c_uint64(own.shape[1]))
        for own in arrays
    ]
    steps = partial(functions.multiply_add, ctypes.c_uint64(STEPS))
    with ThreadPoolExecutor(threads) as pool:
        triad_s = best(lambda: list(pool.map(_call, work)), clock)
        steps_s = best(lambda: list(pool.map(_call, [steps] * threads)), clock)
    if not all((own[0] == 4.0).all() for own in arrays):
        raise CheckFailed("the triad of the host has other sums than 1 + 3 * 1")
    moved = 24 * sum(own.shape[1] for own in arrays)
    return Machine(moved / triad_s, threads * STEPS * OPERATIONS_A_STEP / steps_s)


def probe_gpu(
    driver: Driver, launcher: Launcher, clock: Clock, elements: int = GPU_ELEMENTS
) -> Machine:
    """Memory is measured; the peak follows from the GPU's properties."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "probe.image"
        image.write_bytes(probe_image(launcher.properties.architecture))
        function = launcher.load(image, "triad")
    ones = np.ones(elements, np.float32)
    a, b, c = driver.zeros(ones.nbytes), driver.upload(ones), driver.upload(ones)
    driver.download(a, [driver.mark()])  # all is there
    job = np.array([(a.address, b.address, c.address, elements)], TRIAD_JOB)
    triad_s = best(lambda: launcher.launch(function, job), clock)
    if not (driver.download(a).view(np.float32) == 4.0).all():
        raise CheckFailed("the triad of the GPU has other sums than 1 + 3 * 1")
    return Machine(12 * elements / triad_s, launcher.properties.peak_operations)


def probe_image(architecture: int) -> bytes:
    """The GPU's probe, compiled. Raises ConfigError."""
    options = (*OPTIONS, f"-I{KERNELS}")
    return Nvrtc().compile(PROBE, architecture, options).binary


def best(action: Callable[[], object], clock: Clock) -> float:
    """The shortest of the rounds, after one that warms up."""
    action()
    return min(timed(action, clock)[0] for _ in range(ROUNDS))


def _pointer(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _call(function: Callable[[], object]) -> object:
    return function()
