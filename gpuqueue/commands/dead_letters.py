"""The dead letters of a queue by JSON-RPC: list, look at one, send back, remove.

A call ends after MAX_AT_ONCE letters, within the time that a request may take; call again for
the rest.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator
from contextlib import closing, suppress
from dataclasses import replace
from itertools import islice
from typing import Literal, Self

from pydantic import Field, model_validator

from gpuqueue.binary import JsonValue
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.commands.jobs import cancel_job, patience_s
from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError, InvalidJob
from gpuqueue.job import whole_of
from gpuqueue.queues import PostMortem, Queue, dead_letters, open_queue
from gpuqueue.queues.dead_letters import DeadLetter
from gpuqueue.records import JobRecord, open_records

MAX_AT_ONCE = 1000


def queue_for(settings: Settings, queue_name: str | None) -> Queue:
    """The queue of this name, else the default one, else the one listened to.

    Raises InvalidJob, UnknownName among it.
    """
    manager = settings.queue_manager
    name = queue_name or manager.default_queue or manager.listen_queue
    if name is None:
        raise InvalidJob("no queue: name one, or set default_queue in the configuration")
    return open_queue(settings, name)


def redrive(settings: Settings, queue: Queue, job_ids: Collection[str] | None) -> Generator[str]:
    """Send these dead letters back to their queue, or all, and yield the id of each job sent.

    Raises as `dead_letters.redrive` does. Their records, if there are any, say so.
    """
    records = open_records(settings)

    def change(before: JobRecord | None) -> JobRecord | None:
        now = time.time()
        return before and before.buried(now, patience_s(settings)).redriven(now)

    for job_id in dead_letters.redrive(queue, job_ids):
        if records is not None:
            # The job is on its way; what its record says is corrected by the next attempt.
            with suppress(GpuqueueError):
                records.update(job_id, change)
        yield job_id


def purge(settings: Settings, queue: Queue) -> Generator[str]:
    """Remove the dead letters for good, and yield the id of each job.

    A job in parts cannot be done without one of them: it is cancelled.
    """
    for job_id in dead_letters.purge(queue):
        whole = whole_of(job_id)
        if whole is not None:
            with suppress(GpuqueueError):
                cancel_job(settings, whole[0])
        yield job_id


def list_letters(settings: Settings, queue: Queue, limit: int) -> list[DeadLetter]:
    """At most `limit` dead letters, each with what its record adds."""
    return [_whole(settings, letter) for letter in dead_letters.list_dead(queue, limit)]


def find_letter(settings: Settings, queue: Queue, job_id: str) -> DeadLetter:
    """The dead letter of a job with what its record adds. Raises UnknownName."""
    return _whole(settings, dead_letters.find_dead(queue, job_id))


def _whole(settings: Settings, letter: DeadLetter) -> DeadLetter:
    """A letter that no listener wrote, since its machine was lost, takes the record's words.

    The record learns in turn that its job is dead.
    """
    records = open_records(settings)
    if records is None or letter.post_mortem != PostMortem():
        return letter

    def change(before: JobRecord | None) -> JobRecord | None:
        return before and before.buried(time.time(), patience_s(settings))

    with suppress(GpuqueueError):
        record = records.update(letter.job_id, change)
        if record is not None and record.attempts:
            return replace(letter, post_mortem=_told_by(record))
    return letter


def _told_by(record: JobRecord) -> PostMortem:
    last = record.attempts[-1]
    attempts = tuple(a.model_dump(mode="json", exclude={"log"}) for a in record.attempts)
    return PostMortem(error=last.error, place=last.place, attempts=attempts, log=last.log)


def describe_letter(letter: DeadLetter) -> dict[str, JsonValue]:
    """A dead letter without its body, its attempts and its log, as JSON."""
    return {
        "job_id": letter.job_id,
        "reason": letter.why,
        "error": letter.post_mortem.error,
        "place": letter.post_mortem.place,
        "receives": letter.receives,
        "sent_at": letter.sent_at,
        "died_at": letter.died_at,
    }


class DeadParameters(Parameters):
    """What all commands on dead letters take."""

    queue_name: str | None = Field(
        None, description="Configured queue; default: default_queue, else listen_queue."
    )


class ListDeadParameters(DeadParameters):
    """Parameters of ``queue_manager_list_dead``."""

    limit: int = Field(100, ge=1, le=MAX_AT_ONCE, description="Most letters to list.")


@command(
    "queue_manager_list_dead",
    parameters=ListDeadParameters,
    returns="an array of objects with job_id, reason, error (its class), place (in the scene: "
    "file:line:column), receives, sent_at and died_at; times are seconds since 1970; null is what "
    "nobody knows",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
)
def queue_manager_list_dead(
    parameters: ListDeadParameters, context: CommandContext
) -> list[JsonValue]:
    """List the dead letters of a queue: the jobs it gave up, and why.

    On SQS they are hidden from other callers while they are looked at.
    """
    queue = queue_for(context.settings, parameters.queue_name)
    letters = list_letters(context.settings, queue, parameters.limit)
    return [describe_letter(letter) for letter in letters]


class GetDeadParameters(DeadParameters):
    """Parameters of ``queue_manager_get_dead``."""

    job_id: str = Field(description="The job's id.")


@command(
    "queue_manager_get_dead",
    parameters=GetDeadParameters,
    returns="an object as of queue_manager_list_dead, with attempts (objects: host, device, "
    "started_at, ended_at, outcome, reason), log (the last lines) and body (a string)",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
)
def queue_manager_get_dead(
    parameters: GetDeadParameters, context: CommandContext
) -> dict[str, JsonValue]:
    """Show one dead letter: how each try ended, the last lines of the log, the message's body."""
    queue = queue_for(context.settings, parameters.queue_name)
    letter = find_letter(context.settings, queue, parameters.job_id)
    known = letter.post_mortem
    return {
        **describe_letter(letter),
        "attempts": list(known.attempts),
        "log": list(known.log),
        "body": letter.body,
    }


