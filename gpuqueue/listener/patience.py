"""A bound in time for work that no lease bounds, with the verbs of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from gpuqueue.errors import TransientError


class Hold(Protocol):
    """What says how long work may go on: a lease, or patience."""

    def check(self) -> None:
        """Return if the work may go on; raise if not."""

    def remaining_s(self) -> float:
        """Seconds until `check` raises by itself."""

    def sleep(self, seconds: float) -> None:
        """Wait as long as the work may go on."""

    def watched_by(self, watcher: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `watcher` once, if the work is to end while the block runs."""


class Patience:
    """So many seconds from now on; nobody ends them earlier."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds

    def check(self) -> None:
        """Raise TransientError when the time is over."""
        if not self.remaining_s():
            raise TransientError(f"not done in {self._seconds:g} s")

    def remaining_s(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the time that is left."""
        time.sleep(min(seconds, self.remaining_s()))
        self.check()

    @contextmanager
    def watched_by(self, watcher: Callable[[], None]) -> Iterator[None]:  # noqa: ARG002 (nothing to see)
        """Nothing ends it from outside."""
        yield
