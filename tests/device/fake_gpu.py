"""A GPU that is not there: its memory is host memory, its kernel the same source on the host.

Addresses of the fake are addresses of the host, so the job record that a driver launches is read
by the kernel as it is: a wrong field, address or order of copies shows in the picture.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.device import native

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
    twin.render.restype = None
    return twin


class FakeGpu:
    """Memory and launches. `total` bytes; `fault` is raised by the next call of any kind."""

    def __init__(self, twin: ctypes.CDLL, total: int = 1 << 28) -> None:
        self.total = total
        self.fault: Exception | None = None
        self.launches: list[np.void] = []
        self._twin = twin
        self._blocks: dict[int, np.ndarray] = {}

    @property
    def used(self) -> int:
        """Bytes allocated."""
        return sum(block.nbytes for block in self._blocks.values())

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
        return block.ctypes.data

    def release(self, address: int) -> None:
        """Give memory back; it must have been allocated, once."""
        del self._blocks[address]

    def memory(self, address: int, nbytes: int) -> np.ndarray:
        """The bytes there; all must lie in the allocation that starts there."""
        return self._blocks[address][:nbytes] if nbytes else np.zeros(0, np.uint8)

    def launch(self, job: bytes, blocks: int, threads: int) -> None:
        """Run the kernel, checking what a GPU would crash on."""
        self.check()
        assert len(job) == self._twin.job_bytes()
        record = np.frombuffer(job, native.layouts()["RenderJob"])[0]
        count = int(record["item_count"])
        assert threads == 128
        assert (blocks - 1) * threads < count <= blocks * threads
        self._check_pointers(record)
        self.launches.append(record)
        self._twin.render(job)

    def _check_pointers(self, record: np.void) -> None:
        for name in record.dtype.names:
            kind = record.dtype[name]
            if kind == np.uint64:
                assert int(record[name]) in self._blocks, f"{name} is no address of the GPU"
            elif kind.names:
                self._check_pointers(record[name])
