"""Trying again in place, while the job is held: an upload that fails must not cost the render.

How long? As long as doing the job again would take: then the waiting never costs more than twice
what the best choice would have cost, however long the other side is away (the "ski rental" rule,
Karlin et al., "Competitive Snoopy Caching", 1988).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from gpuqueue.errors import TransientError
from gpuqueue.listener.fate import backoff_bound
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.patience import Hold
from gpuqueue.log import Event

#: Longest wait after the first try; doubled by each further one.
RETRY_BASE_S = 2.0
MAX_RETRY_S = 300.0
#: Even a job of a moment is worth waiting for a restart of the other side.
MIN_PATIENCE_S = 30.0


T = TypeVar("T")


@dataclass(frozen=True)
class _Done(Generic[T]):
    """The outcome of an action that ended well."""

    value: T


class _Woken(Exception):
    """Not an outcome: the hold wants to be looked at."""


def while_held(hold: Hold, action: Callable[[], T]) -> T:
    """Do `action` in a thread of its own, and leave it there when the hold ends.

    A server that takes an upload byte by byte may hold it for ever; nothing stops it from outside.
    What it still does later does no harm: it may run twice anyway.
    """
    outcomes: SimpleQueue[_Done[T] | Exception] = SimpleQueue()

    def work() -> None:
        try:
            outcomes.put(_Done(action()))
        except Exception as error:
            outcomes.put(error)

    with hold.watched_by(lambda: outcomes.put(_Woken())):
        threading.Thread(target=work, name="task", daemon=True).start()
        while True:
            try:
                outcome = outcomes.get(timeout=hold.remaining_s())
            except Empty:
                outcome = _Woken()
            if isinstance(outcome, _Done):
                return outcome.value
            if not isinstance(outcome, _Woken):
                raise outcome
            hold.check()


def retry(what: str, action: Callable[[], T], cost_s: float, hold: Hold, log: JobLog) -> T:
    """Do `action` and return what it does, again after each TransientError, for as long as the job
    has cost so far.

    Raises the last TransientError when the next try would come too late, any other error at
    once, and what `hold` raises.
    """
    end = time.monotonic() + max(cost_s, MIN_PATIENCE_S)
    tries = 0
    while True:
        hold.check()
        try:
            return while_held(hold, action)
        except TransientError as error:
            tries += 1
            delay_s = random.uniform(0, backoff_bound(tries, RETRY_BASE_S, MAX_RETRY_S))  # noqa: S311 (jitter)
            delay_s += error.retry_after_s or 0
            if time.monotonic() + delay_s > end:
                raise
            log.warning(Event.TRY_FAILED, f"{what} failed: {error}; next try in {delay_s:.1f} s.")
            hold.sleep(delay_s)
