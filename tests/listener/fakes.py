"""A queue in memory and a runner that answers as told, for tests of the listener's parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from gpuqueue.binary import Binary
from gpuqueue.errors import LeaseLost
from gpuqueue.job import Job
from gpuqueue.listener.lease import Lease
from gpuqueue.queues import Message, PostMortem, QueueCounts


class FakeQueue:
    """Remembers what was done to it; `fail` makes verbs raise, one error for each call."""

    def __init__(self, name: str = "q") -> None:
        self.name = name
        self.waiting: deque[Message] = deque()
        self.calls: list[tuple[Any, ...]] = []
        self.fail: dict[str, deque[Exception]] = {}
        self.limit: int | None = None
        self.on_receive: Callable[[], None] = lambda: None

    def failing(self, verb: str, *errors: Exception) -> FakeQueue:
        self.fail[verb] = deque(errors)
        return self

    def _called(self, verb: str, *arguments: Any) -> None:
        self.calls.append((verb, *arguments))
        if self.fail.get(verb):
            raise self.fail[verb].popleft()

    def did(self, verb: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == verb]

    def send(self, body: str, job_id: str) -> str:
        self._called("send", body, job_id)
        return "queue-id"

    def receive(self, wait_s: float) -> Message | None:
        self.on_receive()
        self._called("receive", wait_s)
        return self.waiting.popleft() if self.waiting else None

    def extend(self, message: Message, timeout_s: float) -> None:
        self._called("extend", message, timeout_s)

    def release(self, message: Message, delay_s: float = 0, reason: str = "") -> None:
        self._called("release", message, delay_s)

    def hand_back(self, message: Message, reason: str = "") -> None:
        self._called("hand_back", message)

    def max_receives(self) -> int | None:
        return self.limit

    def delete(self, message: Message) -> None:
        self._called("delete", message)

    def dead_letter(
        self, message: Message, reason: str, post_mortem: PostMortem | None = None
    ) -> None:
        self.post_mortem = post_mortem
        self._called("dead_letter", message, reason)

    def counts(self) -> QueueCounts:
        return QueueCounts(len(self.waiting), 0, 0)

    def check(self) -> None:
        self._called("check")


class FakeRunner:
    """Returns or raises what it was told, in order, the last one for ever."""

    device = "cpu: the CPU"

    def __init__(self, *outcomes: Binary | Exception | Callable[[Lease], Binary]) -> None:
        self._outcomes = deque(outcomes)
        self.ran: list[tuple[str, dict[str, Any]]] = []

    def start(self) -> None:
        """Always ready."""

    def run(self, job: Job, lease: Lease, on_progress: Callable[[float, str], None]) -> Binary:
        self.ran.append((job.command, job.parameters))
        outcome = self._outcomes.popleft() if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Binary) else outcome(lease)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def message(body: str = "{}", receives: int = 1, id_: str = "m1") -> Message:
    return Message(id_, body, f"receipt of {id_}", receives)


def lease_of(message: Message, queue: FakeQueue | None = None, **options: Any) -> Lease:
    options = {"visibility_timeout_s": 120, "max_job_time_s": 3600, **options}
    return Lease(queue or FakeQueue(), message, **options)


LOST = LeaseLost("another listener has it")
