"""What became of a job: watched from outside, in its queue and in the buckets of its results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gpuqueue.binary import EXTENSIONS, Binary
from gpuqueue.commands.jobs import as_it_is
from gpuqueue.config import Settings
from gpuqueue.config.settings import LocalBucketSettings
from gpuqueue.errors import ConfigError
from gpuqueue.job import Job
from gpuqueue.queues import Queue, open_queue
from gpuqueue.queues.base import Findable
from gpuqueue.records import JobRecord, State, open_records
from gpuqueue.storage import Storage, open_bucket
from gpuqueue.tasks import TaskContext

#: How often a queue and a bucket are looked at.
LOCAL_POLL_S = 0.1
REMOTE_POLL_S = 2.0
#: Of a result whose extension is none of a known type.
UNKNOWN = "application/octet-stream"


class Fate(StrEnum):
    """Where a job is. Only the last two are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True)
class Outcome:
    """A job's fate at one moment, and why, if it is dead."""

    fate: Fate
    reason: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether it can change no more."""
        return self.fate in (Fate.DONE, Fate.DEAD)


def check_watchable(settings: Settings, queue_name: str, job: Job, *, is_bounded: bool) -> None:
    """Raise ConfigError if nobody could see the end of such a job.

    Where only success can be seen, a wait without a bound would outlast a job that failed.
    """
    if open_records(settings) is not None or isinstance(open_queue(settings, queue_name), Findable):
        return
    if not any(task.name == "s3_upload" for task in job.tasks):
        raise ConfigError(
            f"queue '{queue_name}' does not tell what became of a job, and this one has no "
            "s3_upload task whose object could be waited for"
        )
    if not is_bounded:
        raise ConfigError(
            f"queue '{queue_name}' does not tell of a job that failed: give a --timeout to --wait"
        )


def watch(settings: Settings, queue_name: str, job: Job) -> Iterator[Outcome]:
    """The job's outcome again and again, a pause between, until it is final.

    A job's record tells, if one is kept; an embedded queue knows where its messages are. Else only
    success can be seen from outside: all results are in their buckets.
    """
    queue = open_queue(settings, queue_name)
    while True:
        outcome = _look(settings, queue, job)
        yield outcome
        if outcome.is_final:
            return
        time.sleep(LOCAL_POLL_S if isinstance(queue, Findable) else REMOTE_POLL_S)


def _look(settings: Settings, queue: Queue, job: Job) -> Outcome:
    records = open_records(settings)
    record = None if records is None else records.get(job.id)
    is_told = record is not None and (record.state.is_final or record.parts > 0)
    if record is not None and (is_told or not isinstance(queue, Findable)):
        return _told_by(as_it_is(settings, record))
    if isinstance(queue, Findable):
        return _look_up(queue, job.id)
    return _look_at_results(settings, job)


def _told_by(record: JobRecord) -> Outcome:
    if record.state is State.SUCCEEDED:
        return Outcome(Fate.DONE)
    if record.state.is_final:
        reason = record.attempts[-1].reason if record.attempts else None
        return Outcome(Fate.DEAD, reason or str(record.state))
    return Outcome(Fate.RUNNING if record.state is State.RUNNING else Fate.WAITING)


def _look_up(queue: Findable, job_id: str) -> Outcome:
    found = queue.find(job_id)
    if found is None:
        return Outcome(Fate.DONE)
    if found.dead_because is not None:
        return Outcome(Fate.DEAD, found.dead_because)
    return Outcome(Fate.RUNNING if found.is_in_flight else Fate.WAITING)


def _look_at_results(settings: Settings, job: Job) -> Outcome:
    is_done = len(results(settings, job)) == len(_places(settings, job))
    return Outcome(Fate.DONE if is_done else Fate.WAITING)


def results(settings: Settings, job: Job) -> list[str]:
    """The addresses of the results that are in their buckets by now."""
    found = []
    for bucket, keys in _places(settings, job):
        key = next(filter(bucket.exists, keys), None)
        if key is not None:
            found.append(_address(settings, bucket.name, key))
    return found


def _places(settings: Settings, job: Job) -> list[tuple[Storage, list[str]]]:
    """For each upload of the job its bucket, and the keys it may have: the type is not known."""
    places = []
    for index, task in enumerate(job.tasks):
        if task.name == "s3_upload" and task.config.get("on") != "failure":
            context = TaskContext(settings, job.id, index)
            types = [Binary(b"", mime_type) for mime_type in (*EXTENSIONS, UNKNOWN)]
            keys = [context.substitute(task.config["key"], binary) for binary in types]
            places.append((open_bucket(settings, task.config["bucket"]), list(dict.fromkeys(keys))))
    return places


def _address(settings: Settings, bucket_name: str, key: str) -> str:
    bucket = settings.buckets[bucket_name]
    if isinstance(bucket, LocalBucketSettings):
        return str(Path.cwd() / bucket.path / key)
    return f"s3://{bucket.bucket}/{key}"
