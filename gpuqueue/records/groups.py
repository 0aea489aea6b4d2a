"""Groups: the jobs of one submit of several frames, one object each group in the state bucket."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, ConfigDict, ValidationError

from gpuqueue.binary import Binary
from gpuqueue.records.record import JobRecord
from gpuqueue.records.store import Records

PREFIX = "gpuqueue/groups/"
#: Records that are read at once; a group may have a thousand.
_READERS = 16


class Group(BaseModel):
    """The jobs of one submit, in the order of its frames."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    id: str
    frames: tuple[int, ...]
    jobs: tuple[str, ...]

    def save(self, records: Records) -> None:
        """Store it."""
        binary = Binary(self.model_dump_json().encode(), "application/json")
        records.bucket.put(_key(self.id), binary)

    @classmethod
    def load(cls, records: Records, group_id: str) -> Group | None:
        """The group; None if there is none that can be read."""
        stored = records.bucket.fetch(_key(group_id))
        try:
            return None if stored is None else cls.model_validate_json(stored.data)
        except ValidationError:
            return None


def get_all(records: Records, job_ids: Iterable[str]) -> list[JobRecord]:
    """The records of these jobs, in their order; those that are lost are left out."""
    with ThreadPoolExecutor(_READERS) as pool:
        return [record for record in pool.map(records.get, job_ids) if record is not None]


def _key(group_id: str) -> str:
    return f"{PREFIX}{group_id}.json"
