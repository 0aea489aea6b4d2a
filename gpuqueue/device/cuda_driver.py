"""An NVIDIA GPU behind the driver's verbs, whichever library talks to it.

Three streams: launches; uploads, from page-locked memory; reading back, into page-locked memory.
They run beside each other, and events order what depends on each other:

- a launch waits for the uploads that its scene and film are marked with;
- a snapshot copies the film on the launches' stream, which takes a thousandth of a launch, and
  reads that copy on its own, while the next launch goes on with the film.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gpuqueue.device import cuda
from gpuqueue.device.driver import Buffer, Bytes
from gpuqueue.device.memory import Memory
from gpuqueue.errors import DeviceLost

#: An upload goes through two page-locked pieces in turn: one is filled while the other is copied.
PIECE_BYTES = 16 << 20


class Gpu(Protocol):
    """What a library offers, with CUDA's meaning. Nothing waits but `wait` and `memory`.

    `cuda_cupy` and `cuda_pycuda` have one each. Streams do not wait for the default stream.
    """

    name: str
    description: str
    #: Release of NVIDIA's driver.
    driver_version: str
    #: Threads that all its processors hold at once.
    resident_threads: int

    def current(self) -> AbstractContextManager[None]:
        """The GPU is this thread's within the block."""

    def is_out_of_memory(self, error: Exception) -> bool:
        """Whether an error of the library says so."""

    def memory(self) -> Memory:
        """Bytes in all, and bytes free now."""

    def allocate(self, nbytes: int) -> Buffer:
        """Memory of the GPU, of one byte at least."""

    def page_locked(self, nbytes: int) -> Bytes:
        """Memory of the host that the GPU copies by itself."""

    def stream(self) -> Any:
        """A new stream."""

    def event(self) -> Any:
        """A new event that keeps the time; who waits for it sleeps."""

    def record(self, event: Any, stream: Any) -> None:
        """Put the event behind all that the stream was given."""

    def order(self, stream: Any, event: Any) -> None:
        """Let what the stream is given from now on wait for the event."""

    def wait(self, event: Any) -> None:
        """Return when the event has been come to."""

    def seconds(self, start: Any, end: Any) -> float:
        """Time between two events that have been come to."""

    def copy_in(self, target: Buffer, offset: int, source: Bytes, stream: Any) -> None:
        """Copy page-locked memory to the GPU."""

    def copy_out(self, target: Bytes, source: Buffer, stream: Any) -> None:
        """Copy memory of the GPU to page-locked memory."""

    def copy(self, target: Buffer, source: Buffer, stream: Any) -> None:
        """Copy memory of the GPU to other memory of the GPU."""

    def clear(self, target: Buffer, stream: Any) -> None:
        """Fill memory of the GPU with zeros."""

    def launch(self, kernel: str, job: npt.NDArray[Any], blocks: int, stream: Any) -> None:
        """Run a kernel, in blocks of `cuda.BLOCK_THREADS`, on a job: an array of one record."""

    def close(self) -> None:
        """Give the GPU back."""


@dataclass
class Piece:
    """Page-locked memory on its way to the GPU until `copied` has been come to."""

    memory: Bytes
    copied: Any


@dataclass
class ReadBack:
    """A copy of a film on the GPU and its place on the host, used again for films of one size."""

    copy: Buffer
    memory: Bytes
    #: The copy is made, and it is on the host.
    copied: Any
    read: Any
    is_free: bool = False


