"""Where records are: one JSON object for each job, changed by compare and swap.

A job's id begins with the time it was made (UUID version 7, RFC 9562), and the object's key with
that time counted backwards: the keys of a bucket, in their order, are the newest jobs first, and
the id alone gives the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import ValidationError

from gpuqueue.binary import Binary
from gpuqueue.errors import TransientError
from gpuqueue.job import made_at_ms, whole_of
from gpuqueue.records.record import JobRecord
from gpuqueue.storage import Storage

PREFIX = "gpuqueue/jobs/"
PARTS_PREFIX = "gpuqueue/parts/"
CHECKPOINT_PREFIX = "gpuqueue/checkpoints/"
#: The last millisecond that a UUID of version 7 can name.
LAST_MS = (1 << 48) - 1
#: Others may change a record at the same moment, but not for ever.
MAX_SWAPS = 20
#: Keys that a search asks for at once.
PAGE = 100


class Records:
    """The records in one bucket. Every method raises what the bucket's verbs do."""

    def __init__(self, bucket: Storage) -> None:
        self.bucket = bucket

    def get(self, job_id: str) -> JobRecord | None:
        """The record of a job; None if there is none that can be read."""
        stored = self.bucket.fetch(_key(job_id))
        return None if stored is None else _parse(stored.data)

    def update(
        self, job_id: str, change: Callable[[JobRecord | None], JobRecord | None]
    ) -> JobRecord | None:
        """Replace the record by what `change` makes of it, and return that.

        `change` may be called several times. Nothing is written if it changes nothing.
        """
        for _ in range(MAX_SWAPS):
            stored = self.bucket.fetch(_key(job_id))
            before = None if stored is None else _parse(stored.data)
            after = change(before)
            if after is None or after == before:
                return before
            expected = None if stored is None else stored.tag
            if self.bucket.swap(_key(job_id), _binary(after), expected) is not None:
                return after
        raise TransientError(f"the record of job {job_id} changes faster than it can be written")

    def create(self, record: JobRecord) -> bool:
        """Write the record of a new job; whether it was the first."""
        return self.bucket.swap(_key(record.id), _binary(record), None) is not None

    def remove(self, job_id: str) -> None:
        """Remove the record of a job that never came to be."""
        self.bucket.delete(_key(job_id))

    def newest(self, limit: int) -> Iterator[JobRecord]:
        """Records of the jobs made last, the newest first, of `limit` jobs at most.

        Jobs whose ids tell no time, as of messages inserted by hand, come after all others.
        """
        after = ""
        while limit > 0:
            keys = self.bucket.keys(PREFIX, min(PAGE, limit), after)
            for key in keys:
                stored = self.bucket.fetch(key)
                record = None if stored is None else _parse(stored.data)
                if record is not None:
                    yield record
            if len(keys) < min(PAGE, limit):
                return
            limit -= len(keys)
            after = keys[-1]


def checkpoint_key(job_id: str) -> str:
    """Where the film of a job on its way is kept, in the same bucket."""
    return f"{CHECKPOINT_PREFIX}{job_id}.film"


def parts_prefix(job_id: str) -> str:
    """Where everything is that concerns one part alone, until the job is done."""
    return f"{PARTS_PREFIX}{job_id}/"


def _key(job_id: str) -> str:
    part = whole_of(job_id)
    if part is not None:
        return f"{parts_prefix(part[0])}{part[1]}.json"
    made = made_at_ms(job_id)
    return f"{PREFIX}{LAST_MS - (made or 0):015d}-{job_id}.json"


def _binary(record: JobRecord) -> Binary:
    return Binary(record.model_dump_json().encode(), "application/json")


def _parse(data: bytes) -> JobRecord | None:
    """The record, or None for what is none: a later version's, or somebody's file."""
    try:
        return JobRecord.model_validate_json(data)
    except ValidationError:
        return None
