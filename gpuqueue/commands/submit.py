"""Submitting jobs: everything that can be known to be wrong is refused here, and said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from gpuqueue.binary import JsonValue
from gpuqueue.commands.allowed import queueable_command
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.commands.frames import MAX_FRAMES, FrameRange, jobs_of_frames
from gpuqueue.commands.sending import Outgoing, send_all
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.job import MAX_PARTS, Job, TaskCall, new_id
from gpuqueue.records import Group, Token, kept_records
from gpuqueue.tasks import prepare_tasks


@dataclass(frozen=True)
class Order:
    """What one submit asks for."""

    job: Job
    #: Configured queue; None: the configuration's ``default_queue``.
    queue_name: str | None = None
    #: How many listeners may share the work of a job.
    parts: int = 1
    #: Numbers of frames, a job each; none: one job that is no frame.
    frames: tuple[int, ...] = ()
    #: The same token again is the same submit.
    token: str | None = None

    @property
    def payload(self) -> str:
        """What must be the same for the same token."""
        job = self.job.model_dump(mode="json", exclude={"id"})
        told = [job, self.queue_name, self.parts, self.frames]
        return json.dumps(told, sort_keys=True)


@dataclass(frozen=True)
class Receipt:
    """What was queued: ids of the jobs, in the order of the frames, and of their group."""

    jobs: tuple[str, ...]
    group: str | None = None


def submit(
    settings: Settings,
    command: str,
    parameters: Mapping[str, Any],
    queue_name: str | None = None,
    tasks: Iterable[TaskCall] = (),
    reference: str | None = None,
    parts: int = 1,
) -> str:
    """Check one job, put it into the queue and return its id; raises as `submit_order`."""
    job = Job.new(command, parameters, tasks, reference)
    [job_id] = submit_order(settings, Order(job, queue_name, parts)).jobs
    return job_id


def submit_order(settings: Settings, order: Order) -> Receipt:
    """Check what is asked for, put it into the queue and say what it is called there.

    Raises InvalidJob, UnknownName among it, for a job that can never work, TransientError if the
    queue cannot be reached, and ConfigError if it may not be used, or if something needs a
    ``state_bucket`` that is not configured.
    """
    queue = order.queue_name or settings.queue_manager.default_queue
    if queue is None:
        raise InvalidJob("no queue: give queue_name, or set default_queue in the configuration")
    if order.parts > 1 or order.frames or order.token is not None:
        kept_records(settings)
    jobs = list(_checked_jobs(settings, order))
    receipt = Receipt(tuple(job.job.id for job in jobs), new_id() if order.frames else None)
    with _once(settings, order, receipt) as (receipt, is_new):
        if is_new:
            named = zip(jobs, receipt.jobs, strict=True)
            jobs = [
                replace(out, job=out.job.model_copy(update={"id": job_id}), group=receipt.group)
                for out, job_id in named
            ]
            if receipt.group is not None:
                Group(id=receipt.group, frames=order.frames, jobs=receipt.jobs).save(
                    kept_records(settings)
                )
            send_all(settings, queue, jobs)
    return receipt


def _checked_jobs(settings: Settings, order: Order) -> Iterator[Outgoing]:
    """The jobs, each of which may work. Raises InvalidJob for the first that cannot."""
    wanted = queueable_command(settings, order.job.command, order.parts > 1)
    has_frame = "frame" in wanted.parameters.model_fields
    frames = jobs_of_frames(order.job, order.frames, has_frame) if order.frames else None
    for frame, job in frames or [(None, order.job)]:
        try:
            wanted.check_at_submit(job.parameters, settings)
            prepare_tasks(job.tasks, settings)
            outgoing = Outgoing(job, order.parts, frame=frame)
            outgoing.bodies()
        except InvalidJob as error:
            if frame is None:
                raise
            raise InvalidJob(f"frame {frame}: {error}") from error
        yield outgoing


@contextmanager
def _once(settings: Settings, order: Order, receipt: Receipt) -> Iterator[tuple[Receipt, bool]]:
    """The receipt that holds for the order's token, and whether its jobs are to be sent."""
    if order.token is None:
        yield receipt, True
        return
    token = Token(kept_records(settings).bucket, order.token, order.payload)
    answer, is_new = token.begin({"jobs": receipt.jobs, "group": receipt.group})
    known = Receipt(tuple(answer["jobs"]), answer["group"])
    try:
        yield known, is_new
    except BaseException:
        token.failed()
        raise
    if is_new:
        token.sent(answer)


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
    frames: FrameRange | tuple[int, ...] = Field(
        (),
        description="Frames of an animation, a job each: an object with first, last and step, or "
        f"an array of numbers, at most {MAX_FRAMES}. ${{frame}}, or ${{frame:4}} for 0001, in "
        "texts of parameters and tasks is the frame's number. Needs a state_bucket.",
    )
    idempotency_token: str | None = Field(
        None,
        min_length=1,
        max_length=256,
        description="Within 24 hours, the same submit with the same token queues nothing and has "
        "the same result. Needs a state_bucket.",
    )


@command(
    "queue_manager_submit_job",
    parameters=SubmitJobParameters,
    returns="the id of the job, a string; with frames an object: group (its id), and jobs, an "
    "array of objects with frame and job_id",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
    changes=True,
)
def queue_manager_submit_job(
    parameters: SubmitJobParameters, context: CommandContext
) -> str | dict[str, JsonValue]:
    """Queue a job: a command to run on a render server, and tasks for its result."""
    asked = parameters.frames
    frames = tuple(asked.numbers) if isinstance(asked, FrameRange) else asked
    job = Job.new(parameters.command, parameters.parameters, parameters.tasks, parameters.reference)
    receipt = submit_order(
        context.settings,
        Order(job, parameters.queue_name, parameters.parts, frames, parameters.idempotency_token),
    )
    if not frames:
        return receipt.jobs[0]
    pairs = zip(frames, receipt.jobs, strict=True)
    jobs: list[JsonValue] = [{"frame": frame, "job_id": job_id} for frame, job_id in pairs]
    return {"group": receipt.group, "jobs": jobs}
