"""When the job in hand will end, as far as its own reports of progress tell."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

#: A render may slow down: so many times the time that its pace so far would need.
CAUTION = 1.2
#: For the tasks after a command: encode, upload, delete.
TASKS_S = 10.0
#: What handing a job back takes at most, with the end of its render process.
HAND_BACK_S = 15.0


class Estimate:
    """Learns the pace of one command from its reports; read by another thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: Time and fraction of the first and of the last report.
        self._reports: tuple[tuple[float, float], tuple[float, float]] | None = None

    def report(self, fraction: float) -> None:
        """The command is so far, 0 to 1; at 1 only the tasks are left."""
        now = (self._clock(), fraction)
        self._reports = (self._reports[0] if self._reports else now, now)

    def remaining_s(self) -> float | None:
        """Seconds until the command ends; None if its reports do not tell.

        The pace is that between the reports: loading a scene, before the first, says nothing of it.
        """
        if self._reports is None:
            return None
        (start, before), (last, now) = self._reports
        if now >= 1:
            return 0.0
        if now <= before:
            return None
        pace = (last - start) / (now - before)
        return max(0.0, (1 - now) * pace - (self._clock() - last))

    def grace_s(self, left_s: float) -> float:
        """How long the job may go on if its machine is gone in `left_s` seconds.

        Nearly all of them if it will probably end by then, none if not or if nobody knows.
        """
        if left_s == math.inf:
            return math.inf
        usable_s, remaining_s = left_s - HAND_BACK_S, self.remaining_s()
        if remaining_s is None:
            return 0.0
        needed_s = CAUTION * remaining_s + (TASKS_S if remaining_s else 0)
        return max(0.0, usable_s) if needed_s <= usable_s else 0.0