class CudaDriver:
    """A `Driver` on a GPU."""

    layout = "compressed8"
    copies = True

    def __init__(self, gpu: Gpu, build_threads: int) -> None:
        self.name, self.description = gpu.name, gpu.description
        self.driver_version = gpu.driver_version
        self.resident_threads = gpu.resident_threads
        self.build_threads = build_threads
        self._gpu = gpu
        self._pieces: list[Piece] = []
        self._read_backs: list[ReadBack] = []
        self._is_launching = False
        with self._running():
            self._launches, self._uploads, self._reads = (gpu.stream() for _ in range(3))
            self._first, self._last = gpu.event(), gpu.event()

    @contextmanager
    def _running(self) -> Iterator[None]:
        with cuda.running(self.description, self._gpu.is_out_of_memory), self._gpu.current():
            yield

    def memory(self) -> Memory:
        """The GPU's memory. What is kept for reading films is given back first."""
        with self._running():
            self._drop_read_backs()
            return self._gpu.memory()

    def upload(self, array: npt.NDArray[Any]) -> Buffer:
        """A copy of the array on the GPU, there when a mark set later is."""
        content = array.reshape(-1).view(np.uint8)
        with self._running():
            buffer = self._gpu.allocate(max(array.nbytes, 1))
            for start in range(0, array.nbytes, PIECE_BYTES):
                self._send(buffer, start, content[start : start + PIECE_BYTES])
            return Buffer(buffer.address, array.nbytes, buffer.owner)

    def _send(self, target: Buffer, offset: int, content: Bytes) -> None:
        """Begin to copy what fits into a piece; wait for the piece first, if it is on its way."""
        gpu = self._gpu
        if len(self._pieces) < 2:
            piece = Piece(gpu.page_locked(PIECE_BYTES), gpu.event())
        else:
            piece = self._pieces.pop(0)
            gpu.wait(piece.copied)
        self._pieces.append(piece)
        piece.memory[: len(content)] = content
        gpu.copy_in(target, offset, piece.memory[: len(content)], self._uploads)
        gpu.record(piece.copied, self._uploads)

    def zeros(self, nbytes: int) -> Buffer:
        """Memory of the GPU that is zero when a mark set later is there."""
        with self._running():
            buffer = self._gpu.allocate(nbytes)
            self._gpu.clear(buffer, self._uploads)
            return buffer

    def mark(self) -> Any:
        """Stands for all that was uploaded so far."""
        with self._running():
            event = self._gpu.event()
            self._gpu.record(event, self._uploads)
            return event

    def _order_launches(self, after: Sequence[Any]) -> None:
        for mark in after:
            self._gpu.order(self._launches, mark)

    def launch(
        self, kernel: str, job: npt.NDArray[Any], items: int, after: Sequence[Any] = ()
    ) -> None:
        """Begin to run a kernel, when what was launched before is done and the marks are there."""
        gpu = self._gpu
        with self._running():
            self._order_launches(after)
            if not self._is_launching:
                gpu.record(self._first, self._launches)
                self._is_launching = True
            gpu.launch(kernel, job, cuda.blocks(items), self._launches)

    def finish(self) -> float:
        """Wait for all launches; the seconds that they took since the last call."""
        gpu = self._gpu
        with self._running():
            gpu.record(self._last, self._launches)
            gpu.wait(self._last)
            if not self._is_launching:
                return 0.0
            self._is_launching = False
            return gpu.seconds(self._first, self._last)

    def download(self, buffer: Buffer, after: Sequence[Any] = ()) -> Bytes:
        """A copy on the host."""
        return self.snapshot(buffer, after)()

    def snapshot(self, buffer: Buffer, after: Sequence[Any] = ()) -> Callable[[], Bytes]:
        """Begin to read what the buffer holds after the launches so far.

        The function that is returned waits until it is there; any thread may call it.
        """
        gpu = self._gpu
        with self._running():
            kept = self._read_back(buffer.nbytes)
            self._order_launches(after)
            gpu.copy(kept.copy, buffer, self._launches)
            gpu.record(kept.copied, self._launches)
            gpu.order(self._reads, kept.copied)
            gpu.copy_out(kept.memory, kept.copy, self._reads)
            gpu.record(kept.read, self._reads)
        return _Snapshot(self._running, gpu, kept)

    def _read_back(self, nbytes: int) -> ReadBack:
        """One that nobody uses and is of this size, or a new one."""
        for kept in self._read_backs:
            if kept.is_free and kept.copy.nbytes == nbytes:
                self._gpu.wait(kept.read)
                kept.is_free = False
                return kept
        self._drop_read_backs()
        gpu = self._gpu
        copy, memory = gpu.allocate(nbytes), gpu.page_locked(nbytes)
        kept = ReadBack(copy, memory, gpu.event(), gpu.event())
        self._read_backs.append(kept)
        return kept

    def _drop_read_backs(self) -> None:
        """Give back those that nobody uses. Page-locked memory must not go before its copy."""
        for kept in [kept for kept in self._read_backs if kept.is_free]:
            self._gpu.wait(kept.read)
            self._read_backs.remove(kept)

    def close(self) -> None:
        """Wait for what is on its way, and give everything back."""
        events = [piece.copied for piece in self._pieces] + [kept.read for kept in self._read_backs]
        with suppress(DeviceLost), self._running():
            for event in events:
                self._gpu.wait(event)
        self._pieces.clear()
        self._read_backs.clear()
        self._gpu.close()


class _Snapshot:
    """Waits and copies once; what it held is free afterwards, also where nobody asks."""

    def __init__(
        self, running: Callable[[], AbstractContextManager[None]], gpu: Gpu, kept: ReadBack
    ) -> None:
        self._running, self._gpu = running, gpu
        self._kept: ReadBack | None = kept
        self._content: Bytes
        self._lock = threading.Lock()

    def __call__(self) -> Bytes:
        with self._lock:
            if self._kept is not None:
                with self._running():
                    self._gpu.wait(self._kept.read)
                self._content = self._kept.memory.copy()
                self._let_go()
            return self._content

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.is_free = True
            self._kept = None

    def __del__(self) -> None:
        self._let_go()
