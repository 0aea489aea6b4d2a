"""Tasks: what is done with a result before its message is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpuqueue.errors import InvalidJob
from gpuqueue.registry import Registry
from gpuqueue.tasks.base import Place, Task, TaskConfig, TaskContext, parse_config

if TYPE_CHECKING:
    from gpuqueue.binary import Binary
    from gpuqueue.config import Settings
    from gpuqueue.job import TaskCall

__all__ = [
    "TASKS",
    "Place",
    "PreparedTask",
    "Task",
    "TaskConfig",
    "TaskContext",
    "parse_config",
    "prepare_tasks",
    "tasks_on_failure",
]

TASKS: Registry[type[Task]] = Registry(
    "task",
    http_post="gpuqueue.tasks.http_post:HttpPost",
    s3_upload="gpuqueue.tasks.s3_upload:S3Upload",
)


@dataclass(frozen=True)
class PreparedTask:
    """One task of a job, its configuration checked."""

    name: str
    index: int
    task: type[Task]
    config: TaskConfig

    def run(
        self,
        result: Binary,
        settings: Settings,
        job_id: str,
        stored: Sequence[Place] = (),
        is_failure: bool = False,
    ) -> Place | None:
        """Do it once; return where it stored the result, if it did.

        `stored` is where the tasks before it did. Raises InvalidJob for what will never work,
        TransientError for what may.
        """
        context = TaskContext(settings, job_id, self.index, tuple(stored), is_failure)
        return self.task.run(self.config, result, context)


def prepare_tasks(calls: Iterable[TaskCall], settings: Settings) -> list[PreparedTask]:
    """Check all that can be known of a job's tasks before it runs. Raises InvalidJob."""
    tasks = [_prepare(index, call, settings) for index, call in enumerate(calls)]
    for task in tasks:
        before = (t for t in tasks[: task.index] if t.config.stores and t.config.runs_on("success"))
        if task.config.points_to_stored and not any(before):
            raise InvalidJob(
                f"tasks[{task.index}]: a link needs a task before it that stores the result, "
                "such as s3_upload"
            )
    return tasks


def tasks_on_failure(calls: Iterable[TaskCall], settings: Settings) -> list[PreparedTask]:
    """The tasks that are for a job that was given up; what is wrong with others does not matter."""
    found = []
    for index, call in enumerate(calls):
        with suppress(InvalidJob):
            task = _prepare(index, call, settings)
            if task.config.runs_on("failure"):
                found.append(task)
    return found


def _prepare(index: int, call: TaskCall, settings: Settings) -> PreparedTask:
    task = TASKS.load(call.name)
    try:
        config = parse_config(task, call.config)
        task.check(config, settings)
    except InvalidJob as error:
        raise InvalidJob(f"tasks[{index}]: {error}") from error
    return PreparedTask(call.name, index, task, config)
