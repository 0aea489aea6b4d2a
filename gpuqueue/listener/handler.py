"""One message from its receive to its end: decode, command, tasks in order, delete last."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from gpuqueue.binary import NOTHING, Binary
from gpuqueue.commands.allowed import check_allowed
from gpuqueue.config import Settings
from gpuqueue.errors import Interrupted, JobFailed
from gpuqueue.integrity import fault_of
from gpuqueue.job import Job
from gpuqueue.listener.account import Account
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.last_lines import LastLines
from gpuqueue.listener.lease import Lease
from gpuqueue.listener.price import price_of
from gpuqueue.listener.recorder import Recorder
from gpuqueue.listener.retry import retry
from gpuqueue.listener.settle import settle
from gpuqueue.listener.spool import Spool, SpoolPlace
from gpuqueue.log import Event
from gpuqueue.queues import Message, Queue
from gpuqueue.records import Parts, open_parts, open_records
from gpuqueue.tasks import Place, prepare_tasks


class Runner(Protocol):
    """What runs a command: the render process."""

    def run(self, job: Job, lease: Lease, on_progress: Callable[[float, str], None]) -> Binary:
        """Run a job's command and return its result, or raise what it raised."""

    @property
    def device(self) -> str | None:
        """What commands run on, once one has said so."""


class Handler:
    """Handles the messages of one queue."""

    def __init__(self, settings: Settings, queue: Queue, runner: Runner) -> None:
        self._settings = settings
        self._queue = queue
        self._runner = runner
        self._records = open_records(settings)
        self._price = price_of(settings)
        self._spool = Spool.open(settings)

    def handle(self, message: Message, lease: Lease) -> Exception | None:
        """Do the job and delete its message, or settle its fate; return the error, if any.

        Raises nothing: a job must not end its listener.
        """
        log = JobLog(self._queue.name, message.original_id)
        manager = self._settings.queue_manager
        price = self._price.per_hour()
        recorder = Recorder(self._records, message, self._queue.name, price, log)
        with LastLines() as lines:
            account = Account(self._settings, recorder, log, lines, lambda: self._runner.device)
            try:
                self._see_through(message, lease, account)
            except Exception as error:
                settle(self._queue, message, error, manager.max_backoff_s, log, account)
                return error
        return None

    def _see_through(self, message: Message, lease: Lease, account: Account) -> None:
        """The job of a message from its receive to its delete."""
        log, recorder = account.log, account.recorder
        with lease:
            if message.fault is not None:
                raise message.fault
            job = Job.from_body(message.body, message.original_id)
            log.job_is(job.id)
            log.event(Event.JOB_RECEIVED, "Received job from queue.")
            lease.check()
            account.job = job
            account.spooled = spooled = self._spool.place_of(job.id, message.body, log)
            start = time.monotonic()
            parts = None if job.part is None else open_parts(self._settings, job.part)
            if _begin(job, lease, recorder, parts):
                with recorder:
                    result = self._do(job, lease, recorder, spooled, log)
                account.succeeded()
                if parts is not None:
                    finish = partial(parts.finish, recorder.results, recorder.sha256)
                    end = parts.leave if result == NOTHING else finish
                    retry("Ending the job", end, time.monotonic() - start, lease, log)
            log.event(Event.JOB_FINISHED, "Job processed, removing from queue.")
            self._remove(message, time.monotonic() - start, lease, log)
        account.removed()

    def _remove(self, message: Message, cost_s: float, lease: Lease, log: JobLog) -> None:
        """Delete the message; who wants to stop waits for that, rather than for all of it again."""
        delete = partial(self._queue.delete, message)
        try:
            retry("Removing the job", delete, cost_s, lease, log)
        except Interrupted:
            if not lease.remaining_s():
                raise
            delete()

    def _do(
        self, job: Job, lease: Lease, recorder: Recorder, spooled: SpoolPlace, log: JobLog
    ) -> Binary:
        """The job's command, unless its result is spooled here, and its tasks, if there is one."""
        check_allowed(self._settings, job.command)
        tasks = prepare_tasks(job.tasks, self._settings)
        found = spooled.load()
        if found is None:
            result, seconds = self._run(job, lease, recorder, log)
            if tasks and result != NOTHING:
                spooled.save(result, seconds)
        else:
            result, seconds = found.result, found.seconds
            log.event(Event.SPOOL_USED, "Using the result that an earlier try left here.")
        recorder.command_done(result)
        lease.estimate.report(1)
        stored: list[Place] = []
        for task in tasks:
            if result == NOTHING or not task.config.runs_on("success"):
                continue
            log.event(Event.TASK_STARTED, f"Executing task: {task.name}.", task=task.name)
            run = partial(task.run, result, self._settings, job.whole_id, stored)
            place = retry(f"Task {task.name}", run, seconds, lease, log)
            if place is not None:
                stored.append(place)
                recorder.stored(place.address)
            log.event(Event.TASK_FINISHED, f"Executed task: {task.name}.", task=task.name)
        return result

    def _run(self, job: Job, lease: Lease, recorder: Recorder, log: JobLog) -> tuple[Binary, float]:
        """Run the command; its result, checked, and the seconds that it took."""
        name = job.command
        log.event(Event.COMMAND_STARTED, f"Executing command: {name}.", command=name)
        start = time.monotonic()

        def on_progress(fraction: float, text: str) -> None:
            lease.estimate.report(fraction)
            recorder.progress(fraction, text)
            log.progress(fraction, text)

        try:
            result = self._runner.run(job, lease, on_progress)
        finally:
            seconds = time.monotonic() - start
            recorder.ran(seconds)
        log.event(
            Event.COMMAND_FINISHED, f"Executed command: {name}.", command=name, seconds=seconds
        )
        fault = fault_of(result.data, result.mime_type)
        if fault is not None:
            raise JobFailed(f"the result is no whole {result.mime_type}: {fault}")
        return result, seconds


def _begin(job: Job, lease: Lease, recorder: Recorder, parts: Parts | None) -> bool:
    """Record that the job is running; whether it, or the job that it is a part of, is to be done.

    Raises Cancelled if somebody cancelled it while it waited.
    """
    if parts is None:
        return recorder.begin(job, lease)
    if not parts.is_wanted():
        return False
    # A part that was done may be here again to merge all.
    recorder.begin(job, lease)
    # Who cancels a job tells the parts that have a record by then.
    if parts.is_wanted():
        return True
    parts.forget()
    return False
