"""Notices that this EC2 instance will be taken away: watched for, and made a wish to stop.

A notice is best effort and comes about two minutes before the end. Whoever misses it loses no job:
the message comes back after its visibility time.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from gpuqueue.errors import TransientError, shown
from gpuqueue.listener.fate import backoff_bound
from gpuqueue.listener.metadata import TIMEOUT_S, MetadataService
from gpuqueue.listener.shutdown import Shutdown
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

SPOT = "spot/instance-action"
LIFECYCLE = "autoscaling/target-lifecycle-state"
REBALANCE = "events/recommendations/rebalance"

#: Amazon asks for at least every 5 s.
POLL_S = 1.0
#: A service that does not answer is asked ever more seldom.
MAX_POLL_S = 60.0
#: What is left after a notice, at most; of a termination by Auto Scaling no other time is told.
NOTICE_S = 120.0


@dataclass(frozen=True)
class Notice:
    """What will happen to the machine, and in how many seconds; infinite if perhaps never."""

    why: str
    left_s: float


def spot_notice(text: str, now: float) -> Notice:
    """``{"action": "terminate", "time": "2026-01-31T08:22:00Z"}``. Raises ValueError."""
    try:
        told = json.loads(text)
        action, moment = str(told["action"]), str(told["time"])
        left_s = datetime.fromisoformat(moment).timestamp() - now
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError(f"{SPOT}: expected JSON with action and time") from error
    why = f"spot interruption: {shown(action)} at {shown(moment)}"
    return Notice(why, min(max(left_s, 0.0), NOTICE_S))


def lifecycle_notice(text: str) -> Notice | None:
    """``InService``, ``Terminated`` …; an instance of a warm pool puts ``Warmed:`` before."""
    if text.strip().removeprefix("Warmed:") != "Terminated":
        return None
    return Notice("Auto Scaling terminates this instance", NOTICE_S)


class InterruptionWatcher:
    """Looks every second, in a thread of its own, while a ``with`` block runs.

    Of an interruption or a termination: no further message, and the job in hand goes back at once
    unless its own progress says that it ends in time. Of a rebalance recommendation: no further
    message, and the job in hand is finished.
    """

    def __init__(
        self, service: MetadataService, shutdown: Shutdown, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._shutdown = shutdown
        self._clock = clock
        self._seen: set[str] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="interruption", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(2 * TIMEOUT_S)

    def look(self) -> None:
        """Ask once; a notice that is new is passed on. Raises TransientError."""
        spot, lifecycle, rebalance = self._service.ask(SPOT, LIFECYCLE, REBALANCE)
        if spot is not None:
            try:
                self._pass_on(SPOT, spot_notice(spot, self._clock()))
            except ValueError as error:
                raise TransientError(f"{self._service.endpoint}: {error}") from error
        if lifecycle is not None:
            self._pass_on(LIFECYCLE, lifecycle_notice(lifecycle))
        if rebalance is not None:
            why = "rebalance recommendation: this instance is likely to be interrupted"
            self._pass_on(REBALANCE, Notice(why, math.inf))

    def _pass_on(self, source: str, notice: Notice | None) -> None:
        if notice is None or source in self._seen:
            return
        self._seen.add(source)
        when = "" if notice.left_s == math.inf else f"; {notice.left_s:.0f} s left"
        log.event(
            Event.INTERRUPTION_NOTICE,
            f"Notice from the machine: {notice.why}{when}.",
            level=logging.WARNING,
            source=source,
            left_s=None if notice.left_s == math.inf else notice.left_s,
        )
        self._shutdown.drain(notice.why, notice.left_s)

    def _watch(self) -> None:
        failures, delay_s = 0, 0.0
        while not self._closed.wait(delay_s):
            try:
                self.look()
            except TransientError as error:
                failures += 1
                delay_s = backoff_bound(failures, POLL_S, MAX_POLL_S)
                if failures == 1:
                    self._log_unreachable(error)
            else:
                failures, delay_s = 0, POLL_S

    def _log_unreachable(self, error: TransientError) -> None:
        log.event(
            Event.METADATA_UNREACHABLE,
            f"The metadata service of EC2 does not answer ({error}): interruptions are not seen; "
            f"it is asked again, at least every {MAX_POLL_S:.0f} s.",
            level=logging.WARNING,
        )


@contextmanager
def watching_interruptions(is_wanted: bool, shutdown: Shutdown) -> Iterator[None]:
    """Watch while the block runs, if the settings and the environment want it.

    Raises ConfigError if the environment names no address of a metadata service.
    """
    service = MetadataService.from_environment(os.environ) if is_wanted else None
    if service is None:
        if is_wanted:
            log.event(
                Event.CONFIG_NOTE,
                "watch_interruptions is on, but AWS_EC2_METADATA_DISABLED is true: not watched",
                level=logging.WARNING,
            )
        yield
        return
    with InterruptionWatcher(service, shutdown):
        yield
