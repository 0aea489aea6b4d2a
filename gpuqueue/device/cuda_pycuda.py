"""An NVIDIA GPU through PyCUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING


def open_pycuda(settings: RenderSettings) -> Device:
    """The first visible GPU. Raises ConfigError with the reason if there is none."""
    with cuda.opening("PyCUDA", "pip install 'gpuqueue[pycuda]'"):
        driver = CudaDriver(PycudaGpu(), settings.threads or usable_cores())
        return KernelDevice(driver, cache_of(settings), choose_schedule(driver, settings))


class PycudaGpu:
    """A `Gpu` on ``pycuda.driver``, in the GPU's primary context."""

    name = "pycuda"

    def __init__(self) -> None:
        import pycuda
        import pycuda.driver

        self._cuda: Any = pycuda.driver
        self._cuda.init()
        device = self._cuda.Device(0)
        self.description = f"{device.name()} (PyCUDA {pycuda.VERSION_TEXT})"
        self._context = device.retain_primary_context()
        major, minor = device.compute_capability()
        image = kernel_image(10 * major + minor)
        self.driver_version = str(self._cuda.get_driver_version())
        attribute = self._cuda.device_attribute
        threads = device.get_attribute(attribute.MULTIPROCESSOR_COUNT)
        threads *= device.get_attribute(attribute.MAX_THREADS_PER_MULTIPROCESSOR)
        self.resident_threads: int = threads
        with self.current():
            self._module = self._cuda.module_from_file(str(image))
            self._kernel = cache(self._module.get_function)
            entries = (*ENTRIES, *TRACE_ENTRIES)
            stack_bytes = max(self._kernel(entry).local_size_bytes for entry in entries)
        self._stack_bytes: int = stack_bytes * threads

    @contextmanager
    def current(self) -> Iterator[None]:
        """Made so for each verb, so that any thread may call."""
        self._context.push()
        try:
            yield
        finally:
            self._cuda.Context.pop()

    def is_out_of_memory(self, error: Exception) -> bool:
        """By its class, which is none of Python's."""
        return isinstance(error, self._cuda.MemoryError)

    def memory(self) -> Memory:
        """The GPU's memory."""
        free, total = self._cuda.mem_get_info()
        return cuda.memory_of(free, total, self._stack_bytes)

    def allocate(self, nbytes: int) -> Buffer:
        """Memory of the GPU."""
        allocation = self._cuda.mem_alloc(nbytes)
        return Buffer(int(allocation), nbytes, allocation)

    def page_locked(self, nbytes: int) -> Bytes:
        """Page-locked memory, as the array's base holds it."""
        memory: Bytes = self._cuda.pagelocked_empty(nbytes, np.uint8)
        return memory

    def stream(self) -> Any:
        """A new stream."""
        return self._cuda.Stream(_NON_BLOCKING)

    def event(self) -> Any:
        """A new event."""
        return self._cuda.Event(self._cuda.event_flags.BLOCKING_SYNC)

    def record(self, event: Any, stream: Any) -> None:
        """Put the event behind all that the stream was given."""
        event.record(stream)

    def order(self, stream: Any, event: Any) -> None:
        """Let the stream wait."""
        stream.wait_for_event(event)

    def wait(self, event: Any) -> None:
        """Wait here."""
        event.synchronize()

    def seconds(self, start: Any, end: Any) -> float:
        """PyCUDA gives milliseconds."""
        return float(start.time_till(end)) / 1e3

    def copy_in(self, target: Buffer, offset: int, source: Bytes, stream: Any) -> None:
        """Page-locked memory to the GPU."""
        self._cuda.memcpy_htod_async(target.address + offset, source, stream)

    def copy_out(self, target: Bytes, source: Buffer, stream: Any) -> None:
        """The GPU's memory to page-locked memory."""
        self._cuda.memcpy_dtoh_async(target, source.owner, stream)

    def copy(self, target: Buffer, source: Buffer, stream: Any) -> None:
        """The GPU's memory to the GPU's memory."""
        self._cuda.memcpy_dtod_async(target.owner, source.owner, source.nbytes, stream)

    def clear(self, target: Buffer, stream: Any) -> None:
        """Zeros."""
        self._cuda.memset_d8_async(target.owner, 0, target.nbytes, stream)

    def launch(self, kernel: str, job: npt.NDArray[Any], blocks: int, stream: Any) -> None:
        """PyCUDA passes one record by value."""
        shape = {"block": (cuda.BLOCK_THREADS, 1, 1), "grid": (blocks, 1)}
        self._kernel(kernel)(job[0], **shape, stream=stream)

    def close(self) -> None:
        """Release the primary context; memory goes with its buffers."""
        self._context.detach()
