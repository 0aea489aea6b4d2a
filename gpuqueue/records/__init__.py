"""Records of jobs: what a job's queue does not tell, kept as one object each in a bucket."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gpuqueue.errors import ConfigError
from gpuqueue.records.record import Attempt, JobRecord, Progress, State
from gpuqueue.records.store import Records
from gpuqueue.storage import open_bucket

if TYPE_CHECKING:
    from gpuqueue.config import Settings

__all__ = ["Attempt", "JobRecord", "Progress", "Records", "State", "kept_records", "open_records"]


@lru_cache(maxsize=8)
def open_records(settings: Settings) -> Records | None:
    """The records of a server; None if its configuration keeps none."""
    name = settings.queue_manager.record_bucket
    return None if name is None else Records(open_bucket(settings, name))


def kept_records(settings: Settings) -> Records:
    """The records of a server. Raises ConfigError if it keeps none."""
    records = open_records(settings)
    if records is None:
        raise ConfigError(
            "no records of jobs are kept: set record_bucket in block queue_manager to the name of "
            "a configured bucket"
        )
    return records
