"""What a queue module provides: messages that come back unless they are deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from gpuqueue.errors import GpuqueueError
from gpuqueue.queues.dead_letters import DeadLetters
from gpuqueue.queues.payloads import Pointer
from gpuqueue.queues.post_mortem import PostMortem


@dataclass(frozen=True)
class Message:
    """One receive of one message. The receipt names this receive: a later one has another."""

    id: str
    body: str = field(repr=False)
    receipt: str = field(repr=False)
    #: How often the message has been received, this time included.
    receives: int
    #: Of this receive, on the monotonic clock of this process.
    received_at: float = field(default_factory=time.monotonic, compare=False)
    #: Its id before a redrive, where the queue gave it a new one.
    first_id: str | None = None
    #: Where the body is kept, if the message itself holds a pointer to it.
    pointer: Pointer | None = None
    #: Why the body could not be had; whoever handles the message raises it.
    fault: GpuqueueError | None = field(default=None, compare=False)

    @property
    def sent_body(self) -> str:
        """What the message itself holds."""
        return self.body if self.pointer is None else self.pointer.to_body()

    @property
    def original_id(self) -> str:
        """What a job without an id of its own is called; a redrive does not change it."""
        return self.first_id or self.id


@dataclass(frozen=True)
class QueueCounts:
    """Approximate numbers of messages: waiting, being worked on, given up."""

    visible: int
    in_flight: int
    dead: int


@dataclass(frozen=True)
class Whereabouts:
    """Where a message that has not been deleted is."""

    receives: int
    is_in_flight: bool
    #: Why it is among the dead letters; None if it is not.
    dead_because: str | None


class Queue(Protocol):
    """A named queue with visibility time-outs, receive counts and a dead-letter queue.

    Its verbs may be called from several threads. Each raises TransientError when the service
    cannot be reached, and ConfigError when the queue does not exist or may not be used.
    """

    name: str

    def send(self, body: str, job_id: str) -> str:
        """Store a message durably and return the queue's own id of it.

        `job_id` serves as de-duplication id where the queue knows such a thing.
        """

    def receive(self, wait_s: float) -> Message | None:
        """Take one message, waiting up to `wait_s` seconds; it is hidden for the visibility time.

        A message received more often than the redrive limit goes to the dead-letter queue instead.
        """

    def extend(self, message: Message, timeout_s: float) -> None:
        """Hide the message for another `timeout_s` seconds from now. Raises LeaseLost."""

    def release(self, message: Message, delay_s: float = 0, reason: str = "") -> None:
        """Give the message back, visible after `delay_s` seconds. Raises LeaseLost.

        `reason` is why this try failed; a queue that can keep it tells it of a dead letter.
        """

    def hand_back(self, message: Message, reason: str = "") -> None:
        """Give the message back at once, as if it had not been received. Raises LeaseLost.

        Where the queue's own count of receives cannot be turned back, a copy takes its place.
        """

    def max_receives(self) -> int | None:
        """After how many receives a message becomes a dead letter; None: never, or not known."""

    def delete(self, message: Message) -> None:
        """Remove the message for good; deleting it twice is harmless. Raises LeaseLost."""

    def dead_letter(
        self, message: Message, reason: str, post_mortem: PostMortem | None = None
    ) -> None:
        """Move the message to the dead-letter queue, unchanged, with its reason and what else is
        known, as far as there is room for it.

        Raises LeaseLost, and ConfigError, the message still held, if there is no such queue.
        """

    def dead_letters(self) -> DeadLetters:
        """Look at the dead letters, in a ``with`` block. Raises ConfigError if none are kept."""

    def counts(self) -> QueueCounts:
        """Approximate counts of messages."""

    def check(self) -> None:
        """Return if the queue can be reached and used; raise as every verb does if not."""


@runtime_checkable
class Findable(Protocol):
    """What a queue also offers if it can tell where a job is."""

    def find(self, job_id: str) -> Whereabouts | None:
        """Where the message of a job is; None once it has been deleted, or never was."""
