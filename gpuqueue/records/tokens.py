"""Idempotency tokens: a submit that is sent again is the same submit.

A caller whose connection broke cannot know whether its jobs are queued. It sends the same again
with the same token, and gets the same answer. One object a token, created by a conditional write:
of several calls at the same moment one sends. A token is known for `KEPT_S`; what is older is
removed by and by, by those who use tokens.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gpuqueue.binary import Binary
from gpuqueue.errors import InvalidJob, TransientError
from gpuqueue.storage import Storage

PREFIX = "gpuqueue/tokens/"
#: How long the same token is the same submit.
KEPT_S = 24 * 3600.0
#: A submit that has not told its end by then has died; who asks again sends in its place.
SENDING_S = 120.0
#: Others' tokens that each new one looks at.
PROBES = 3


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    payload: str
    at: float
    is_sent: bool
    answer: dict[str, Any]


class Token:
    """One token in a bucket, used with one payload. `clock` gives seconds since 1970."""

    def __init__(self, bucket: Storage, token: str, payload: str) -> None:
        self._bucket = bucket
        self._key = f"{PREFIX}{hashlib.sha256(token.encode()).hexdigest()}.json"
        self._payload = hashlib.sha256(payload.encode()).hexdigest()

    def begin(self, answer: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The answer that holds for this token, `answer` if it is new, and whether to send it.

        Raises InvalidJob for another payload than the first one's, TransientError while a call
        with this token is under way, and what the bucket's verbs do.
        """
        stored = self._bucket.fetch(self._key)
        now, known = time.time(), None if stored is None else _parse(stored.data)
        if known is not None and now - known.at < KEPT_S:
            if known.payload != self._payload:
                raise InvalidJob("idempotency_token: it was used for another submit before")
            if known.is_sent:
                return known.answer, False
            if now - known.at < SENDING_S:
                raise TransientError("a submit with this idempotency_token is under way; ask again")
            answer = known.answer
        tag = None if stored is None else stored.tag
        if self._bucket.swap(self._key, self._entry(answer, is_sent=False), tag) is None:
            raise TransientError("a submit with this idempotency_token is under way; ask again")
        self._remove_old()
        return answer, True

    def sent(self, answer: dict[str, Any]) -> None:
        """All is queued."""
        self._bucket.put(self._key, self._entry(answer, is_sent=True))

    def failed(self) -> None:
        """Nothing is queued: the next call with this token is the first one."""
        self._bucket.delete(self._key)

    def _entry(self, answer: dict[str, Any], *, is_sent: bool) -> Binary:
        entry = _Entry(payload=self._payload, at=time.time(), is_sent=is_sent, answer=answer)
        return Binary(entry.model_dump_json().encode(), "application/json")

    def _remove_old(self) -> None:
        """Look at a few tokens anywhere; each call adds one, so those that are left stay few."""
        for key in self._bucket.keys(PREFIX, PROBES, f"{PREFIX}{os.urandom(4).hex()}"):
            stored = self._bucket.fetch(key)
            known = None if stored is None else _parse(stored.data)
            # Twice: nobody begins with it again at this moment.
            if known is not None and time.time() - known.at > 2 * KEPT_S:
                self._bucket.delete(key)


def _parse(data: bytes) -> _Entry | None:
    try:
        return _Entry.model_validate_json(data)
    except ValidationError:
        return None
