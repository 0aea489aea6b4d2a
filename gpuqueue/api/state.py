"""How the queues and buckets of a server are: asked side by side, with a bound, and kept a while.

The answers are kept so that a page that many people look at asks Amazon no more than one would.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError, TransientError
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues import Queue, QueueCounts, open_queue
from gpuqueue.storage import Storage, open_bucket

log = EventLogger(Category.HTTP)
T = TypeVar("T")

#: How long an answer is kept, and how long one is waited for.
KEPT_S = 3.0
PATIENCE_S = 5.0

#: What a stranger may read of an error; the first that fits.
PROBLEMS: dict[type[Exception], str] = {
    TimeoutError: "no answer in time",
    TransientError: "cannot be reached",
    GpuqueueError: "cannot be used as configured",
    Exception: "cannot be asked",
}


@dataclass(frozen=True)
class QueueState:
    """A queue at one moment: its counts, or the problem that hides them."""

    name: str
    module: str
    counts: QueueCounts | None
    problem: str | None


@dataclass(frozen=True)
class BucketState:
    """A bucket at one moment; no problem means it can be used."""

    name: str
    module: str
    problem: str | None


@dataclass(frozen=True)
class State:
    """All queues and buckets, and when they were asked (seconds since 1970)."""

    queues: tuple[QueueState, ...]
    buckets: tuple[BucketState, ...]
    asked_at: float

    def problems(self, name: str) -> set[str | None]:
        """What is the matter with the queue or bucket called `name`."""
        places: tuple[QueueState | BucketState, ...] = (*self.queues, *self.buckets)
        return {place.problem for place in places if place.name == name}

    @property
    def is_ready(self) -> bool:
        """Whether every queue can be reached: jobs can be taken in."""
        return all(queue.problem is None for queue in self.queues)


class Watch:
    """Asks for the state, at most once every `kept_s` seconds."""

    def __init__(
        self, settings: Settings, *, kept_s: float = KEPT_S, patience_s: float = PATIENCE_S
    ) -> None:
        self._settings = settings
        self._kept_s, self._patience_s = kept_s, patience_s
        self._queues: dict[str, Queue] = {}
        self._buckets: dict[str, Storage] = {}
        #: Threads of its own: calls that hang must not hide how the server is.
        self._threads = ThreadPoolExecutor(8, "watch")
        self._lock = asyncio.Lock()
        #: Questions not answered yet; a later look waits for the same answer, so that a service
        #: that hangs holds one thread and not all of them.
        self._asked: dict[tuple[str, str], asyncio.Future[Any]] = {}
        self._last: tuple[float, State] | None = None

    async def state(self) -> State:
        """The state now, or a moment ago. Never raises for a service that cannot be reached."""
        async with self._lock:
            now = time.monotonic()
            if self._last is None or now - self._last[0] > self._kept_s:
                self._last = now, await self._ask()
            return self._last[1]

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self) -> State:
        queues, buckets = self._settings.queues, self._settings.buckets
        counts = [self._try(self._counts, name) for name in queues]
        checks = [self._try(self._check, name) for name in buckets]
        got_counts, got_checks = await asyncio.gather(
            asyncio.gather(*counts), asyncio.gather(*checks)
        )
        return State(
            tuple(
                QueueState(name, queues[name].module, value, problem)
                for name, (value, problem) in zip(queues, got_counts, strict=True)
            ),
            tuple(
                BucketState(name, buckets[name].module, problem)
                for name, (_, problem) in zip(buckets, got_checks, strict=True)
            ),
            time.time(),
        )

    def _counts(self, name: str) -> QueueCounts:
        if name not in self._queues:
            self._queues[name] = open_queue(self._settings, name)
        return self._queues[name].counts()

    def _check(self, name: str) -> None:
        if name not in self._buckets:
            self._buckets[name] = open_bucket(self._settings, name)
        self._buckets[name].check()

    async def _try(self, ask: Callable[[str], T], name: str) -> tuple[T | None, str | None]:
        """The answer of `ask` about `name`, or the problem; the log has its details."""
        question = (ask.__name__, name)
        if question not in self._asked:
            loop = asyncio.get_running_loop()
            self._asked[question] = loop.run_in_executor(self._threads, ask, name)
        answer: asyncio.Future[T] = self._asked[question]
        done, _ = await asyncio.wait([answer], timeout=self._patience_s)
        try:
            if not done:
                raise TimeoutError
            del self._asked[question]
            return answer.result(), None
        except Exception as error:
            problem = next(text for kind, text in PROBLEMS.items() if isinstance(error, kind))
            self._log_once(name, problem, error)
            return None, problem

    def _log_once(self, name: str, problem: str, cause: Exception) -> None:
        """One line for each change to the worse, not one for each look."""
        if self._last is None or problem not in self._last[1].problems(name):
            is_ours = isinstance(cause, (GpuqueueError, TimeoutError))
            log.event(
                Event.QUEUE_UNREACHABLE,
                f"[{name}] {problem}. {cause}".strip(),
                level=logging.WARNING,
                exc_info=None if is_ours else cause,
            )
