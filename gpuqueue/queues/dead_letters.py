"""Dead letters: what a queue tells of the messages it gave up, and what an operator does with them.

A dead letter goes by its job's id, which it keeps through death and redrive. All here works on any
queue; nothing loses a job when it is interrupted, at worst a job runs twice.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from gpuqueue.errors import UnknownName
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues.payloads import Pointer
from gpuqueue.queues.post_mortem import PostMortem

if TYPE_CHECKING:
    from gpuqueue.queues.base import Queue

log = EventLogger(Category.QUEUE)

#: Ids that an error lists.
MAX_LISTED = 10


@dataclass(frozen=True)
class DeadLetter:
    """A message that was given up. Times are seconds since 1970, None where none is known."""

    id: str
    job_id: str
    body: str = field(repr=False)
    #: Why, as the listener said; None if the queue itself moved the message and keeps no word.
    reason: str | None
    #: How often the message had been received.
    receives: int
    sent_at: float | None
    died_at: float | None
    #: What the listener that gave it up knew besides.
    post_mortem: PostMortem = field(default_factory=PostMortem)
    #: Where the payload is, if the body is a pointer to it.
    pointer: Pointer | None = None

    @property
    def why(self) -> str:
        """The reason, or why there is none."""
        if self.reason is not None:
            return self.reason
        return (
            f"no reason recorded: received {self.receives} times and never finished, so the "
            "queue's redrive policy moved it; the listeners' logs tell of each try"
        )


class DeadLetters(Protocol):
    """The dead letters of one queue, while a ``with`` block of one thread looks at them.

    A queue may hide from others what the block looks at. Errors are those of a queue's verbs.
    """

    def __enter__(self) -> Self:
        """Begin to look."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop looking; what was neither redriven nor discarded stays a dead letter."""

    def __iter__(self) -> Iterator[DeadLetter]:
        """Each dead letter once, in no order that every queue could promise."""

    def redrive(self, letter: DeadLetter) -> None:
        """Send the letter back to its queue, its body unchanged, its receives at zero.

        It is first sent, then removed: interrupted in between, it is in both places.
        """

    def discard(self, letter: DeadLetter) -> None:
        """Remove the letter for good; harmless if it is gone."""


def list_dead(queue: Queue, limit: int) -> list[DeadLetter]:
    """At most `limit` dead letters."""
    with queue.dead_letters() as letters:
        return list(islice(letters, limit))


def find_dead(queue: Queue, job_id: str) -> DeadLetter:
    """The dead letter of a job. Raises UnknownName."""
    with queue.dead_letters() as letters:
        return next(_of_jobs(letters, [job_id]))


def redrive(queue: Queue, job_ids: Collection[str] | None = None) -> Generator[str, None, None]:
    """Send dead letters back to their queue: those of these jobs, or all; each job's id when done.

    A job goes back once, even if it dies again meanwhile. Raises UnknownName at the end if a job
    has no dead letter.
    """
    done: set[str] = set()
    with queue.dead_letters() as letters:
        for letter in _of_jobs(letters, job_ids):
            if letter.job_id in done:
                continue
            letters.redrive(letter)
            done.add(letter.job_id)
            _log(Event.JOB_REDRIVEN, queue, letter, "Job sent back from the dead letters.")
            yield letter.job_id


def purge(queue: Queue) -> Generator[str, None, None]:
    """Remove all dead letters for good; the job's id of each when done."""
    with queue.dead_letters() as letters:
        for letter in letters:
            letters.discard(letter)
            _log(Event.JOB_PURGED, queue, letter, "Job removed from the dead letters.")
            yield letter.job_id


def _of_jobs(letters: DeadLetters, job_ids: Collection[str] | None) -> Iterator[DeadLetter]:
    """The letters of these jobs, or all, looking no further than needed. Raises UnknownName."""
    missing = set(job_ids or ())
    seen: list[str] = []
    for letter in letters:
        if len(seen) <= MAX_LISTED:
            seen.append(letter.job_id)
        if job_ids is None or letter.job_id in missing:
            missing.discard(letter.job_id)
            yield letter
        if job_ids is not None and not missing:
            return
    if missing:
        known = [*seen[:MAX_LISTED], "…"] if len(seen) > MAX_LISTED else seen
        raise UnknownName("dead letter", min(missing), known)


def _log(event: Event, queue: Queue, letter: DeadLetter, text: str) -> None:
    log.event(
        event, f"[{queue.name} {letter.job_id}] {text}", queue=queue.name, job_id=letter.job_id
    )
