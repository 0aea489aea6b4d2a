"""The part of CuPy that the adapter uses, with CuPy's rules, on a FakeGpu."""

from __future__ import annotations

import weakref
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from . import fake_stream
from .fake_gpu import GARBAGE, FakeGpu


class CUDARuntimeError(RuntimeError):
    """CuPy's error; `status` is the number of the runtime's error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def fault() -> Exception:
    return CUDARuntimeError(700, "cudaErrorIllegalAddress: an illegal memory access")


class Pool:
    """CuPy's own, with what a command of a user left there."""

    def __init__(self) -> None:
        self.blocks: list[Any] = []

    def free_all_blocks(self) -> None:
        self.blocks.clear()


def fake_cupy(gpu: FakeGpu) -> ModuleType:
    class Memory:
        def __init__(self, size: int) -> None:
            gpu.check()
            if not gpu.has_room(size):
                raise CUDARuntimeError(2, "cudaErrorMemoryAllocation: out of memory")
            self.ptr = gpu.allocate(size)
            weakref.finalize(self, gpu.release, self.ptr)

    class Stream(fake_stream.Stream):
        """CuPy launches kernels on the stream whose block it is in."""

        current: ClassVar[list[Stream]] = []

        def __init__(self, *, non_blocking: bool = False) -> None:
            super().__init__()
            assert non_blocking, "it would wait for the default stream"
            gpu.check()
            gpu.streams.add(self)

        def __enter__(self) -> Stream:
            Stream.current.append(self)
            return self

        def __exit__(self, *_: object) -> None:
            Stream.current.pop()

        def wait_event(self, event: fake_stream.Event) -> None:
            event.hold(self)

    class MemoryPointer:
        def __init__(self, mem: Memory, offset: int) -> None:
            self.mem, self.ptr = mem, mem.ptr + offset

        def __add__(self, offset: int) -> MemoryPointer:
            return MemoryPointer(self.mem, self.ptr - self.mem.ptr + offset)

        def copy_from_host_async(self, mem: int, size: int, stream: Stream) -> None:
            assert isinstance(mem, int)
            gpu.copy_in(self.ptr, mem, size, stream)

        def copy_to_host_async(self, mem: int, size: int, stream: Stream) -> None:
            assert isinstance(mem, int)
            gpu.copy_out(mem, self.ptr, size, stream)

        def copy_from_device_async(self, src: MemoryPointer, size: int, stream: Stream) -> None:
            gpu.copy(self.ptr, src.ptr, size, stream)

        def memset_async(self, value: int, size: int, stream: Stream) -> None:
            gpu.fill(self.ptr, value, size, stream)

    class PinnedMemory:
        def __init__(self, size: int) -> None:
            gpu.check()
            self.content = np.full(size, GARBAGE, np.uint8)
            gpu.lock(self.content)
            weakref.finalize(self.content, gpu.unlock, self.content.ctypes.data)

    def pinned_memory_pointer(mem: PinnedMemory, offset: int) -> memoryview:
        """CuPy's has the buffer's protocol too."""
        return memoryview(mem.content)[offset:]

    class Event(fake_stream.Event):
        def __init__(self, *, block: bool = False) -> None:
            gpu.check()
            assert block, "who waits would keep a core busy"
            super().__init__()

        def record(self, stream: fake_stream.Stream) -> None:
            gpu.check()
            super().record(stream)

        def synchronize(self) -> None:
            gpu.check()
            super().synchronize()
            gpu.check()

    def get_elapsed_time(start: Event, end: Event) -> float:
        gpu.check()
        if not (start.is_done() and end.is_done()):
            raise CUDARuntimeError(600, "cudaErrorNotReady: device not ready")
        return 1.5

    class Device:
        def __init__(self, index: int) -> None:
            gpu.check()
            self.id, self.compute_capability = index, "86"
            self.attributes = {"MultiProcessorCount": 2, "MaxThreadsPerMultiProcessor": 1536}

        def use(self) -> None:
            pass

        @property
        def mem_info(self) -> tuple[int, int]:
            gpu.check()
            return gpu.total - gpu.used, gpu.total

    class RawKernel:
        local_size_bytes = 100

        def __init__(self, entry: str) -> None:
            self._entry = entry

        def __call__(self, grid: tuple[int], block: tuple[int], args: tuple) -> None:
            """CuPy passes NumPy arrays of one element by value; longer ones are a TypeError."""
            assert isinstance(args, tuple)
            (job,) = args
            if not isinstance(job, np.ndarray) or job.size != 1:
                raise TypeError(f"Unsupported type {type(job)}")
            gpu.launch(self._entry, job, grid[0], block[0], Stream.current[-1])

    class RawModule:
        def __init__(self, *, path: str) -> None:
            assert Path(path).is_file()

        def get_function(self, name: str) -> RawKernel:
            return RawKernel(name)

    runtime = SimpleNamespace(
        getDeviceProperties=lambda _: {"name": b"Fake A10G"}, driverGetVersion=lambda: 13000
    )
    cuda = SimpleNamespace(
        Device=Device,
        Event=Event,
        Memory=Memory,
        MemoryPointer=MemoryPointer,
        PinnedMemory=PinnedMemory,
        PinnedMemoryPointer=pinned_memory_pointer,
        Stream=Stream,
        get_elapsed_time=get_elapsed_time,
        runtime=runtime,
    )
    pools = Pool(), Pool()
    module = ModuleType("cupy")
    vars(module).update(
        __version__="14.0.0",
        cuda=cuda,
        RawModule=RawModule,
        get_default_memory_pool=lambda: pools[0],
        get_default_pinned_memory_pool=lambda: pools[1],
    )
    return module
