"""Tasks: what is done with a result before its message is deleted."""

from __future__ import annotations

from gpuqueue.registry import Registry
from gpuqueue.tasks.base import Task, TaskConfig, TaskContext, parse_config

__all__ = ["TASKS", "Task", "TaskConfig", "TaskContext", "parse_config"]

TASKS: Registry[type[Task]] = Registry(
    "task",
    http_post="gpuqueue.tasks.http_post:HttpPost",
    s3_upload="gpuqueue.tasks.s3_upload:S3Upload",
)
