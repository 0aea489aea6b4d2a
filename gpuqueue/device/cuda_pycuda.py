"""An NVIDIA GPU through PyCUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import cuda
from gpuqueue.device.accelerator_cache import cache_of
from gpuqueue.device.base import Device, Memory
from gpuqueue.device.cpu import usable_cores
from gpuqueue.device.kernel_device import Buffer, KernelDevice
from gpuqueue.device.kernel_image import ENTRIES, entry_of, kernel_image


def open_pycuda(settings: RenderSettings) -> Device:
    """The first visible GPU. Raises ConfigError with the reason if there is none."""
    with cuda.opening("PyCUDA", "pip install 'gpuqueue[pycuda]'"):
        driver = PycudaDriver(settings.threads or usable_cores())
        return KernelDevice(driver, cache_of(settings))


class PycudaDriver:
    """Five verbs on ``pycuda.driver``. The GPU's primary context is made current for each verb,
    so any thread may call.
    """

    name = "pycuda"
    layout = "compressed8"
    copies = True

    def __init__(self, build_threads: int) -> None:
        import pycuda
        import pycuda.driver

        self._cuda: Any = pycuda.driver
        self.build_threads = build_threads
        self._cuda.init()
        device = self._cuda.Device(0)
        self.description = f"{device.name()} (PyCUDA {pycuda.VERSION_TEXT})"
        self._context = device.retain_primary_context()
        major, minor = device.compute_capability()
        image = kernel_image(10 * major + minor)
        with self._current():
            self._module = self._cuda.module_from_file(str(image))
            self._kernels = {entry: self._module.get_function(entry) for entry in ENTRIES}

    @contextmanager
    def _current(self) -> Iterator[None]:
        self._context.push()
        try:
            yield
        finally:
            self._cuda.Context.pop()

    @contextmanager
    def _running(self) -> Iterator[None]:
        with cuda.running(self.description, self._is_out_of_memory), self._current():
            yield

    def _is_out_of_memory(self, error: Exception) -> bool:
        return isinstance(error, self._cuda.MemoryError)

    def memory(self) -> Memory:
        """The GPU's memory; free is less a reserve."""
        with self._running():
            free, total = self._cuda.mem_get_info()
            return Memory(total, int(free * (1 - cuda.RESERVED)))

    def upload(self, array: npt.NDArray[Any]) -> Buffer:
        """A copy of the array on the GPU."""
        with self._running():
            allocation = self._cuda.mem_alloc(max(array.nbytes, 1))
            if array.nbytes:
                self._cuda.memcpy_htod(allocation, array.reshape(-1).view(np.uint8))
            return Buffer(int(allocation), array.nbytes, allocation)

    def zeros(self, nbytes: int) -> Buffer:
        """Memory of the GPU filled with zeros."""
        with self._running():
            allocation = self._cuda.mem_alloc(nbytes)
            self._cuda.memset_d8(allocation, 0, nbytes)
            return Buffer(int(allocation), nbytes, allocation)

    def download(self, buffer: Buffer) -> npt.NDArray[np.uint8]:
        """A copy on the host."""
        with self._running():
            result = np.empty(buffer.nbytes, np.uint8)
            self._cuda.memcpy_dtoh(result, buffer.owner)
            return result

    def launch(self, job: npt.NDArray[Any]) -> None:
        """Run the kernel; PyCUDA passes one record by value."""
        grid = cuda.blocks(int(job["item_count"][0]))
        with self._running():
            self._kernels[entry_of(job)](job[0], block=(cuda.BLOCK_THREADS, 1, 1), grid=(grid, 1))
            self._cuda.Context.synchronize()

    def close(self) -> None:
        """Release the primary context; memory goes with its buffers."""
        self._context.detach()
