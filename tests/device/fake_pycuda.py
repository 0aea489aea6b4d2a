"""The part of PyCUDA that the driver uses, with PyCUDA's rules, on a FakeGpu."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from gpuqueue.device.kernel_image import ENTRIES, entry_of

from .fake_gpu import FakeGpu


class Error(Exception):
    pass


class MemoryError_(Error):  # noqa: N801 (PyCUDA's MemoryError, which is no Python MemoryError)
    pass


class LaunchError(Error):
    pass


class LogicError(Error):
    pass


def fault() -> Exception:
    return LaunchError("cuCtxSynchronize failed: an illegal memory access was encountered")


def fake_pycuda(gpu: FakeGpu) -> tuple[ModuleType, ModuleType]:
    """The modules ``pycuda`` and ``pycuda.driver``."""
    current: list[object] = []

    def needs_context() -> None:
        if not current:
            raise LogicError("invalid device context")
        gpu.check()

    class Allocation:
        def __init__(self, size: int) -> None:
            self.address = gpu.allocate(size)
            weakref.finalize(self, gpu.release, self.address)

        def __int__(self) -> int:
            return self.address

    class Context:
        def __init__(self) -> None:
            self.is_attached = True

        def push(self) -> None:
            assert self.is_attached
            current.append(self)

        @staticmethod
        def pop() -> None:
            current.pop()

        @staticmethod
        def synchronize() -> None:
            needs_context()

        def detach(self) -> None:
            self.is_attached = False

    class Device:
        def __init__(self, index: int) -> None:
            gpu.check()

        def name(self) -> str:
            return "Fake A10G"

        def compute_capability(self) -> tuple[int, int]:
            return 8, 6

        def retain_primary_context(self) -> Context:
            return Context()

    class Module:
        def get_function(self, name: str):
            assert name in ENTRIES
            return partial(launch, name)

    def module_from_file(filename: str) -> Module:
        needs_context()
        assert Path(filename).is_file()
        return Module()

    def launch(
        entry: str, job: np.void, *, block: tuple[int, int, int], grid: tuple[int, int]
    ) -> None:
        """PyCUDA packs a NumPy scalar's bytes into the argument buffer."""
        needs_context()
        assert isinstance(job, np.void)
        assert entry == entry_of(np.array([job]))
        assert block[1:] == (1, 1)
        assert grid[1] == 1
        gpu.launch(job.tobytes(), grid[0], block[0])

    def mem_alloc(size: int) -> Allocation:
        needs_context()
        if not gpu.has_room(size):
            raise MemoryError_("cuMemAlloc failed: out of memory")
        return Allocation(size)

    def memcpy_htod(dest: Allocation, src: np.ndarray) -> None:
        needs_context()
        gpu.memory(int(dest), src.nbytes)[:] = np.frombuffer(memoryview(src).cast("B"), np.uint8)

    def memcpy_dtoh(dest: np.ndarray, src: Allocation) -> None:
        needs_context()
        dest[:] = gpu.memory(int(src), dest.nbytes)

    def memset_d8(dest: Allocation, data: int, size: int) -> None:
        needs_context()
        gpu.memory(int(dest), size)[:] = data

    def mem_get_info() -> tuple[int, int]:
        needs_context()
        return gpu.total - gpu.used, gpu.total

    package, driver = ModuleType("pycuda"), ModuleType("pycuda.driver")
    vars(package).update(VERSION_TEXT="2026.1", driver=driver)
    vars(driver).update(
        init=gpu.check,
        Device=Device,
        Context=Context,
        MemoryError=MemoryError_,
        module_from_file=module_from_file,
        mem_alloc=mem_alloc,
        memcpy_htod=memcpy_htod,
        memcpy_dtoh=memcpy_dtoh,
        memset_d8=memset_d8,
        mem_get_info=mem_get_info,
    )
    return package, driver
