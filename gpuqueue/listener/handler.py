"""One message from its receive to its end: decode, command, tasks in order, delete last."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from gpuqueue.binary import Binary
from gpuqueue.commands.allowed import check_allowed
from gpuqueue.config import Settings
from gpuqueue.job import Job
from gpuqueue.listener.account import Account
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.last_lines import LastLines
from gpuqueue.listener.lease import Lease
from gpuqueue.listener.recorder import Recorder
from gpuqueue.listener.retry import retry
from gpuqueue.listener.settle import settle
from gpuqueue.log import Event
from gpuqueue.queues import Message, Queue
from gpuqueue.records import State, open_records
from gpuqueue.tasks import prepare_tasks


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

    def handle(self, message: Message, lease: Lease) -> Exception | None:
        """Do the job and delete its message, or settle its fate; return the error, if any.

        Raises nothing: a job must not end its listener.
        """
        log = JobLog(self._queue.name, message.original_id)
        manager = self._settings.queue_manager
        price = manager.price_per_hour
        recorder = Recorder(self._records, message, self._queue.name, price, log)
        with LastLines() as lines:
            try:
                self._see_through(message, lease, recorder, log)
            except Exception as error:
                account = Account(self._settings, recorder, log, lines, self._runner.device)
                settle(self._queue, message, error, manager.max_backoff_s, log, account)
                return error
        return None

    def _see_through(self, message: Message, lease: Lease, recorder: Recorder, log: JobLog) -> None:
        """The job of a message from its receive to its delete."""
        with lease:
            job = Job.from_body(message.body, message.original_id)
            log.job_is(job.id)
            log.event(Event.JOB_RECEIVED, "Received job from queue.")
            lease.check()
            start = time.monotonic()
            if recorder.begin(job, lease):
                with recorder:
                    self._do(job, lease, recorder, log)
                recorder.end(recorder.ended(State.SUCCEEDED, device=self._runner.device))
            log.event(Event.JOB_FINISHED, "Job processed, removing from queue.")
            delete = partial(self._queue.delete, message)
            retry("Removing the job", delete, time.monotonic() - start, lease, log)

    def _do(self, job: Job, lease: Lease, recorder: Recorder, log: JobLog) -> None:
        """The job's command and its tasks."""
        check_allowed(self._settings, job.command)
        tasks = prepare_tasks(job.tasks, self._settings)
        name = job.command
        log.event(Event.COMMAND_STARTED, f"Executing command: {name}.", command=name)
        start = time.monotonic()

        def on_progress(fraction: float, text: str) -> None:
            lease.estimate.report(fraction)
            recorder.progress(fraction, text)
            log.progress(fraction, text)

        result = self._runner.run(job, lease, on_progress)
        lease.estimate.report(1)
        seconds = time.monotonic() - start
        recorder.command_done(result, seconds)
        log.event(
            Event.COMMAND_FINISHED, f"Executed command: {name}.", command=name, seconds=seconds
        )
        for task in tasks:
            log.event(Event.TASK_STARTED, f"Executing task: {task.name}.", task=task.name)
            run = partial(task.run, result, self._settings, job.id)
            recorder.stored(retry(f"Task {task.name}", run, seconds, lease, log))
            log.event(Event.TASK_FINISHED, f"Executed task: {task.name}.", task=task.name)
