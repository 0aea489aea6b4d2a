"""The part of CuPy that the driver uses, with CuPy's rules, on a FakeGpu."""

from __future__ import annotations

import ctypes
import weakref
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np

from gpuqueue.device.kernel_image import ENTRIES, entry_of

from .fake_gpu import FakeGpu


class CUDARuntimeError(RuntimeError):
    """CuPy's error; `status` is the number of the runtime's error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def fault() -> Exception:
    return CUDARuntimeError(700, "cudaErrorIllegalAddress: an illegal memory access")


def fake_cupy(gpu: FakeGpu) -> ModuleType:
    class Memory:
        def __init__(self, size: int) -> None:
            gpu.check()
            if not gpu.has_room(size):
                raise CUDARuntimeError(2, "cudaErrorMemoryAllocation: out of memory")
            self.ptr = gpu.allocate(size)
            weakref.finalize(self, gpu.release, self.ptr)

    class MemoryPointer:
        def __init__(self, mem: Memory, offset: int) -> None:
            self.mem, self.ptr = mem, mem.ptr + offset

        def copy_from_host(self, mem: int, size: int) -> None:
            gpu.check()
            assert isinstance(mem, int)
            gpu.memory(self.ptr, size)[:] = _host(mem, size)

        def copy_to_host(self, mem: int, size: int) -> None:
            gpu.check()
            _host(mem, size)[:] = gpu.memory(self.ptr, size)

        def memset(self, value: int, size: int) -> None:
            gpu.check()
            gpu.memory(self.ptr, size)[:] = value

    class Device:
        def __init__(self, index: int) -> None:
            gpu.check()
            self.id, self.compute_capability = index, "86"

        def use(self) -> None:
            pass

        @property
        def mem_info(self) -> tuple[int, int]:
            gpu.check()
            return gpu.total - gpu.used, gpu.total

        def synchronize(self) -> None:
            gpu.check()

    class RawModule:
        def __init__(self, *, path: str) -> None:
            assert Path(path).is_file()

        def get_function(self, name: str):
            assert name in ENTRIES
            return partial(launch, name)

    def launch(entry: str, grid: tuple[int], block: tuple[int], args: tuple) -> None:
        """CuPy passes NumPy arrays of one element by value; longer ones are a TypeError."""
        assert isinstance(args, tuple)
        (job,) = args
        if not isinstance(job, np.ndarray) or job.size != 1:
            raise TypeError(f"Unsupported type {type(job)}")
        assert entry == entry_of(job)
        gpu.launch(job.tobytes(), grid[0], block[0])

    runtime = SimpleNamespace(getDeviceProperties=lambda _: {"name": b"Fake A10G"})
    cuda = SimpleNamespace(
        Device=Device, Memory=Memory, MemoryPointer=MemoryPointer, runtime=runtime
    )
    module = ModuleType("cupy")
    vars(module).update(__version__="14.0.0", cuda=cuda, RawModule=RawModule)
    return module


def _host(address: int, size: int) -> np.ndarray:
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), np.uint8)
