"""A kernel that is none of the device's, launched on the GPU that the device has opened.

Memory is the driver's; what is added here is the one call by which CuPy or PyCUDA runs an entry
point of another module on a job, one record that is passed by value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gpuqueue.device.cuda import BLOCK_THREADS, blocks
from tests.kernels.ray_scenes import Array

#: FP32 units of a multiprocessor, by compute capability (CUDA C++ Programming Guide, table of
#: arithmetic throughput); each does a multiply and an add in a cycle.
FP32_UNITS = {75: 64, 80: 64, 86: 128, 87: 128, 89: 128, 90: 128, 100: 128, 103: 128, 120: 128}


@dataclass(frozen=True)
class Properties:
    """Of a GPU: compute capability (75 is 7.5), multiprocessors, highest clock."""

    architecture: int
    multiprocessors: int
    clock_hz: float

    @property
    def peak_operations(self) -> float:
        """FP32 operations a second. Raises ValueError for an unknown architecture."""
        if self.architecture not in FP32_UNITS:
            raise ValueError(f"unknown compute capability {self.architecture / 10:.1f}")
        return 2 * FP32_UNITS[self.architecture] * self.multiprocessors * self.clock_hz


class Launcher(Protocol):
    """What both libraries do."""

    properties: Properties

    def load(self, image: Path, entry: str) -> Any:
        """An entry point of a file that the driver can load."""

    def launch(self, function: Any, job: Array) -> None:
        """Run it for `item_count` items; returns when it is done."""

    def close(self) -> None:
        """Give back what the library holds for this launcher."""


class CupyLauncher:
    """Through CuPy, on the device in use."""

    def __init__(self) -> None:
        import cupy

        self._cupy: Any = cupy
        device = cupy.cuda.Device()
        attributes = device.attributes
        self.properties = Properties(
            int(device.compute_capability),
            attributes["MultiProcessorCount"],
            attributes["ClockRate"] * 1e3,
        )

    def load(self, image: Path, entry: str) -> Any:
        """By RawModule, which holds the module as long as the function lives."""
        return self._cupy.RawModule(path=str(image)).get_function(entry)

    def launch(self, function: Any, job: Array) -> None:
        """CuPy passes a host array of one element by value."""
        function((blocks(int(job["item_count"][0])),), (BLOCK_THREADS,), (job,))
        self._cupy.cuda.Device().synchronize()

    def close(self) -> None:
        """The context is the process's."""


class PycudaLauncher:
    """Through PyCUDA, in the GPU's primary context."""

    def __init__(self) -> None:
        import pycuda.driver

        self._cuda: Any = pycuda.driver
        self._cuda.init()
        device = self._cuda.Device(0)
        self._context = device.retain_primary_context()
        attribute = self._cuda.device_attribute
        major, minor = device.compute_capability()
        self.properties = Properties(
            10 * major + minor,
            device.get_attribute(attribute.MULTIPROCESSOR_COUNT),
            device.get_attribute(attribute.CLOCK_RATE) * 1e3,
        )

    @contextmanager
    def _current(self) -> Iterator[None]:
        self._context.push()
        try:
            yield
        finally:
            self._cuda.Context.pop()

    def load(self, image: Path, entry: str) -> Any:
        """The module lives as long as the function."""
        with self._current():
            return self._cuda.module_from_file(str(image)).get_function(entry)

    def launch(self, function: Any, job: Array) -> None:
        """PyCUDA passes one record by value."""
        grid = (blocks(int(job["item_count"][0])), 1)
        with self._current():
            function(job[0], block=(BLOCK_THREADS, 1, 1), grid=grid)
            self._cuda.Context.synchronize()

    def close(self) -> None:
        """Release the primary context."""
        self._context.detach()


LAUNCHERS: dict[str, Callable[[], Launcher]] = {"cupy": CupyLauncher, "pycuda": PycudaLauncher}
