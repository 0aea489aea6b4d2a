"""Two queues as one: what waits in the first is done before what waits in the second.

Both are polled side by side, so that a message of either comes as soon as with one queue. The poll
that did not bring the job in hand ends a little later; if it brings a message then, that goes back
at once, as if it had not been received. The second queue waits for as long as the first has jobs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError
from gpuqueue.listener.fate import backoff_bound
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues import Message, PostMortem, Queue, QueueCounts, open_queue
from gpuqueue.queues.dead_letters import DeadLetters

log = EventLogger(Category.QUEUE)

#: How long a queue that cannot be reached is left alone: doubled each time, between these bounds.
UNREACHABLE_BASE_S = 1.0
MAX_UNREACHABLE_S = 60.0
#: What an open poll may take beyond its time, at the end of a listener.
SPARE_S = 2.0


class _Source:
    """One queue, polled by one thread at a time."""

    def __init__(self, queue: Queue, take: Callable[[_Source, Message], bool]) -> None:
        self.queue = queue
        self._take = take
        self._thread: threading.Thread | None = None
        #: Whether a poll is open.
        self.is_polled = False
        self._failures = 0
        self._not_before = 0.0
        self.error: Exception | None = None

    @property
    def is_left_alone(self) -> bool:
        """Whether it failed a short while ago."""
        return time.monotonic() < self._not_before

    def begin(self, wait_s: float, ended: Callable[[], None]) -> None:
        """Open a poll beside this thread, unless one is open; `ended` is called at its end."""
        if self.is_polled or self.is_left_alone:
            return
        self.is_polled = True
        self._thread = threading.Thread(
            target=self._poll, args=(wait_s, ended), name=f"poll {self.queue.name}", daemon=True
        )
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for an open poll."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def look(self, wait_s: float = 0) -> Message | None:
        """One receive; an error is logged and remembered."""
        try:
            message = self.queue.receive(wait_s)
        except Exception as error:
            self._failed(error)
            return None
        self._failures, self.error = 0, None
        return message

    def _poll(self, wait_s: float, ended: Callable[[], None]) -> None:
        try:
            message = self.look(wait_s)
            if message is not None and not self._take(self, message):
                # Else it comes back by itself when its visibility time is over.
                with suppress(GpuqueueError):
                    self.queue.hand_back(message, "another queue's message came first")
        finally:
            self.is_polled = False
            ended()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self.error = error
        delay_s = backoff_bound(self._failures, UNREACHABLE_BASE_S, MAX_UNREACHABLE_S)
        self._not_before = time.monotonic() + delay_s
        log.event(
            Event.QUEUE_UNREACHABLE,
            f"[{self.queue.name}] Queue cannot be used: {error}; next try in {delay_s:.1f} s.",
            level=logging.WARNING,
            exc_info=None if isinstance(error, GpuqueueError) else error,
            queue=self.queue.name,
        )


class PriorityPair:
    """A Queue made of two; all verbs but `receive` go to the queue of the message in hand."""

    def __init__(self, first: Queue, second: Queue) -> None:
        self._first, self._second = _Source(first, self._take), _Source(second, self._take)
        self._in_hand = second
        #: Of the queue whose message was received last.
        self.name = second.name
        self._changed = threading.Condition()
        self._is_waiting = False
        self._found: Message | None = None

    def receive(self, wait_s: float) -> Message | None:
        """Take one message, waiting up to `wait_s` seconds, from the first queue if it has one.

        One queue that fails is left alone for a while; if both do, its error is raised.
        """
        sources = (self._first, self._second)
        with self._changed:
            self._is_waiting, self._found = True, None
        try:
            if not self._first.is_polled and not self._first.is_left_alone:
                message = self._first.look()
                if message is not None and self._take(self._first, message):
                    return message
            for source in sources:
                source.begin(wait_s, self._notify)
            with self._changed:
                self._changed.wait_for(
                    lambda: self._found or not any(s.is_polled for s in sources), wait_s + SPARE_S
                )
        finally:
            found = self._end_wait()
        errors = [source.error for source in sources]
        if found is None and errors[0] is not None and errors[1] is not None:
            raise errors[1]
        return found

    def _take(self, source: _Source, message: Message) -> bool:
        """Whether this is the message that is waited for."""
        with self._changed:
            if not self._is_waiting or self._found is not None:
                return False
            self._found, self._in_hand = message, source.queue
            self.name = source.queue.name
            self._changed.notify_all()
            return True

    def _end_wait(self) -> Message | None:
        with self._changed:
            self._is_waiting = False
            return self._found

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self, timeout_s: float) -> None:
        """Wait for the open polls, so that what they bring goes back."""
        for source in (self._first, self._second):
            source.join(timeout_s)

    def check(self) -> None:
        """Return if both queues can be used; raise as every verb does if not."""
        self._first.queue.check()
        self._second.queue.check()

    def counts(self) -> QueueCounts:
        """Approximate counts of both queues' messages."""
        one, other = self._first.queue.counts(), self._second.queue.counts()
        return QueueCounts(
            one.visible + other.visible, one.in_flight + other.in_flight, one.dead + other.dead
        )

    def send(self, body: str, job_id: str) -> str:
        """Send to the queue of the message in hand."""
        return self._in_hand.send(body, job_id)

    def extend(self, message: Message, timeout_s: float) -> None:
        """See `Queue.extend`."""
        self._in_hand.extend(message, timeout_s)

    def release(self, message: Message, delay_s: float = 0, reason: str = "") -> None:
        """See `Queue.release`."""
        self._in_hand.release(message, delay_s, reason)

    def hand_back(self, message: Message, reason: str = "") -> None:
        """See `Queue.hand_back`."""
        self._in_hand.hand_back(message, reason)

    def max_receives(self) -> int | None:
        """See `Queue.max_receives`."""
        return self._in_hand.max_receives()

    def delete(self, message: Message) -> None:
        """See `Queue.delete`."""
        self._in_hand.delete(message)

    def dead_letter(
        self, message: Message, reason: str, post_mortem: PostMortem | None = None
    ) -> None:
        """See `Queue.dead_letter`."""
        self._in_hand.dead_letter(message, reason, post_mortem)

    def dead_letters(self) -> DeadLetters:
        """See `Queue.dead_letters`."""
        return self._in_hand.dead_letters()


@contextmanager
def listening_queue(settings: Settings, name: str, poll_s: float) -> Iterator[Queue]:
    """The queue to listen to: `name`, or it and the ``priority_queue`` as one.

    Raises ConfigError.
    """
    first = settings.queue_manager.priority_queue
    second = open_queue(settings, name)
    if first is None:
        yield second
        return
    pair = PriorityPair(open_queue(settings, first), second)
    try:
        yield pair
    finally:
        pair.close(poll_s + SPARE_S)
