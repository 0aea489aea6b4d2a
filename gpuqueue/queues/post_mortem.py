"""What a listener knows of a job that it gives up: carried by the dead letter beside its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from gpuqueue import strict_json
from gpuqueue.queues.body import readable

MAX_WORD_BYTES = 255
#: Of the attempts as JSON, and of the log lines; the oldest of both are left out first.
MAX_ATTEMPTS_BYTES = 3072
MAX_LOG_BYTES = 2048


class PostMortem(BaseModel):
    """The error and how it came to it. Text in it may come from strangers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: Class of the error.
    error: str | None = None
    #: The place in the scene that it names, ``file:line:column``.
    place: str | None = None
    #: JSON objects: host, device, started_at, ended_at, outcome, reason; the last one is the last.
    attempts: tuple[dict[str, Any], ...] = ()
    #: The last lines that the listener logged.
    log: tuple[str, ...] = ()

    def bounded(self) -> PostMortem:
        """What of it fits into a dead letter, in characters that any queue takes."""
        lines = [readable(line, MAX_LOG_BYTES) for line in self.log]
        attempts = [_plain(attempt) for attempt in self.attempts]
        sizes = [len(json.dumps(attempt)) + 2 for attempt in attempts]
        return PostMortem(
            error=_word(self.error),
            place=_word(self.place),
            attempts=_last(attempts, sizes, MAX_ATTEMPTS_BYTES),
            log=_last(lines, [len(line.encode()) + 1 for line in lines], MAX_LOG_BYTES),
        )

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """What a queue kept as JSON; an empty one for nothing, or for what strangers put there."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    @classmethod
    def told(cls, *, attempts: str | None, **fields: Any) -> Self:
        """What a queue kept piece by piece, the attempts as JSON."""
        try:
            return cls(attempts=strict_json.parse(attempts or "[]"), **fields)
        except (strict_json.NotJson, ValidationError):
            return cls(**fields)


def _plain(attempt: dict[str, Any]) -> dict[str, Any]:
    return {
        name: readable(value, MAX_ATTEMPTS_BYTES // 3) if isinstance(value, str) else value
        for name, value in attempt.items()
    }


def _word(text: str | None) -> str | None:
    return None if text is None else readable(text, MAX_WORD_BYTES)


def _last(items: Sequence[Any], sizes: Sequence[int], max_bytes: int) -> tuple[Any, ...]:
    """The last items whose sizes sum to no more than `max_bytes`."""
    kept = sum(total <= max_bytes for total in accumulate(reversed(sizes)))
    return tuple(items[len(items) - kept :])
