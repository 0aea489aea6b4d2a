"""The right to work on a received message: renewed by a thread, watched by a local clock.

A message stays hidden for the visibility time after its receive and after each renewal. The
clock here counts from just before each of them, so it runs out before the queue's own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from gpuqueue.errors import GpuqueueError, JobFailed, LeaseLost
from gpuqueue.listener.estimate import Estimate
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues import Message, Queue

log = EventLogger(Category.QUEUE)

#: Work stops this part of the visibility time before its end, at most MAX_MARGIN_S before it.
MARGIN = 0.1
MAX_MARGIN_S = 10.0


class Lease:
    """Holds one message while a ``with`` block works on it.

    Once the lease is revoked, or its time is up without a renewal, `check` raises the reason. A
    watcher is called when it is revoked, to wake whoever waits for something else. `beat` is called
    when it is taken and at each renewal, with the seconds until the next.
    """

    def __init__(
        self,
        queue: Queue,
        message: Message,
        *,
        visibility_timeout_s: float,
        max_job_time_s: float,
        received_at: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        beat: Callable[[float], None] = lambda _next_s: None,
    ) -> None:
        self.message = message
        #: When the work on it will end.
        self.estimate = Estimate(clock)
        self._queue = queue
        self._visibility_timeout_s = visibility_timeout_s
        self._max_job_time_s = max_job_time_s
        self._clock = clock
        self._tell = beat
        self._interval_s = visibility_timeout_s / 3
        start = clock() if received_at is None else received_at
        self._job_end = start + max_job_time_s
        self._margin_s = min(MARGIN * visibility_timeout_s, MAX_MARGIN_S)
        self._expiry = start + visibility_timeout_s - self._margin_s
        self._reason: GpuqueueError | None = None
        self._revoked = threading.Event()
        self._watchers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._tell(self._interval_s)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the heartbeat, so that it cannot hide again a message that is given back."""
        self._closed.set()
        self._thread.join()

    def check(self) -> None:
        """Return if the work may go on; raise LeaseLost, JobFailed or what it was revoked for."""
        now = self._clock()
        if now >= self._job_end:
            self.revoke(JobFailed(f"took longer than max_job_time_s ({self._max_job_time_s:g} s)"))
        elif now >= self._expiry:
            self.revoke(LeaseLost("could not be renewed in time"))
        if self._reason is not None:
            raise self._reason

    def remaining_s(self) -> float:
        """Seconds until `check` raises by itself, unless the lease is renewed."""
        return max(0.0, min(self._expiry, self._job_end) - self._clock())

    def revoke(self, reason: GpuqueueError) -> None:
        """Stop the work: the first reason stands, and the watchers are called once."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            watchers = list(self._watchers)
        self._revoked.set()
        for watcher in watchers:
            watcher()

    def sleep(self, seconds: float) -> None:
        """Wait as long as the work may go on; raise as `check` does as soon as it may not."""
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            self._revoked.wait(min(left, self.remaining_s()))
            self.check()

    @contextmanager
    def watched_by(self, watcher: Callable[[], None]) -> Iterator[None]:
        """Call `watcher` if the lease is, or has been, revoked; maybe once more after the block."""
        with self._lock:
            self._watchers.append(watcher)
        if self._revoked.is_set():
            watcher()
        try:
            yield
        finally:
            with self._lock:
                self._watchers.remove(watcher)

    def renew(self) -> None:
        """One heartbeat. What the queue answers decides: renewed, lost, or not known yet."""
        try:
            self.check()
        except GpuqueueError:
            return
        asked_at = self._clock()
        # A renewal far past the job's end is of no use, and SQS refuses one past 12 hours.
        timeout_s = min(self._visibility_timeout_s, self._job_end - asked_at + self._margin_s)
        try:
            self._queue.extend(self.message, timeout_s)
        except LeaseLost as error:
            self.revoke(error)
        except Exception as error:
            log.event(
                Event.QUEUE_UNREACHABLE,
                f"[{self._queue.name}] Job could not be renewed ({error}); "
                f"{self.remaining_s():.0f} s left.",
                level=logging.WARNING,
                queue=self._queue.name,
            )
        else:
            self._expiry = asked_at + timeout_s - self._margin_s
            self._tell(self._interval_s)

    def _beat(self) -> None:
        while not self._closed.wait(self._interval_s):
            if self._revoked.is_set():
                return
            self.renew()
