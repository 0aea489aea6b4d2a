"""The CPU: the kernels compiled for the host, on all its cores."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import native
from gpuqueue.device.accelerator_cache import cache_of
from gpuqueue.device.base import Device
from gpuqueue.device.driver import Buffer
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.memory import Memory


def open_cpu(settings: RenderSettings) -> Device:
    """The cpu device with ``settings.threads`` threads; 0 is one for each core that we may use."""
    driver = CpuDriver(settings.threads or usable_cores())
    return KernelDevice(driver, cache_of(settings))


def usable_cores() -> int:
    """Cores that the operating system lets this process use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class CpuDriver:
    """Device memory is host memory: nothing is copied, an array's address is its own."""

    name = "cpu"
    copies = False

    def __init__(self, threads: int, layout: str = "float8") -> None:
        self._render = native.kernels().render
        self._seconds = 0.0
        self.build_threads = self.resident_threads = threads
        self.layout = layout
        plural = "s" if threads > 1 else ""
        self.description = f"the CPU ({platform.machine()}, {threads} thread{plural})"

    def memory(self) -> Memory:
        """The machine's memory; free is what it can give without swapping."""
        page = os.sysconf("SC_PAGE_SIZE")
        total = os.sysconf("SC_PHYS_PAGES") * page
        return Memory(total, _available() or total)

    def upload(self, array: npt.NDArray[Any]) -> Buffer:
        """The array itself, kept alive."""
        return Buffer(array.ctypes.data, array.nbytes, array)

    def zeros(self, nbytes: int) -> Buffer:
        """Zeros that take memory when they are first written."""
        return self.upload(np.zeros(nbytes, np.uint8))

    def download(self, buffer: Buffer, after: Sequence[Any] = ()) -> npt.NDArray[np.uint8]:
        """The memory itself: later launches write to it."""
        del after
        array: npt.NDArray[np.uint8] = buffer.owner
        return array

    def snapshot(
        self, buffer: Buffer, after: Sequence[Any] = ()
    ) -> Callable[[], npt.NDArray[np.uint8]]:
        """A copy, made at once."""
        content = self.download(buffer, after).copy()
        return lambda: content

    def mark(self) -> None:
        """Nothing is ever on its way."""

    def launch(
        self, kernel: str, job: npt.NDArray[Any], items: int, after: Sequence[Any] = ()
    ) -> None:
        """Run the kernel on all threads, without the interpreter's lock."""
        del kernel, items, after  # the job says as much
        start = time.perf_counter()
        self._render(job.tobytes(), self.build_threads)
        self._seconds += time.perf_counter() - start

    def finish(self) -> float:
        """The seconds that launches took since the last call."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def close(self) -> None:
        """Nothing is held."""


def _available() -> int | None:
    """``MemAvailable`` of Linux in bytes."""
    info = Path("/proc/meminfo")
    if not info.exists():
        return None
    for line in info.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
