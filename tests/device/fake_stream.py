"""Streams and events of a GPU that is always late: it does what it was given when somebody waits.

Who forgets to wait, or to order two streams, sees old contents or garbage each time, which on a GPU
happens once in a while.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

#: One thread at a time looks at the streams or lets them go on.
_lock = threading.RLock()


class Stream:
    """Operations in order. Each stream goes on by itself, unless an event orders it."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._given = self._done = 0

    def finish_all(self) -> None:
        """Do all that was given."""
        self.finish(self._given)

    def give(self, operation: Callable[[], None]) -> int:
        """Add an operation; its number."""
        with _lock:
            self._waiting.append(operation)
            self._given += 1
            return self._given

    def finish(self, number: int) -> None:
        """Do all up to the operation of this number."""
        with _lock:
            while self._done < number:
                self._done += 1
                self._waiting.popleft()()


class Event:
    """A place in the order of a stream, that of its last record."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._number = 0

    def record(self, stream: Stream) -> None:
        """Stand behind all that the stream was given."""
        self._stream, self._number = stream, stream.give(lambda: None)

    def synchronize(self) -> None:
        """Wait here."""
        if self._stream is not None:
            self._stream.finish(self._number)

    def is_done(self) -> bool:
        """Whether it has been come to, or never recorded."""
        return self._stream is None or self._stream._done >= self._number

    def hold(self, stream: Stream) -> None:
        """Let what the stream is given from now on wait for the place where this stands now."""
        source, number = self._stream, self._number
        if source is not None:
            stream.give(lambda: source.finish(number))
