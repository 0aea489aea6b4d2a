"""A GPU that is not there: its memory is host memory, its kernel the same source on the host.

Addresses of the fake are addresses of the host, so the job record that a driver launches is read
by the kernel as it is: a wrong field, address or order of copies shows in the picture. What a
stream was given is done late, when somebody waits for it (fake_stream.py).
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.device import native
from gpuqueue.device.kernel_image import ENTRIES

from .fake_stream import Stream

KERNELS = Path(__file__).parents[2] / "kernels"
TWIN = Path(__file__).parent / "gpu_twin.cpp"
#: What fresh memory of a GPU holds is anything but zero.
GARBAGE = 0xA5
ALIGNMENT = 256


def compile_twin(folder: Path) -> ctypes.CDLL:
    """The kernel with the GPU's node layout, compiled as the CPU module is."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler for the kernel's twin")
    library = folder / "gpu_twin.so"
    flags = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC"]
    command = [compiler, *flags, f"-I{KERNELS}", "-x", "c++", str(TWIN), "-o", str(library)]
    subprocess.run(command, check=True, timeout=250)
    twin = ctypes.CDLL(str(library))
    twin.launch.restype = ctypes.c_bool
    return twin


def layout_of(kernel: str) -> str:
    """The record that a kernel takes."""
    if kernel in ENTRIES:
        return "RenderJob"
    is_queued = kernel.startswith("render_persistent") or kernel == "resolve_samples"
    return "QueuedJob" if is_queued else "WavefrontJob"


class Mistake(Exception):
    """What no GPU would tell: the result would be wrong, now and then."""


