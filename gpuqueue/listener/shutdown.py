"""Stopping a listener: by a signal, from another thread, or since its machine will be gone."""

from __future__ import annotations

import math
import queue
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gpuqueue.errors import Interrupted
from gpuqueue.listener.lease import Lease
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)


class StopNow(BaseException):
    """Raised in the main thread by a second signal while nothing is held."""


class Shutdown:
    """The wish to stop. The job in hand may go on for `grace_s` seconds, then it is handed back."""

    def __init__(self, grace_s: float = 0) -> None:
        self._grace_s = grace_s
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._lease: Lease | None = None
        self._timer: threading.Timer | None = None
        #: When the job in hand goes back, on the monotonic clock.
        self._end = math.inf
        self._asked = False
        self._may_abandon = False

    @property
    def requested(self) -> bool:
        """Whether to stop taking messages."""
        return self._requested.is_set()

    @property
    def asked(self) -> bool:
        """Whether somebody asked to stop; a notice of the machine alone is no such wish."""
        return self._asked

    def request(self, why: str = "asked to stop") -> None:
        """Stop: no further message, and the job in hand goes back after the grace time.

        A second request waits for nothing.
        """
        with self._lock:
            grace_s = 0 if self._asked else self._grace_s
            self._asked = True
            self._requested.set()
            if self._lease is not None:
                self._revoke_after(grace_s, self._lease, why)
        log.event(Event.STOPPING, f"Listener stopping: {why}.")

    def drain(self, why: str, left_s: float) -> None:
        """Stop, since the machine will be gone in `left_s` seconds (infinite: perhaps never).

        The job in hand goes back at once, unless by its own estimate it ends in time.
        """
        with self._lock:
            self._requested.set()
            if self._lease is not None:
                self._revoke_after(self._lease.estimate.grace_s(left_s), self._lease, why)
        log.event(Event.STOPPING, f"Listener stopping: {why}.")

    def _revoke_after(self, delay_s: float, lease: Lease, why: str) -> None:
        """Revoke the lease then, or when an earlier reason says so already."""
        end = time.monotonic() + delay_s
        if end >= self._end:
            return
        self._end = end
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(delay_s, lease.revoke, [Interrupted(why)])
        self._timer.daemon = True
        self._timer.start()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until a request."""
        with self.abandonable():
            self._requested.wait(seconds)

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        """Have a request revoke this lease while the block runs.

        A message from a poll that outlived the request is not begun: its lease is revoked at once.
        """
        with self._lock:
            self._lease = lease
            if self._requested.is_set():
                lease.revoke(Interrupted("the listener is stopping"))
        try:
            yield
        finally:
            with self._lock:
                self._lease = None
                self._end = math.inf
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()

    @contextmanager
    def abandonable(self) -> Iterator[None]:
        """Let a second signal break off the block, by StopNow; nothing may be held in it."""
        self._may_abandon = True
        try:
            yield
        finally:
            self._may_abandon = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as requests while the block runs (in the main thread)."""
        signals: queue.SimpleQueue[int] = queue.SimpleQueue()

        def handle(signum: int, _frame: FrameType | None) -> None:
            # Python runs this between any two lines of the main thread, so it must not take a
            # lock: a thread of its own makes the request.
            signals.put(signum)
            if self._may_abandon and self._requested.is_set():
                raise StopNow

        watcher = threading.Thread(target=self._watch, args=(signals,), name="signals", daemon=True)
        watcher.start()
        before = {s: signal.signal(s, handle) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)
            signals.put(0)
            watcher.join()

    def _watch(self, signals: queue.SimpleQueue[int]) -> None:
        while signum := signals.get():
            self.request(f"received {signal.Signals(signum).name}")
