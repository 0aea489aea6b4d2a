"""What differs between processors that run the kernels: memory, and launching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gpuqueue.device.memory import Memory

AnyArray = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Buffer:
    """Memory of a device, given back when the last reference to its owner goes."""

    address: int
    nbytes: int
    owner: Any


class Driver(Protocol):
    """A processor's memory and its kernels. Raises as `Device` does.

    Uploads and launches may be on their way when a verb returns. A launch, or a reading,
    has what was uploaded before the marks that it is given.
    """

    name: str
    description: str
    #: Node layout that suits the processor: ``float8`` or ``compressed8``.
    layout: str
    #: Threads for building the acceleration structure on the host; 0 is one per core.
    build_threads: int
    #: Threads of a kernel that can be at work at once.
    resident_threads: int
    #: Whether `upload` takes device memory; on the host the arrays stay where they are.
    copies: bool

    def memory(self) -> Memory:
        """Bytes in all, and bytes free now."""

    def upload(self, array: AnyArray) -> Buffer:
        """The bytes of a C-contiguous array, on the device."""

    def zeros(self, nbytes: int) -> Buffer:
        """Device memory filled with zeros."""

    def mark(self) -> Any:
        """Stands for all that was uploaded or filled so far."""

    def launch(self, kernel: str, job: AnyArray, items: int, after: Sequence[Any] = ()) -> None:
        """Run a kernel for so many work items, after all launches before, on a job: one record."""

    def finish(self) -> float:
        """Wait for all launches; the seconds that they took since the last call."""

    def download(self, buffer: Buffer, after: Sequence[Any] = ()) -> Bytes:
        """The bytes of a buffer, on the host, after all launches and the marks."""

    def snapshot(self, buffer: Buffer, after: Sequence[Any] = ()) -> Callable[[], Bytes]:
        """A function that waits for a copy of the bytes as they are now, between two launches."""

    def close(self) -> None:
        """Give the processor back."""
