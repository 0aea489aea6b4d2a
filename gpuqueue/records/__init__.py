"""Records of jobs: what a job's queue does not tell, kept as one object each in a bucket."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from gpuqueue.errors import ConfigError, GpuqueueError
from gpuqueue.job import MAX_PARTS, Part, whole_of
from gpuqueue.records.groups import Group, get_all
from gpuqueue.records.parts import Parts, cancel_parts, load_parts
from gpuqueue.records.record import Attempt, JobRecord, Progress, State
from gpuqueue.records.store import Records, checkpoint_key
from gpuqueue.records.tokens import Token
from gpuqueue.storage import open_bucket

if TYPE_CHECKING:
    from gpuqueue.config import Settings

__all__ = [
    "Attempt",
    "Group",
    "JobRecord",
    "Parts",
    "Progress",
    "Records",
    "State",
    "Token",
    "cancel_parts",
    "checkpoint_key",
    "forget_part",
    "get_all",
    "kept_records",
    "load_parts",
    "open_parts",
    "open_records",
    "remove_checkpoint",
]


@lru_cache(maxsize=8)
def open_records(settings: Settings) -> Records | None:
    """The records of a server; None if its configuration keeps none."""
    name = settings.queue_manager.state_bucket
    return None if name is None else Records(open_bucket(settings, name))


def open_parts(settings: Settings, part: Part) -> Parts:
    """The parts of a job. Raises ConfigError on a server that keeps no records."""
    name = settings.queue_manager.state_bucket
    if name is None:
        raise ConfigError("a job in parts needs a state_bucket in block queue_manager")
    return Parts(open_bucket(settings, name), part)


def remove_checkpoint(settings: Settings, job_id: str) -> None:
    """Remove the film that a job left on its way, if there is one; no try will go on with it."""
    manager = settings.queue_manager
    if manager.state_bucket is not None and manager.checkpoint_interval_s:
        with suppress(GpuqueueError):
            open_bucket(settings, manager.state_bucket).delete(checkpoint_key(job_id))


def forget_part(settings: Settings, job_id: str) -> None:
    """Remove what a part left whose job was cancelled; other jobs leave their records."""
    whole, name = whole_of(job_id), settings.queue_manager.state_bucket
    if whole is not None and name is not None:
        with suppress(GpuqueueError):
            Parts(
                open_bucket(settings, name), Part(of=whole[0], index=whole[1], count=MAX_PARTS)
            ).forget()


def kept_records(settings: Settings) -> Records:
    """The records of a server. Raises ConfigError if it keeps none."""
    records = open_records(settings)
    if records is None:
        raise ConfigError(
            "no records of jobs are kept: set state_bucket in block queue_manager to the name of "
            "a configured bucket"
        )
    return records