class FakeGpu:
    """Memory and launches. `total` bytes; `fault` is raised by the next call of any kind."""

    def __init__(self, twin: ctypes.CDLL, total: int = 1 << 28) -> None:
        self.total = total
        self.fault: Exception | None = None
        self.launches: list[tuple[str, np.void]] = []
        self._twin = twin
        self._blocks: dict[int, np.ndarray] = {}
        #: Addresses of memory that nothing was written to yet.
        self._fresh: set[int] = set()
        #: Page-locked memory of the host, and what of it is on its way: address to bytes.
        self._locked: dict[int, int] = {}
        self._moving: list[tuple[int, int]] = []
        self.streams: weakref.WeakSet[Stream] = weakref.WeakSet()
        #: What went wrong where nobody could be told.
        self.mistakes: list[str] = []

    @property
    def used(self) -> int:
        """Bytes allocated."""
        return sum(block.nbytes for block in self._blocks.values())

    @property
    def bytes_on_their_way(self) -> int:
        """Bytes between host and GPU that nobody has waited for yet."""
        return sum(nbytes for _, nbytes in self._moving)

    def check(self) -> None:
        """Raise the fault that a test has planted; it is sticky, as errors of CUDA are."""
        if self.fault is not None:
            raise self.fault

    def has_room(self, nbytes: int) -> bool:
        """Whether so much is free."""
        return nbytes <= self.total - self.used

    def allocate(self, nbytes: int) -> int:
        """Address of new memory, full of garbage, aligned as cudaMalloc aligns it."""
        assert nbytes > 0, "CUDA refuses to allocate nothing"
        whole = np.full(nbytes + ALIGNMENT, GARBAGE, np.uint8)
        block = whole[-whole.ctypes.data % ALIGNMENT :][:nbytes]
        self._blocks[block.ctypes.data] = block
        self._fresh.add(block.ctypes.data)
        return block.ctypes.data

    def release(self, address: int) -> None:
        """Give memory back; it must have been allocated, once. CUDA waits for all streams."""
        if self.fault is None:
            for stream in list(self.streams):
                stream.finish_all()
        del self._blocks[address]
        self._fresh.discard(address)

    def lock(self, memory: np.ndarray) -> None:
        """Let the GPU copy memory of the host by itself."""
        self._locked[memory.ctypes.data] = memory.nbytes

    def unlock(self, address: int) -> None:
        """Page-locked memory goes back to the host, which need not wait for copies."""
        nbytes = self._locked.pop(address)
        if self.fault is None and any(address <= at < address + nbytes for at, _ in self._moving):
            self.mistakes.append("page-locked memory is given back before its copy is done")

    def memory(self, address: int, nbytes: int) -> np.ndarray:
        """The bytes there; all must lie in one allocation."""
        for start, block in self._blocks.items():
            if 0 <= address - start <= block.nbytes - nbytes:
                return block[address - start :][:nbytes]
        raise AssertionError(f"{nbytes} bytes at {address:#x} are no memory of the GPU")

    def copy_in(self, address: int, source: int, nbytes: int, stream: Stream) -> None:
        """Upload; what is copied must not change before."""
        content = self._host(source, nbytes)
        before = content.copy()
        moving = source, nbytes

        def copy() -> None:
            self._moving.remove(moving)
            if (content != before).any():
                raise Mistake("page-locked memory was changed before it was copied to the GPU")
            self._write(address, content)

        self._moving.append(moving)
        self.give(stream, copy)

    def copy_out(self, target: int, address: int, nbytes: int, stream: Stream) -> None:
        """Read back; until then the host's memory holds anything."""
        content = self._host(target, nbytes)
        content[:] = GARBAGE
        source = self.memory(address, nbytes)
        moving = target, nbytes

        def copy() -> None:
            self._moving.remove(moving)
            content[:] = source

        self._moving.append(moving)
        self.give(stream, copy)

    def copy(self, target: int, address: int, nbytes: int, stream: Stream) -> None:
        """Copy within the GPU."""
        source = self.memory(address, nbytes)
        self.give(stream, lambda: self._write(target, source))

    def fill(self, address: int, value: int, nbytes: int, stream: Stream) -> None:
        """Fill with a byte."""
        self.give(stream, lambda: self._write(address, np.full(nbytes, value, np.uint8)))

    def give(self, stream: Stream, operation: Callable[[], None]) -> None:
        """Let the stream do it, some time. What goes wrong then, a later call tells."""
        self.check()

        def run() -> None:
            if self.fault is None:
                try:
                    operation()
                except Exception as error:
                    self.fault = error

        stream.give(run)

    def _write(self, address: int, content: np.ndarray) -> None:
        self.memory(address, content.nbytes)[:] = content
        self._fresh.discard(address)

    def _host(self, address: int, nbytes: int) -> np.ndarray:
        is_locked = any(
            0 <= address - start <= size - nbytes for start, size in self._locked.items()
        )
        assert is_locked, "not page-locked, so that this need not be asynchronous"
        return np.frombuffer((ctypes.c_uint8 * nbytes).from_address(address), np.uint8)

    def launch(
        self, kernel: str, job: np.ndarray, blocks: int, threads: int, stream: Stream
    ) -> None:
        """Check what a GPU would crash on, and run the kernel in its turn."""
        record = job.copy()[0]
        assert job.dtype == native.layouts()[layout_of(kernel)]
        count = int(record["item_count"])
        assert threads == 128
        assert (blocks - 1) * threads < count <= blocks * threads
        self.launches.append((kernel, record))

        def run() -> None:
            self._check_pointers(record["render"] if "render" in job.dtype.names else record)
            assert self._twin.launch(kernel.encode(), record.tobytes()), f"no kernel {kernel}"

        self.give(stream, run)

    def _check_pointers(self, record: np.void) -> None:
        for name in record.dtype.names:
            kind = record.dtype[name]
            if kind == np.uint64:
                address = int(record[name])
                assert address in self._blocks, f"{name} is no address of the GPU"
                if address in self._fresh and self._blocks[address].nbytes > 1:
                    raise Mistake(f"{name} is used before it was uploaded")
            elif kind.names:
                self._check_pointers(record[name])
