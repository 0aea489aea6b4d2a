"""Putting checked jobs into a queue: first their records, then their messages."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from gpuqueue.commands.jobs import cancel_job
from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError
from gpuqueue.job import Job
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues import Queue, open_queue
from gpuqueue.records import JobRecord, open_records

log = EventLogger(Category.QUEUE)

#: Jobs that are sent side by side: most of the time goes by waiting.
SENDERS = 8
#: Making a client of a queue costs far more than sending with it.
_open_queue = lru_cache(maxsize=8)(open_queue)


@dataclass(frozen=True)
class Outgoing:
    """One job on its way, the number of its parts, and where it belongs."""

    job: Job
    parts: int = 1
    group: str | None = None
    frame: int | None = None

    def bodies(self) -> dict[str, str]:
        """The messages by their ids. Raises InvalidJob for what cannot be sent."""
        jobs = self.job.split(self.parts) if self.parts > 1 else [self.job]
        return {job.id: job.to_body() for job in jobs}

    def record(self, queue: str, now: float) -> JobRecord:
        """What is told of the job until a listener takes it."""
        return JobRecord(
            id=self.job.id,
            command=self.job.command,
            queue=queue,
            reference=self.job.reference,
            group=self.group,
            frame=self.frame,
            submitted_at=now,
            updated_at=now,
            parts=self.parts if self.parts > 1 else 0,
        )


def send_all(settings: Settings, queue_name: str, jobs: Sequence[Outgoing]) -> None:
    """Queue all of them, or cancel those that are queued and raise what stopped the others."""
    queue = _open_queue(settings, queue_name)
    if len(jobs) == 1:
        return send(settings, queue, jobs[0])
    sent: list[Outgoing] = []

    def send_one(job: Outgoing) -> None:
        send(settings, queue, job)
        sent.append(job)

    with ThreadPoolExecutor(SENDERS) as pool:
        waiting = [pool.submit(send_one, job) for job in jobs]
        try:
            for each in waiting:
                each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            for job in sent:
                with suppress(GpuqueueError):
                    cancel_job(settings, job.job.id)
            raise
    return None


def send(settings: Settings, queue: Queue, outgoing: Outgoing) -> None:
    """Queue one job. Raises what the queue raises."""
    job = outgoing.job
    bodies = outgoing.bodies()
    with _recorded(settings, outgoing.record(queue.name, time.time())):
        for message_id, body in bodies.items():
            queue.send(body, message_id)
    log.event(
        Event.JOB_QUEUED,
        f"[{queue.name} {job.id}] Job successfully queued.",
        queue=queue.name,
        job_id=job.id,
        command=job.command,
    )


@contextmanager
def _recorded(settings: Settings, record: JobRecord) -> Iterator[None]:
    """Have a record of the job before a listener can receive it, and none if it is not sent.

    A job in parts is nothing without its record, and parts that were sent are cancelled with it.
    """
    records = open_records(settings)
    if records is None:
        yield
        return
    try:
        records.create(record)
    except GpuqueueError as error:
        if record.parts:
            raise
        # The job matters more; its listener tries again to keep one.
        log.event(
            Event.RECORD_UNREACHABLE,
            f"[{record.queue} {record.id}] The job's record cannot be kept: {error}.",
            level=logging.WARNING,
            queue=record.queue,
            job_id=record.id,
        )
    try:
        yield
    except BaseException:
        with suppress(GpuqueueError):
            if record.parts:
                cancel_job(settings, record.id)
            else:
                records.remove(record.id)
        raise
