"""Whoever waits for a load learns how far it is, and can end it; time and memory are bounded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeAlias

from gpuqueue.errors import SceneError

#: Told what is done and the share of it that is done, 0 to 1; ends the load by raising.
Report: TypeAlias = Callable[[str, float], None]
#: Between two reports.
INTERVAL_S = 0.1


class Watch:
    """Called at least every 4 MiB of text, and between steps. It tells `report`, and raises
    SceneError after `max_seconds` on the wall. Meshes may take `max_memory_bytes` in all."""

    def __init__(
        self,
        report: Report | None = None,
        max_seconds: float = math.inf,
        max_memory_bytes: float = math.inf,
    ) -> None:
        self._report = report
        self._max_seconds = max_seconds
        self._max_memory_bytes = max_memory_bytes
        self._memory_bytes = 0
        self._start = self._reported = time.monotonic()

    def __call__(self, what: str, share: float) -> None:
        """Tell that this share of a step is done."""
        now = time.monotonic()
        if now - self._start > self._max_seconds:
            raise SceneError(
                f"{what}: {share:.0%} done after {self._max_seconds:g} s, the limit for a scene"
            )
        if self._report is not None and now - self._reported >= INTERVAL_S:
            self._reported = now
            self._report(what, share)

    def check_memory(self, nbytes: int, error: Callable[[str], SceneError]) -> None:
        """Raise `error` if so many more bytes are too many; to be asked before they are used."""
        if self._memory_bytes + nbytes > self._max_memory_bytes:
            raise error(
                f"the scene's meshes need more than {self._max_memory_bytes:.0f} bytes of memory,"
                " the limit for a scene"
            )

    def keep_memory(self, nbytes: int, error: Callable[[str], SceneError]) -> None:
        """Count bytes that stay in use. Raises as `check_memory`."""
        self.check_memory(nbytes, error)
        self._memory_bytes += nbytes
