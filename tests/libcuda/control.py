"""What a test asks of the double beyond the driver's calls (driver/control.h)."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from enum import Enum

from .library import SONAME

CUDA_ERROR_ILLEGAL_ADDRESS = 700
_MISTAKES_BYTES = 1 << 16


class Schedule(Enum):
    """When streams do what they were given."""

    LATE = 0  # when somebody waits for it
    EARLY = 1  # at once
    ANY = 2  # at random in between


class Double:
    """The double that this process has loaded."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(SONAME)
        self._library.double_memory_used.restype = ctypes.c_uint64
        self._library.double_launch_count.restype = ctypes.c_uint64

    def take_mistakes(self) -> list[str]:
        """What was refused or left behind since the last time."""
        text = ctypes.create_string_buffer(_MISTAKES_BYTES)
        self._library.double_take_mistakes(text, len(text))
        return text.value.decode(errors="replace").splitlines()

    def set_memory(self, total: int) -> None:
        """Bytes of the device from now on."""
        self._library.double_set_memory(ctypes.c_uint64(total))

    @property
    def memory_used(self) -> int:
        """Bytes allocated on the device, by all contexts."""
        return int(self._library.double_memory_used())

    @property
    def launches(self) -> int:
        """Kernels launched so far."""
        return int(self._library.double_launch_count())

    def break_device(self, code: int = CUDA_ERROR_ILLEGAL_ADDRESS) -> None:
        """The next call that needs the device fails, and so do all later ones of its context."""
        self._library.double_break(code)

    def set_schedule(self, schedule: Schedule, seed: int = 1) -> None:
        """When streams do what they are given from now on."""
        self._library.double_set_schedule(schedule.value, ctypes.c_uint32(seed))

    def reset(self) -> None:
        """As at the start; what contexts hold stays."""
        self.set_memory(4 << 30)
        self.set_schedule(Schedule.LATE)
        self.break_device(0)
        with suppress(IndexError):
            self.take_mistakes()
