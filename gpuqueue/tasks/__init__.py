"""Tasks: what is done with a result before its message is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpuqueue.errors import InvalidJob
from gpuqueue.registry import Registry
from gpuqueue.tasks.base import Task, TaskConfig, TaskContext, parse_config

if TYPE_CHECKING:
    from gpuqueue.binary import Binary
    from gpuqueue.config import Settings
    from gpuqueue.job import TaskCall

__all__ = [
    "TASKS",
    "PreparedTask",
    "Task",
    "TaskConfig",
    "TaskContext",
    "parse_config",
    "prepare_tasks",
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

    def run(self, result: Binary, settings: Settings, job_id: str) -> str | None:
        """Do it once; return where it stored something, if it did.

        Raises InvalidJob for what will never work, TransientError for what may.
        """
        return self.task.run(self.config, result, TaskContext(settings, job_id, self.index))


def prepare_tasks(calls: Iterable[TaskCall], settings: Settings) -> list[PreparedTask]:
    """Check all that can be known of a job's tasks before it runs. Raises InvalidJob."""
    return [_prepare(index, call, settings) for index, call in enumerate(calls)]


def _prepare(index: int, call: TaskCall, settings: Settings) -> PreparedTask:
    task = TASKS.load(call.name)
    try:
        config = parse_config(task, call.config)
        task.check(config, settings)
    except InvalidJob as error:
        raise InvalidJob(f"tasks[{index}]: {error}") from error
    return PreparedTask(call.name, index, task, config)
