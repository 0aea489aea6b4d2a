"""Memory of the device that is not there: host memory whose bounds the kernels are held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

#: As `cudaMalloc` gives.
_ALIGNMENT = 256
#: Between two allocations, so that running over the end of one never meets the other.
_GAP = 4096
#: What memory holds before anything is written to it.
_UNWRITTEN = 0xA5


@dataclass(frozen=True)
class Allocation:
    """A range of device memory; it lives as long as someone holds this object."""

    address: int
    content: npt.NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.content.nbytes

    def read(self, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
        """A copy of what lies there now, as elements of `dtype`."""
        return self.content.view(dtype).copy()

    def __bytes__(self) -> bytes:
        """The address, as a kernel takes a pointer."""
        return self.address.to_bytes(8, "little")


class DeviceMemory:
    """Allocations. Kernels that are launched with it may use them and nothing else."""

    def __init__(self) -> None:
        self._allocations: WeakValueDictionary[int, Allocation] = WeakValueDictionary()

    def allocate(self, nbytes: int) -> Allocation:
        """Memory with no particular content."""
        whole = np.full(nbytes + 2 * _GAP, _UNWRITTEN, np.uint8)
        start = -(-(whole.ctypes.data + _GAP // 2) // _ALIGNMENT) * _ALIGNMENT
        first = start - whole.ctypes.data
        allocation = Allocation(start, whole[first : first + nbytes])
        self._allocations[start] = allocation
        return allocation

    def upload(self, array: npt.NDArray[Any]) -> Allocation:
        """A copy of an array."""
        allocation = self.allocate(array.nbytes)
        allocation.content[:] = np.frombuffer(array.tobytes(), np.uint8)
        return allocation

    def zeros(self, nbytes: int) -> Allocation:
        """Memory filled with zeros."""
        allocation = self.allocate(nbytes)
        allocation.content[:] = 0
        return allocation

    def free(self, allocation: Allocation) -> None:
        """Give memory back now; kernels may not use it any more."""
        del self._allocations[allocation.address]

    def ranges(self) -> list[tuple[int, int]]:
        """First and end address of every allocation."""
        return [(a.address, a.address + a.nbytes) for a in self._allocations.values()]
