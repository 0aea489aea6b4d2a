"""What a job wants done when it is given up: its tasks for that, with a report instead of a result.

The message is in the dead letters by then, and nothing holds it any more. So a notice is tried for
a while and then given up: the dead letter and the job's record tell the same.
"""

from __future__ import annotations

from functools import partial

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.errors import GpuqueueError
from gpuqueue.job import Job
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.patience import Patience
from gpuqueue.listener.retry import retry
from gpuqueue.log import Event
from gpuqueue.queues import PostMortem
from gpuqueue.tasks import tasks_on_failure

#: How long the next job waits for one notice at most.
PATIENCE_S = 60.0


def tell_of_failure(job: Job, known: PostMortem, settings: Settings, log: JobLog) -> None:
    """Run the tasks that the job has for its failure. Raises nothing."""
    for task in tasks_on_failure(job.tasks, settings):
        log.event(Event.TASK_STARTED, f"Executing task on failure: {task.name}.", task=task.name)
        run = partial(task.run, report_of(job, known), settings, job.whole_id, (), is_failure=True)
        try:
            retry(f"Task {task.name}", run, 0, Patience(PATIENCE_S), log)
        except Exception as error:
            bug = None if isinstance(error, GpuqueueError) else error
            text = f"Task {task.name} on failure given up: {error}"
            log.event(Event.TRY_FAILED, text, exc_info=bug, task=task.name)
        else:
            log.event(Event.TASK_FINISHED, f"Executed task: {task.name}.", task=task.name)


def report_of(job: Job, known: PostMortem) -> Binary:
    """The report as JSON; the log lines stay here, for they tell of the machine."""
    told = known.bounded()
    last = told.attempts[-1] if told.attempts else {}
    return Binary.of(
        {
            "job_id": job.whole_id,
            "reference": job.reference,
            "command": job.command,
            "state": "dead",
            "error": told.error,
            "reason": last.get("reason"),
            "place": told.place,
            "attempts": list(told.attempts),
        }
    )
