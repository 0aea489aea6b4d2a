"""Records of jobs: what a job's queue does not tell, kept as one object each in a bucket."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from gpuqueue.errors import ConfigError, GpuqueueError
from gpuqueue.records.record import Attempt, JobRecord, Progress, State
from gpuqueue.records.store import Records, checkpoint_key
from gpuqueue.storage import open_bucket

if TYPE_CHECKING:
    from gpuqueue.config import Settings

__all__ = [
    "Attempt",
    "JobRecord",
    "Progress",
    "Records",
    "State",
    "checkpoint_key",
    "kept_records",
    "open_records",
    "remove_checkpoint",
]


@lru_cache(maxsize=8)
def open_records(settings: Settings) -> Records | None:
    """The records of a server; None if its configuration keeps none."""
    name = settings.queue_manager.state_bucket
    return None if name is None else Records(open_bucket(settings, name))


def remove_checkpoint(settings: Settings, job_id: str) -> None:
    """Remove the film that a job left on its way, if there is one; no try will go on with it."""
    manager = settings.queue_manager
    if manager.state_bucket is not None and manager.checkpoint_interval_s:
        with suppress(GpuqueueError):
            open_bucket(settings, manager.state_bucket).delete(checkpoint_key(job_id))


def kept_records(settings: Settings) -> Records:
    """The records of a server. Raises ConfigError if it keeps none."""
    records = open_records(settings)
    if records is None:
        raise ConfigError(
            "no records of jobs are kept: set state_bucket in block queue_manager to the name of "
            "a configured bucket"
        )
    return records
