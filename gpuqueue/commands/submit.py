"""Submitting a job: everything that can be known to be wrong is refused here, and said."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from pydantic import Field

from gpuqueue.commands.allowed import queueable_command
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError, InvalidJob
from gpuqueue.job import MAX_PARTS, Job, TaskCall
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues import open_queue
from gpuqueue.records import JobRecord, kept_records, open_records
from gpuqueue.tasks import prepare_tasks

log = EventLogger(Category.QUEUE)

#: Making a client of a queue costs far more than sending with it.
_open_queue = lru_cache(maxsize=8)(open_queue)


def submit(
    settings: Settings,
    command: str,
    parameters: Mapping[str, Any],
    queue_name: str | None = None,
    tasks: Iterable[TaskCall] = (),
    reference: str | None = None,
    parts: int = 1,
) -> str:
    """Check a job, put it into the queue and return its id.

    `queue_name` defaults to the configuration's ``default_queue``; `parts` is how many listeners
    may share the work. Raises InvalidJob, UnknownName
    among it, for a job that can never work, TransientError if the queue cannot be reached, and
    ConfigError if it may not be used.
    """
    job = Job.new(command, parameters, tasks, reference)
    queueable_command(settings, job.command, parts > 1).check_at_submit(job.parameters, settings)
    if parts > 1:
        kept_records(settings)
    prepare_tasks(job.tasks, settings)
    name = queue_name or settings.queue_manager.default_queue
    if name is None:
        raise InvalidJob("no queue: give queue_name, or set default_queue in the configuration")
    bodies = {part.id: part.to_body() for part in (job.split(parts) if parts > 1 else [job])}
    with _recorded(settings, job, name, len(bodies)):
        for message_id, body in bodies.items():
            _open_queue(settings, name).send(body, message_id)
    log.event(
        Event.JOB_QUEUED,
        f"[{name} {job.id}] Job successfully queued.",
        queue=name,
        job_id=job.id,
        command=job.command,
    )
    return job.id


@contextmanager
def _recorded(settings: Settings, job: Job, queue: str, messages: int) -> Iterator[None]:
    """Have a record of the job before a listener can receive it, and none if it is not sent.

    A job in parts is nothing without its record, and parts that were sent are cancelled with it.
    """
    records = open_records(settings)
    if records is None:
        yield
        return
    now = time.time()
    record = JobRecord(
        id=job.id,
        command=job.command,
        queue=queue,
        reference=job.reference,
        submitted_at=now,
        updated_at=now,
        parts=messages if messages > 1 else 0,
    )
    try:
        records.create(record)
    except GpuqueueError as error:
        if record.parts:
            raise
        # The job matters more; its listener tries again to keep one.
        log.event(
            Event.RECORD_UNREACHABLE,
            f"[{queue} {job.id}] The job's record cannot be kept: {error}.",
            level=logging.WARNING,
            queue=queue,
            job_id=job.id,
        )
    try:
        yield
    except BaseException:
        with suppress(GpuqueueError):
            if record.parts:
                records.update(job.id, lambda before: before and before.cancelled(time.time()))
            else:
                records.remove(job.id)
        raise


class SubmitJobParameters(Parameters):
    """Parameters of ``queue_manager_submit_job``."""

    command: str = Field(description="Name of the command to run.")
    parameters: dict[str, Any] = Field({}, description="The command's own parameters.")
    queue_name: str | None = Field(None, description="Configured queue; default: default_queue.")
    tasks: tuple[TaskCall, ...] = Field(
        (), description="What to do with the result, in order: objects with name and config."
    )
    reference: str | None = Field(
        None, max_length=256, description="Your own name for the job; its record tells it."
    )
    parts: int = Field(
        1,
        ge=1,
        le=MAX_PARTS,
        description="How many listeners may share the work: each renders a part of the samples, "
        "and the last one merges them. The result is the same to the bit. Needs a state_bucket.",
    )


@command(
    "queue_manager_submit_job",
    parameters=SubmitJobParameters,
    returns="the id of the job, a string",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
    changes=True,
)
def queue_manager_submit_job(parameters: SubmitJobParameters, context: CommandContext) -> str:
    """Queue a job: a command to run on a render server, and tasks for its result."""
    return submit(
        context.settings,
        parameters.command,
        parameters.parameters,
        parameters.queue_name,
        parameters.tasks,
        parameters.reference,
        parameters.parts,
    )
