"""The embedded queue: one SQLite file, with the semantics of Amazon SQS.

A received message is hidden, not removed: if its listener dies, the visibility time-out brings
it back. Several processes may share the file, on a local disk (SQLite's write-ahead log does not
work on network file systems). A queue object may be used by several threads, not after a fork.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os.path import samestat
from pathlib import Path
from typing import Self

from gpuqueue.config import Settings
from gpuqueue.config.settings import LocalQueueSettings
from gpuqueue.errors import ConfigError, LeaseLost
from gpuqueue.queues.base import Message, QueueCounts, Whereabouts
from gpuqueue.queues.body import check_body, readable
from gpuqueue.queues.local_dead_letters import LocalDeadLetters
from gpuqueue.queues.post_mortem import PostMortem
from gpuqueue.queues.sqlite import connect, explained

#: A wait looks this often for what another process sent.
POLL_S = 0.2
MAX_REASON_BYTES = 4096


class LocalQueue:
    """One embedded queue in the SQLite file `path`, which is made if it does not exist.

    `clock` gives seconds since 1970; wall time, so that a time-out survives a restart.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        visibility_timeout_s: float,
        max_receives: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.path = path
        self._visibility_timeout_s = visibility_timeout_s
        self._max_receives = max_receives
        self._clock = clock
        #: Guards the connection; notified when a message may have become visible.
        self._changed = threading.Condition()
        self._what = f"queue '{name}' ({path})"
        with explained(self._what):
            self._connection = connect(path)
            self._file = path.stat()
        weakref.finalize(self, self._connection.close)

    @classmethod
    def open(cls, settings: Settings, queue: LocalQueueSettings) -> Self:
        """Open the queue that `queue` describes. Raises ConfigError, TransientError."""
        return cls(
            queue.name,
            queue.path,
            visibility_timeout_s=settings.queue_manager.visibility_timeout_s,
            max_receives=queue.max_receives,
        )

    def send(self, body: str, job_id: str) -> str:
        """Store a message, on the disk before this returns; the result is its id."""
        check_body(body)
        row = {"id": str(uuid.uuid4()), "job_id": job_id, "body": body, "now": self._clock()}
        with self._transaction(durable=True) as connection:
            connection.execute(
                "INSERT INTO messages (id, job_id, body, sent_at, visible_at)"
                " VALUES (:id, :job_id, :body, :now, :now)",
                row,
            )
            self._changed.notify_all()
        return str(row["id"])

    def receive(self, wait_s: float) -> Message | None:
        """Take the message that has been visible longest, waiting up to `wait_s` seconds."""
        deadline = time.monotonic() + wait_s
        with self._changed:
            while (message := self._take()) is None:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return None
                self._changed.wait(min(remaining, POLL_S))
        return message

    def _take(self) -> Message | None:
        """One try to receive. An idle queue is only read, so that waiting locks out nobody."""
        now = self._clock()
        with self._using() as connection:
            waiting = connection.execute(
                "SELECT 1 FROM messages WHERE dead_at IS NULL AND visible_at <= ? LIMIT 1", [now]
            ).fetchone()
        if waiting is None:
            return None
        with self._transaction() as connection:
            connection.execute(
                "UPDATE messages SET dead_at = :now, receipt = NULL, reason ="
                " 'received ' || receives || ' times and never finished'"
                " || coalesce('; the last failure: ' || reason, '')"
                " WHERE dead_at IS NULL AND visible_at <= :now AND receives >= :max_receives",
                {"now": now, "max_receives": self._max_receives},
            )
            row = connection.execute(
                "UPDATE messages SET receives = receives + 1, receipt = :receipt,"
                " visible_at = :visible_at WHERE sequence = (SELECT sequence FROM messages"
                " WHERE dead_at IS NULL AND visible_at <= :now"
                " ORDER BY visible_at, sequence LIMIT 1) RETURNING id, body, receipt, receives",
                {
                    "now": now,
                    "receipt": uuid.uuid4().hex,
                    "visible_at": now + self._visibility_timeout_s,
                },
            ).fetchone()
        return None if row is None else Message(*row)

    def extend(self, message: Message, timeout_s: float) -> None:
        """Hide the message until `timeout_s` seconds from now. Raises LeaseLost."""
        self._set_visible_at(message, timeout_s)

    def release(self, message: Message, delay_s: float = 0, reason: str = "") -> None:
        """Give the message back, visible after `delay_s` seconds. Raises LeaseLost."""
        kept = readable(reason, MAX_REASON_BYTES) if reason else None
        self._set_visible_at(message, delay_s, kept)

    def hand_back(self, message: Message, reason: str = "") -> None:
        """Give the message back, visible at once, this receive not counted. Raises LeaseLost."""
        kept = readable(reason, MAX_REASON_BYTES) if reason else None
        self._set_visible_at(message, 0, kept, uncounted=1)

    def max_receives(self) -> int:
        """After how many receives a message becomes a dead letter."""
        return self._max_receives

    def _set_visible_at(
        self, message: Message, delay_s: float, reason: str | None = None, uncounted: int = 0
    ) -> None:
        now = self._clock()
        values = {"now": now, "visible_at": now + delay_s, "reason": reason, "uncounted": uncounted}
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE messages SET visible_at = :visible_at, reason = coalesce(:reason, reason),"
                " receives = receives - :uncounted"
                " WHERE id = :id AND receipt = :receipt AND visible_at > :now",
                {**_lease(message), **values},
            ).rowcount
            self._changed.notify_all()
        if not changed:
            raise _lost(message)

    def delete(self, message: Message) -> None:
        """Remove the message for good. Raises LeaseLost if another receive owns it by now."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM messages WHERE id = :id AND receipt = :receipt", _lease(message)
            )
            left = connection.execute(
                "SELECT 1 FROM messages WHERE id = ?", [message.id]
            ).fetchone()
        if left:
            raise _lost(message)

    def dead_letter(
        self, message: Message, reason: str, post_mortem: PostMortem | None = None
    ) -> None:
        """Keep the message aside with its reason and the time. Raises LeaseLost."""
        values = {
            **_lease(message),
            "now": self._clock(),
            "reason": readable(reason, MAX_REASON_BYTES),
            "details": post_mortem.bounded().model_dump_json() if post_mortem else None,
        }
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE messages SET dead_at = :now, reason = :reason, details = :details,"
                " receipt = NULL"
                " WHERE id = :id AND receipt = :receipt",
                values,
            ).rowcount
        if not changed:
            raise _lost(message)

    def dead_letters(self) -> LocalDeadLetters:
        """Look at the dead letters."""
        return LocalDeadLetters(self._transaction, self._clock)

    def counts(self) -> QueueCounts:
        """Exact counts at this moment."""
        with self._using() as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE dead_at IS NULL AND visible_at <= :now),"
                " count(*) FILTER (WHERE dead_at IS NULL AND visible_at > :now),"
                " count(*) FILTER (WHERE dead_at IS NOT NULL) FROM messages",
                {"now": self._clock()},
            ).fetchone()
        return QueueCounts(*row)

    def find(self, job_id: str) -> Whereabouts | None:
        """Where the message of a job is; None once it has been deleted, or never was."""
        with self._using() as connection:
            row = connection.execute(
                "SELECT receives, dead_at IS NULL AND visible_at > ?,"
                " CASE WHEN dead_at IS NULL THEN NULL ELSE coalesce(reason, 'no reason') END"
                " FROM messages WHERE job_id = ? ORDER BY sequence DESC LIMIT 1",
                [self._clock(), job_id],
            ).fetchone()
        return None if row is None else Whereabouts(row[0], bool(row[1]), row[2])

    def check(self) -> None:
        """Return if the queue can be read and written."""
        with self._transaction() as connection:
            connection.execute("SELECT count(*) FROM messages")

    @contextmanager
    def _transaction(self, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One write, whole or not at all.

        Only a durable one waits for the disk: a power cut may undo the others, which is what a
        listener's crash does, and the message comes back.
        """
        with self._using() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The connection for one thread, with its errors in our terms.

        SQLite would go on with a file that has been removed, where no other process looks.
        """
        with self._changed, explained(self._what):
            if not self.path.exists() or not samestat(self._file, self.path.stat()):
                raise ConfigError(
                    f"{self._what}: the file was removed or replaced while in use; "
                    "start every process that uses it anew"
                )
            yield self._connection


def _lease(message: Message) -> dict[str, object]:
    return {"id": message.id, "receipt": message.receipt}


def _lost(message: Message) -> LeaseLost:
    return LeaseLost(f"message {message.id} is no longer ours: its visibility time ran out")
