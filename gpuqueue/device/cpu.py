"""The CPU: the kernels compiled for the host, on all its cores."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import native
from gpuqueue.device.accelerator_cache import cache_of
from gpuqueue.device.base import Device, Memory
from gpuqueue.device.kernel_device import Buffer, KernelDevice


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
        self.build_threads = threads
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

    def download(self, buffer: Buffer) -> npt.NDArray[np.uint8]:
        """The memory itself: later launches write to it."""
        array: npt.NDArray[np.uint8] = buffer.owner
        return array

    def launch(self, job: npt.NDArray[Any]) -> None:
        """Run the kernel on all threads, without the interpreter's lock."""
        self._render(job.tobytes(), self.build_threads)

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
