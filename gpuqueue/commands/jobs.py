"""Jobs by JSON-RPC: what became of one, the newest ones, and cancelling one."""

from __future__ import annotations

import time
from functools import lru_cache
from itertools import islice

from pydantic import Field

from gpuqueue.binary import JsonValue
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError, InvalidJob
from gpuqueue.queues import open_queue
from gpuqueue.records import JobRecord, State, cancel_parts, kept_records, load_parts

#: Jobs that one call lists, and those that it looks at to find them.
MAX_LISTED = 200
MAX_SEARCHED = 1000
#: A running job's record is renewed every few seconds.
SILENCE_S = 30.0

#: Making a client of a queue costs far more than asking it.
_open_queue = lru_cache(maxsize=8)(open_queue)


def describe_job(record: JobRecord) -> dict[str, JsonValue]:
    """A record as JSON, with what follows from it."""
    told: dict[str, JsonValue] = record.model_dump(mode="json", exclude={"version"})
    return {**told, "eta_at": record.eta_at, "device_s": record.device_s}


def find_job(settings: Settings, job_id: str) -> JobRecord:
    """The record of a job. Raises InvalidJob if there is none, ConfigError if none are kept."""
    record = kept_records(settings).get(job_id)
    if record is None:
        raise InvalidJob(f"no record of a job '{job_id}' is kept here")
    return as_it_is(settings, record)


def patience_s(settings: Settings) -> float:
    """After how long without a word a running job's listener counts as lost.

    Its message is somebody else's by then; clocks and a busy bucket may be late besides.
    """
    return settings.queue_manager.visibility_timeout_s + SILENCE_S


def as_it_is(settings: Settings, record: JobRecord) -> JobRecord:
    """The record, with what its parts say, and the truth of a job whose machine was lost."""
    if record.parts and not record.state.is_final:
        parts = load_parts(kept_records(settings), record.id, record.parts)
        return record.with_parts([as_it_is(settings, part) for part in parts])
    now, patience = time.time(), patience_s(settings)
    if record.unheard_of(now, patience, None) is record:
        return record
    try:
        limit = _open_queue(settings, record.queue).max_receives()
    except GpuqueueError:
        limit = None  # not ours to ask; the job has failed at least
    return record.unheard_of(now, patience, limit)


def find_jobs(
    settings: Settings, limit: int, state: State | None = None, reference: str | None = None
) -> list[JobRecord]:
    """The newest jobs, of the last `MAX_SEARCHED`, that are in that state and so called."""
    records = kept_records(settings).newest(MAX_SEARCHED)
    found = (
        record
        for record in (as_it_is(settings, record) for record in records)
        if (state is None or record.state is state)
        and (reference is None or record.reference == reference)
    )
    return list(islice(found, limit))


def cancel_job(settings: Settings, job_id: str) -> JobRecord:
    """Cancel a job; a running one is stopped by its listener within seconds.

    Raises InvalidJob if there is no such job.
    """

    def change(before: JobRecord | None) -> JobRecord | None:
        return None if before is None else before.cancelled(time.time())

    records, now = kept_records(settings), time.time()
    record = records.update(job_id, change)
    if record is None:
        raise InvalidJob(f"no record of a job '{job_id}' is kept here")
    if record.parts and record.state is State.CANCELLED:
        cancel_parts(records, job_id, record.parts, now)
    return record


class JobParameters(Parameters):
    """What names one job."""

    job_id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,128}$", description="The job's id, as submit returned it."
    )


@command(
    "queue_manager_get_job",
    parameters=JobParameters,
    returns="an object: id, command, queue, reference, state (queued, running, failed, "
    "interrupted, succeeded, cancelled, dead), submitted_at, updated_at, progress, eta_at, "
    "attempts, results, result_sha256, cost; times are seconds since 1970",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
)
def queue_manager_get_job(
    parameters: JobParameters, context: CommandContext
) -> dict[str, JsonValue]:
    """Tell what is known of a job: its state, its attempts, its progress, its results."""
    return describe_job(find_job(context.settings, parameters.job_id))


class ListJobsParameters(Parameters):
    """Parameters of ``queue_manager_list_jobs``."""

    limit: int = Field(50, ge=1, le=MAX_LISTED, description="Most jobs to list.")
    state: State | None = Field(None, description="Only jobs in this state.")
    reference: str | None = Field(None, description="Only jobs submitted with this reference.")


@command(
    "queue_manager_list_jobs",
    parameters=ListJobsParameters,
    returns="an array of objects as of queue_manager_get_job, the newest job first; only the last "
    f"{MAX_SEARCHED} jobs are looked at",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
)
def queue_manager_list_jobs(
    parameters: ListJobsParameters, context: CommandContext
) -> list[JsonValue]:
    """List the newest jobs, waiting, running and done."""
    found = find_jobs(context.settings, parameters.limit, parameters.state, parameters.reference)
    return [describe_job(record) for record in found]


@command(
    "queue_manager_cancel_job",
    parameters=JobParameters,
    returns="the state of the job, a string: cancelled; running, if its listener is about to stop "
    "it; or the state in which it had already ended",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
    changes=True,
)
def queue_manager_cancel_job(parameters: JobParameters, context: CommandContext) -> str:
    """Cancel a job that waits or runs. What its tasks have done by then stays done."""
    return str(cancel_job(context.settings, parameters.job_id).state)
