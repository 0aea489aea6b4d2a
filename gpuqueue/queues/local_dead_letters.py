"""The dead letters of an embedded queue: rows of its table that have a time of death."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Self

from gpuqueue.queues.dead_letters import DeadLetter
from gpuqueue.queues.post_mortem import PostMortem

#: Rows read at once; the file is locked no longer than that takes.
PAGE = 100

Transaction = Callable[[bool], AbstractContextManager[sqlite3.Connection]]


class LocalDeadLetters:
    """Looks at the dead letters of one file; nothing is hidden from others meanwhile.

    `transaction` opens one write, durable or not; `clock` gives seconds since 1970.
    """

    def __init__(self, transaction: Transaction, clock: Callable[[], float]) -> None:
        self._transaction = transaction
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def __iter__(self) -> Iterator[DeadLetter]:
        last = 0
        while rows := self._page_after(last):
            for sequence, *values, details in rows:
                last = sequence
                yield replace(DeadLetter(*values), post_mortem=PostMortem.parse(details))

    def _page_after(self, sequence: int) -> list[Any]:
        with self._transaction(False) as connection:
            return connection.execute(
                "SELECT sequence, id, job_id, body, reason, receives, sent_at, dead_at, details"
                " FROM messages WHERE dead_at IS NOT NULL AND sequence > ?"
                " ORDER BY sequence LIMIT ?",
                [sequence, PAGE],
            ).fetchall()

    def redrive(self, letter: DeadLetter) -> None:
        """Make the message visible anew, on the disk before this returns."""
        with self._transaction(True) as connection:
            connection.execute(
                "UPDATE messages SET dead_at = NULL, reason = NULL, details = NULL, receives = 0,"
                " visible_at = ?"
                " WHERE id = ? AND dead_at IS NOT NULL",
                [self._clock(), letter.id],
            )

    def discard(self, letter: DeadLetter) -> None:
        """Remove the message for good."""
        with self._transaction(False) as connection:
            connection.execute(
                "DELETE FROM messages WHERE id = ? AND dead_at IS NOT NULL", [letter.id]
            )
