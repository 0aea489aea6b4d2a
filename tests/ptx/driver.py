"""A driver that runs the PTX of the `render` kernel. With `KernelDevice` in front of it, jobs are
filled, uploaded and launched as on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device import cuda
from gpuqueue.device.driver import Buffer
from gpuqueue.device.memory import Memory

from . import DeviceMemory, Program


class PtxDriver:
    """A driver's verbs on a loaded module."""

    name = "ptx"
    description = "PTX executed on the CPU"
    layout = "compressed8"
    copies = True
    build_threads = 1
    resident_threads = 256

    def __init__(self, program: Program) -> None:
        self._program = program
        self._memory = DeviceMemory()

    def memory(self) -> Memory:
        """As much as a small GPU has."""
        return Memory(2**32, 2**32)

    def upload(self, array: npt.NDArray[Any]) -> Buffer:
        """A copy whose bounds are kept."""
        allocation = self._memory.upload(array)
        return Buffer(allocation.address, array.nbytes, allocation)

    def zeros(self, nbytes: int) -> Buffer:
        """Zeros whose bounds are kept."""
        allocation = self._memory.zeros(nbytes)
        return Buffer(allocation.address, nbytes, allocation)

    def download(self, buffer: Buffer, after: Sequence[Any] = ()) -> npt.NDArray[np.uint8]:
        """A copy."""
        content: npt.NDArray[np.uint8] = buffer.owner.read()
        return content

    def snapshot(
        self, buffer: Buffer, after: Sequence[Any] = ()
    ) -> Callable[[], npt.NDArray[np.uint8]]:
        """A copy, made at once."""
        content = self.download(buffer, after)
        return lambda: content

    def mark(self) -> None:
        """Nothing is ever on its way."""

    def launch(
        self, kernel: str, job: npt.NDArray[Any], items: int, after: Sequence[Any] = ()
    ) -> None:
        """Run the kernel with the launch's shape of the CUDA devices."""
        shape = (cuda.blocks(items), 1, 1), (cuda.BLOCK_THREADS, 1, 1)
        self._program.launch(kernel, *shape, [job], self._memory)

    def finish(self) -> float:
        """Launches are done; of no interest is how long they took."""
        return 0.0

    def close(self) -> None:
        """Nothing is held but memory."""
