"""An NVIDIA GPU through CuPy."""

from __future__ import annotations

from contextlib import AbstractContextManager
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

_CUDA_ERROR_MEMORY_ALLOCATION = 2


def open_cupy(settings: RenderSettings) -> Device:
    """The first visible GPU. Raises ConfigError with the reason if there is none."""
    with cuda.opening("CuPy", "pip install 'gpuqueue[cuda13]' or 'gpuqueue[cuda12]'"):
        driver = CupyDriver(settings.threads or usable_cores())
        return KernelDevice(driver, cache_of(settings))


class CupyDriver:
    """Five verbs on ``cupy.cuda``; memory is CUDA's own, not CuPy's pool, so free means free."""

    name = "cupy"
    layout = "compressed8"
    copies = True

    def __init__(self, build_threads: int) -> None:
        import cupy

        self._cupy: Any = cupy
        self.build_threads = build_threads
        self._device = cupy.cuda.Device(0)
        self._device.use()
        properties = cupy.cuda.runtime.getDeviceProperties(self._device.id)
        self.description = f"{properties['name'].decode()} (CuPy {cupy.__version__})"
        image = kernel_image(int(self._device.compute_capability))
        module = cupy.RawModule(path=str(image))
        self._kernels = {entry: module.get_function(entry) for entry in ENTRIES}

    def _running(self) -> AbstractContextManager[None]:
        return cuda.running(self.description, self._is_out_of_memory)

    def _is_out_of_memory(self, error: Exception) -> bool:
        return getattr(error, "status", None) == _CUDA_ERROR_MEMORY_ALLOCATION

    def memory(self) -> Memory:
        """The GPU's memory; free is less a reserve."""
        with self._running():
            free, total = self._device.mem_info
            return Memory(total, int(free * (1 - cuda.RESERVED)))

    def _allocate(self, nbytes: int) -> Any:
        return self._cupy.cuda.MemoryPointer(self._cupy.cuda.Memory(max(nbytes, 1)), 0)

    def upload(self, array: npt.NDArray[Any]) -> Buffer:
        """A copy of the array on the GPU."""
        with self._running():
            pointer = self._allocate(array.nbytes)
            pointer.copy_from_host(array.ctypes.data, array.nbytes)
            return Buffer(pointer.ptr, array.nbytes, pointer)

    def zeros(self, nbytes: int) -> Buffer:
        """Memory of the GPU filled with zeros."""
        with self._running():
            pointer = self._allocate(nbytes)
            pointer.memset(0, nbytes)
            return Buffer(pointer.ptr, nbytes, pointer)

    def download(self, buffer: Buffer) -> npt.NDArray[np.uint8]:
        """A copy on the host."""
        with self._running():
            result = np.empty(buffer.nbytes, np.uint8)
            buffer.owner.copy_to_host(result.ctypes.data, buffer.nbytes)
            return result

    def launch(self, job: npt.NDArray[Any]) -> None:
        """Run the kernel; CuPy passes a host array of one element by value."""
        grid = cuda.blocks(int(job["item_count"][0]))
        with self._running():
            self._kernels[entry_of(job)]((grid,), (cuda.BLOCK_THREADS,), (job,))
            self._device.synchronize()

    def close(self) -> None:
        """Memory goes with its buffers; the context is the process's."""
