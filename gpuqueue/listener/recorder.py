"""Keeps the record of the job in hand, and hears in it that somebody wants the job no more.

A record tells of a job; it decides nothing that the queue decides. So a bucket that cannot be
reached costs a warning, never a job.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

from gpuqueue.binary import NOTHING, Binary
from gpuqueue.errors import Cancelled, GpuqueueError, TransientError
from gpuqueue.job import Job
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.lease import Lease
from gpuqueue.log import Event
from gpuqueue.queues import Message, PostMortem
from gpuqueue.records import Attempt, JobRecord, Progress, Records, State

#: How often a running job's record is renewed, and a wish to cancel it heard.
INTERVAL_S = 5.0


class Recorder:
    """The record of one attempt at one job; without `records` it is kept nowhere.

    While a ``with`` block runs, a thread renews the record and revokes the lease if the job is
    cancelled.
    """

    def __init__(
        self,
        records: Records | None,
        message: Message,
        queue: str,
        price_per_hour: float | None,
        log: JobLog,
    ) -> None:
        self._records = records
        self._queue = queue
        self._price_per_hour = price_per_hour
        self._log = log
        self._job_id = ""
        self._number = 0
        self._attempt = Attempt(
            host=socket.gethostname(), started_at=time.time(), receives=message.receives
        )
        self._earlier: tuple[Attempt, ...] = ()
        #: Whether the job is known and its record is to be written.
        self._is_kept = False
        self._progress: tuple[float, str] = (0.0, "")
        #: Where tasks put the result, and its hash once there is one.
        self.results: list[str] = []
        self.sha256: str | None = None
        self._lease: Lease | None = None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, job: Job, lease: Lease) -> bool:
        """Record that the job is running; whether it still has to be done.

        Raises Cancelled if somebody cancelled it while it waited.
        """
        if self._records is None:
            return True
        self._job_id, self._lease, self._is_kept = job.id, lease, True
        attempt = self._attempt

        def change(before: JobRecord | None) -> JobRecord:
            return (before or self._of_unknown(job, attempt.started_at)).begun(attempt)

        after = self._write(change)
        if after is None:
            return True
        if after.state is State.CANCELLED:
            raise Cancelled("it was cancelled while it waited")
        self._number, self._earlier = after.attempt_count, after.attempts[:-1]
        return after.state is not State.SUCCEEDED

    def _of_unknown(self, job: Job, now: float) -> JobRecord:
        """For a message that was not submitted here."""
        return JobRecord(
            id=job.id,
            command=job.command,
            queue=self._queue,
            reference=job.reference,
            updated_at=now,
        )

    def __enter__(self) -> Self:
        if self._is_kept:
            self._thread = threading.Thread(target=self._renew, name="recorder", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread, so that nothing it says comes after the end."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def progress(self, fraction: float, message: str) -> None:
        """The command reports; the record tells it at the next renewal."""
        self._progress = fraction, message

    def ran(self, seconds: float) -> None:
        """The command had the device for so long, whatever came of it."""
        self._attempt = self._attempt.model_copy(update={"device_s": seconds})

    def command_done(self, result: Binary) -> None:
        """The command is done, or was before: tell what its result is."""
        if result != NOTHING:
            self.sha256 = hashlib.sha256(result.data).hexdigest()

    def stored(self, address: str) -> None:
        """A task put the result there."""
        self.results.append(address)

    def post_mortem(self, last: Attempt) -> PostMortem:
        """What a dead letter is to tell of the job whose attempts end with this one."""
        told = {"host", "device", "started_at", "ended_at", "outcome", "reason"}
        attempts = [
            attempt.model_dump(mode="json", include=told, exclude_none=True)
            for attempt in (*self._earlier, last)
        ]
        return PostMortem(
            error=last.error, place=last.place, attempts=tuple(attempts), log=last.log
        )

    def ended(self, outcome: State, **fields: object) -> Attempt:
        """The attempt as it is at its end, with further fields."""
        update = {"ended_at": time.time(), "outcome": outcome, **fields}
        return self._attempt.model_copy(update=update)

    def end(self, last: Attempt) -> None:
        """The attempt is over, as `last` tells."""
        if not self._is_kept:
            return

        def change(before: JobRecord | None) -> JobRecord | None:
            if before is None:
                return None
            after = before.ended(self._number, last, self._price_per_hour)
            if after is before or last.outcome is not State.SUCCEEDED:
                return after
            return after.model_copy(
                update={"results": tuple(self.results), "result_sha256": self.sha256}
            )

        self._write(change)

    def _renew(self) -> None:
        while not self._closed.wait(INTERVAL_S):
            fraction, message = self._progress
            progress = Progress(fraction=fraction, message=message, at=time.time())

            def change(before: JobRecord | None, progress: Progress = progress) -> JobRecord | None:
                return None if before is None else before.progressed(self._number, progress)

            after = self._write(change)
            if after is not None and after.cancel_requested_at is not None and self._lease:
                self._lease.revoke(Cancelled("it was cancelled while it ran"))
                return

    def _write(self, change: Callable[[JobRecord | None], JobRecord | None]) -> JobRecord | None:
        """What the record is after the change; None if there is no telling."""
        assert self._records is not None  # noqa: S101 (there is an attempt)
        try:
            return self._records.update(self._job_id, change)
        except GpuqueueError as error:
            hint = "" if isinstance(error, TransientError) else "; check state_bucket"
            self._log.warning(
                Event.RECORD_UNREACHABLE, f"The job's record cannot be kept: {error}{hint}."
            )
            return None
