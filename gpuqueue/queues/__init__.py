"""Queue modules: Amazon SQS, and an embedded one on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuqueue.errors import UnknownName
from gpuqueue.queues.base import Message, Queue, QueueCounts
from gpuqueue.queues.post_mortem import PostMortem
from gpuqueue.registry import Registry

if TYPE_CHECKING:
    from gpuqueue.config import Settings
    from gpuqueue.config.settings import LocalQueueSettings, SqsQueueSettings

__all__ = ["QUEUES", "Message", "PostMortem", "Queue", "QueueCounts", "open_queue"]

QUEUES: Registry[type[Queue]] = Registry(
    "queue module",
    local="gpuqueue.queues.local:LocalQueue",
    sqs="gpuqueue.queues.sqs:SqsQueue",
)


def open_queue(settings: Settings, name: str) -> Queue:
    """Open the queue configured under `name`. Raises UnknownName."""
    queues: dict[str, LocalQueueSettings | SqsQueueSettings] = settings.queues
    if name not in queues:
        raise UnknownName("queue", name, queues)
    module = QUEUES.load(queues[name].module)
    return module.open(settings, queues[name])  # type: ignore[attr-defined,no-any-return]
