"""An NVIDIA GPU through CuPy."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import cuda
from gpuqueue.device.accelerator_cache import cache_of
from gpuqueue.device.base import Device
from gpuqueue.device.calibration import choose_schedule
from gpuqueue.device.cpu import usable_cores
from gpuqueue.device.cuda_driver import CudaDriver
from gpuqueue.device.driver import Buffer, Bytes
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.kernel_image import ENTRIES, TRACE_ENTRIES, kernel_image
from gpuqueue.device.memory import Memory

_CUDA_ERROR_MEMORY_ALLOCATION = 2


def open_cupy(settings: RenderSettings) -> Device:
    """The first visible GPU. Raises ConfigError with the reason if there is none."""
    with cuda.opening("CuPy", "pip install 'gpuqueue[cuda13]' or 'gpuqueue[cuda12]'"):
        driver = CudaDriver(CupyGpu(), settings.threads or usable_cores())
        return KernelDevice(driver, cache_of(settings), choose_schedule(driver, settings))


class CupyGpu:
    """A `Gpu` on ``cupy.cuda``. Memory is CUDA's own, not of CuPy's pools, so free means free."""

    name = "cupy"

    def __init__(self) -> None:
        import cupy

        self._cupy: Any = cupy
        self._device = cupy.cuda.Device(0)
        self._device.use()
        properties = cupy.cuda.runtime.getDeviceProperties(self._device.id)
        self.description = f"{properties['name'].decode()} (CuPy {cupy.__version__})"
        image = kernel_image(int(self._device.compute_capability))
        self.driver_version = str(cupy.cuda.runtime.driverGetVersion())
        self._kernel = cache(cupy.RawModule(path=str(image)).get_function)
        attributes = self._device.attributes
        threads = attributes["MultiProcessorCount"] * attributes["MaxThreadsPerMultiProcessor"]
        self.resident_threads: int = threads
        entries = (*ENTRIES, *TRACE_ENTRIES)
        stack_bytes = max(self._kernel(entry).local_size_bytes for entry in entries)
        self._stack_bytes: int = stack_bytes * threads

    def current(self) -> AbstractContextManager[None]:
        """Device 0 is every thread's."""
        return nullcontext()

    def is_out_of_memory(self, error: Exception) -> bool:
        """By the number of the runtime's error."""
        return getattr(error, "status", None) == _CUDA_ERROR_MEMORY_ALLOCATION

    def memory(self) -> Memory:
        """The GPU's memory."""
        # What commands of the user left in CuPy's pools is nobody's now.
        self._cupy.get_default_memory_pool().free_all_blocks()
        self._cupy.get_default_pinned_memory_pool().free_all_blocks()
        free, total = self._device.mem_info
        return cuda.memory_of(free, total, self._stack_bytes)

    def allocate(self, nbytes: int) -> Buffer:
        """Memory of the GPU."""
        pointer = self._cupy.cuda.MemoryPointer(self._cupy.cuda.Memory(nbytes), 0)
        return Buffer(pointer.ptr, nbytes, pointer)

    def page_locked(self, nbytes: int) -> Bytes:
        """Page-locked memory, as the array's base holds it."""
        pointer = self._cupy.cuda.PinnedMemoryPointer(self._cupy.cuda.PinnedMemory(nbytes), 0)
        return np.frombuffer(pointer, np.uint8, nbytes)

    def stream(self) -> Any:
        """A new stream."""
        return self._cupy.cuda.Stream(non_blocking=True)

    def event(self) -> Any:
        """A new event."""
        return self._cupy.cuda.Event(block=True)

    def record(self, event: Any, stream: Any) -> None:
        """Put the event behind all that the stream was given."""
        event.record(stream)

    def order(self, stream: Any, event: Any) -> None:
        """Let the stream wait."""
        stream.wait_event(event)

    def wait(self, event: Any) -> None:
        """Wait here."""
        event.synchronize()

    def seconds(self, start: Any, end: Any) -> float:
        """CuPy gives milliseconds."""
        return float(self._cupy.cuda.get_elapsed_time(start, end)) / 1e3

    def copy_in(self, target: Buffer, offset: int, source: Bytes, stream: Any) -> None:
        """Page-locked memory to the GPU."""
        (target.owner + offset).copy_from_host_async(source.ctypes.data, source.nbytes, stream)

    def copy_out(self, target: Bytes, source: Buffer, stream: Any) -> None:
        """The GPU's memory to page-locked memory."""
        source.owner.copy_to_host_async(target.ctypes.data, source.nbytes, stream)

    def copy(self, target: Buffer, source: Buffer, stream: Any) -> None:
        """The GPU's memory to the GPU's memory."""
        target.owner.copy_from_device_async(source.owner, source.nbytes, stream)

    def clear(self, target: Buffer, stream: Any) -> None:
        """Zeros."""
        target.owner.memset_async(0, target.nbytes, stream)

    def launch(self, kernel: str, job: npt.NDArray[Any], blocks: int, stream: Any) -> None:
        """CuPy passes a host array of one element by value, to its current stream."""
        with stream:
            self._kernel(kernel)((blocks,), (cuda.BLOCK_THREADS,), (job,))

    def close(self) -> None:
        """Memory goes with its buffers; the context is the process's."""
