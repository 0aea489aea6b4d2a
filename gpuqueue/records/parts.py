"""The parts of one job, worked on by several listeners: what each has made, and who merges it.

There is no coordinator. Each part stores what it made, then looks whether all are there; of those
that see them all, the first to write its number into the job's record merges. If it is lost, its
message comes back, and the same part, wherever it runs by then, merges. A part stores first and
then reads whether that is still wanted; who ends a job writes so first and then removes what is
stored: whoever comes last cleans up.
"""

from __future__ import annotations

from collections.abc import Iterable

from gpuqueue.binary import Binary
from gpuqueue.errors import Cancelled, InvalidJob
from gpuqueue.job import Part
from gpuqueue.records.record import JobRecord, State
from gpuqueue.records.store import Records, parts_prefix
from gpuqueue.storage import Storage

_FILM = ".film"


class Parts:
    """The parts of the job `part.of` in a bucket, seen by one of them.

    Every method raises what the bucket's verbs do.
    """

    def __init__(self, bucket: Storage, part: Part) -> None:
        self._bucket = bucket
        self._records = Records(bucket)
        self.part = part

    def is_wanted(self) -> bool:
        """Whether the job still has to be done.

        Raises Cancelled if somebody cancelled it, and InvalidJob if there is no such job.
        """
        record = self._records.get(self.part.of)
        if record is None:
            raise InvalidJob(f"there is no record of job {self.part.of}, which this is a part of")
        if record.state is State.CANCELLED:
            raise Cancelled("the job that this is a part of was cancelled")
        return record.state is not State.SUCCEEDED

    def store(self, film: Binary) -> bool:
        """Store what this part made; whether anybody still wants it. Raises as `is_wanted` does."""
        self._bucket.put(self._key(self.part.index), film)
        if self.is_wanted():
            return True
        self.forget()
        return False

    def load(self, index: int) -> bytes | None:
        """What a part stored."""
        stored = self._bucket.fetch(self._key(index))
        return None if stored is None else stored.data

    def is_stored(self) -> bool:
        """Whether this part is there."""
        return self._key(self.part.index) in self._keys()

    def may_merge(self) -> bool:
        """Whether all parts are there and this one is to merge them."""
        keys = self._keys()
        if not all(self._key(index) in keys for index in range(self.part.count)):
            return False

        def claim(before: JobRecord | None) -> JobRecord | None:
            if before is None or before.state.is_final or before.merger is not None:
                return None
            return before.model_copy(update={"merger": self.part.index})

        after = self._records.update(self.part.of, claim)
        return after is not None and not after.state.is_final and after.merger == self.part.index

    def finish(self, results: Iterable[str], sha256: str | None) -> None:
        """The job is done: its record tells what became of it, and its parts go."""
        parts = load_parts(self._records, self.part.of, self.part.count)

        def change(before: JobRecord | None) -> JobRecord | None:
            if before is None or before.state.is_final:
                return None
            update = {
                "state": State.SUCCEEDED,
                "results": tuple(results),
                "result_sha256": sha256,
                "progress": None,
            }
            return before.with_parts(parts).model_copy(update=update)

        self._records.update(self.part.of, change)
        self.remove()

    def leave(self) -> None:
        """This part is done, others merge: remove what it left if the job has ended meanwhile."""
        record = self._records.get(self.part.of)
        if record is None or record.state.is_final:
            self.forget()

    def forget(self) -> None:
        """Remove what this part left."""
        self._bucket.delete(self._key(self.part.index))
        self._records.remove(self.part.id)

    def remove(self) -> None:
        """Remove what all parts left."""
        for key in self._keys():
            self._bucket.delete(key)

    def _keys(self) -> list[str]:
        return self._bucket.keys(parts_prefix(self.part.of), 2 * self.part.count)

    def _key(self, index: int) -> str:
        return f"{parts_prefix(self.part.of)}{index}{_FILM}"


def load_parts(records: Records, job_id: str, count: int) -> list[JobRecord]:
    """The records of a job's parts that have begun."""
    found = (records.get(Part(of=job_id, index=i, count=count).id) for i in range(count))
    return [record for record in found if record is not None]


def cancel_parts(records: Records, job_id: str, count: int, now: float) -> None:
    """Tell the parts of a cancelled job, and remove what nobody works on."""

    def change(before: JobRecord | None) -> JobRecord | None:
        return None if before is None else before.cancelled(now)

    for index in range(count):
        parts = Parts(records.bucket, Part(of=job_id, index=index, count=count))
        record = records.update(parts.part.id, change)
        if record is None or record.state is not State.RUNNING:
            parts.forget()