class RedriveParameters(DeadParameters):
    """Parameters of ``queue_manager_redrive``: some jobs, or all."""

    job_ids: tuple[str, ...] = Field(
        (), max_length=MAX_AT_ONCE, description="Ids of the jobs to send back."
    )
    all: bool = Field(False, description="Send back all of them instead.")

    @model_validator(mode="after")
    def _names_some_or_all(self) -> Self:
        if self.all == bool(self.job_ids):
            raise ValueError("expected either job_ids or all")
        return self


@command(
    "queue_manager_redrive",
    parameters=RedriveParameters,
    returns=f"the ids of the jobs that were sent back, an array of at most {MAX_AT_ONCE}",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
    changes=True,
)
def queue_manager_redrive(
    parameters: RedriveParameters, context: CommandContext
) -> list[JsonValue]:
    """Send dead letters back to their queue, unchanged and under the same job ids.

    A letter is sent first and removed afterwards: a call that is cut short loses no job, and may
    be made again.
    """
    queue = queue_for(context.settings, parameters.queue_name)
    with closing(redrive(context.settings, queue, parameters.job_ids or None)) as done:
        return list(islice(done, MAX_AT_ONCE))


class PurgeDeadParameters(DeadParameters):
    """Parameters of ``queue_manager_purge_dead``."""

    confirm: Literal[True] = Field(description="Must be true: what is removed is gone for good.")


@command(
    "queue_manager_purge_dead",
    parameters=PurgeDeadParameters,
    returns=f"the ids of the jobs that were removed, an array of at most {MAX_AT_ONCE}",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
    changes=True,
)
def queue_manager_purge_dead(
    parameters: PurgeDeadParameters, context: CommandContext
) -> list[JsonValue]:
    """Remove all dead letters of a queue for good."""
    queue = queue_for(context.settings, parameters.queue_name)
    with closing(purge(context.settings, queue)) as gone:
        return list(islice(gone, MAX_AT_ONCE))
