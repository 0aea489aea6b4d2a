"""A driver that runs the PTX of the `render` kernel. With `KernelDevice` in front of it, jobs are
filled, uploaded and launched as on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device import cuda
from gpuqueue.device.base import Memory
from gpuqueue.device.kernel_device import Buffer
from gpuqueue.device.kernel_image import entry_of

from . import DeviceMemory, Program


class PtxDriver:
    """The five verbs on a loaded module."""

    name = "ptx"
    description = "PTX executed on the CPU"
    layout = "compressed8"
    copies = True
    build_threads = 1

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

    def download(self, buffer: Buffer) -> npt.NDArray[np.uint8]:
        """A copy."""
        content: npt.NDArray[np.uint8] = buffer.owner.read()
        return content

    def launch(self, job: npt.NDArray[Any]) -> None:
        """Run the kernel with the launch's shape of the CUDA devices."""
        grid = (cuda.blocks(int(job["item_count"][0])), 1, 1)
        self._program.launch(entry_of(job), grid, (cuda.BLOCK_THREADS, 1, 1), [job], self._memory)

    def close(self) -> None:
        """Nothing is held but memory."""
