"""The record of one job: where it is, how it got there, and what came of it.

A record only moves forward: by the number of its attempts, and within an attempt by its state. A
listener that lost its job to another one therefore cannot overwrite what that one says.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict

#: Attempts that a record tells one by one; of more, the first ones are only counted.
MAX_ATTEMPTS = 50


class State(StrEnum):
    """Where a job is. From the last three there is no way back but a redrive of the dead."""

    QUEUED = "queued"
    RUNNING = "running"
    #: The last try failed, was handed back or vanished; the job waits for the next one.
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    DEAD = "dead"

    @property
    def is_final(self) -> bool:
        """Whether no listener will work on the job any more."""
        return self in (State.SUCCEEDED, State.CANCELLED, State.DEAD)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Attempt(_Frozen):
    """One try of a job. Times are seconds since 1970."""

    host: str
    started_at: float
    #: The queue's own count of receives, interrupted tries among them.
    receives: int
    ended_at: float | None = None
    #: failed, interrupted, succeeded, cancelled or dead; running while it is going on.
    outcome: State = State.RUNNING
    #: Class and text of the error that ended it.
    error: str | None = None
    reason: str | None = None
    #: ``file:line:column`` of the scene that the error names.
    place: str | None = None
    #: What the command ran on, once one has said so.
    device: str | None = None
    #: The last lines of a try that failed; kept of the last attempt alone.
    log: tuple[str, ...] = ()
    #: Seconds for which the command held the device.
    device_s: float = 0


class Progress(_Frozen):
    """How far the command of the last attempt is."""

    fraction: float
    message: str
    at: float


class JobRecord(_Frozen):
    """One job. Its methods return what it becomes, or itself where that would be a step back."""

    version: int = 1
    id: str
    command: str
    queue: str
    reference: str | None = None
    #: The jobs of one submit of several frames, and which of them this is.
    group: str | None = None
    frame: int | None = None
    state: State = State.QUEUED
    submitted_at: float | None = None
    updated_at: float
    cancel_requested_at: float | None = None
    attempts: tuple[Attempt, ...] = ()
    #: Attempts before those that are told.
    earlier_attempts: int = 0
    progress: Progress | None = None
    #: Into how many parts the job is split; 0: none. And the number of the one that merges them.
    parts: int = 0
    merger: int | None = None
    #: Where the tasks put the result, in their order.
    results: tuple[str, ...] = ()
    result_sha256: str | None = None
    #: In the unit of the configuration's price_per_hour.
    cost: float | None = None

    @property
    def attempt_count(self) -> int:
        """How many tries there have been; also the number of the last one."""
        return self.earlier_attempts + len(self.attempts)

    @property
    def device_s(self) -> float:
        """Seconds for which commands held a device, in the attempts that are told."""
        return sum(attempt.device_s for attempt in self.attempts)

    @property
    def eta_at(self) -> float | None:
        """When the command will be done if it goes on as it did so far."""
        at = self.progress
        if self.state is not State.RUNNING or at is None or at.fraction <= 0:
            return None
        start = self.attempts[-1].started_at
        return start + (at.at - start) / min(at.fraction, 1.0)

    def with_parts(self, parts: Sequence[JobRecord]) -> Self:
        """What the parts that have begun come to: attempts and cost of all, and their state."""
        attempts = sorted((a for part in parts for a in part.attempts), key=lambda a: a.started_at)
        kept = tuple(attempts[-MAX_ATTEMPTS:])
        costs = [part.cost for part in parts if part.cost is not None]
        update = {
            "attempts": kept,
            "earlier_attempts": sum(part.attempt_count for part in parts) - len(kept),
            "cost": sum(costs) if costs else None,
            "updated_at": max([self.updated_at, *(part.updated_at for part in parts)]),
        }
        if not self.state.is_final:
            update |= {"state": _state_of(parts), "progress": _progress_of(parts, self.parts)}
        return self.model_copy(update=update)

    def begun(self, attempt: Attempt) -> Self:
        """A listener starts on the job. One that never told its end has vanished."""
        if self.state in (State.SUCCEEDED, State.CANCELLED):
            return self
        past = [_vanished(a, attempt.started_at, ()) for a in self.attempts]
        kept = tuple([*past, attempt][-MAX_ATTEMPTS:])
        return self.model_copy(
            update={
                "state": State.RUNNING,
                "attempts": kept,
                "earlier_attempts": self.attempt_count + 1 - len(kept),
                "progress": None,
                "updated_at": attempt.started_at,
            }
        )

    def progressed(self, number: int, progress: Progress) -> Self:
        """The command of attempt `number` reports."""
        if not self._is_going_on(number):
            return self
        return self.model_copy(update={"progress": progress, "updated_at": progress.at})

    def ended(self, number: int, last: Attempt, price_per_hour: float | None) -> Self:
        """Attempt `number` is over, as `last` tells."""
        if not self._is_going_on(number):
            return self
        attempts = (*self.attempts[:-1], last)
        is_unwanted = self.cancel_requested_at is not None and not last.outcome.is_final
        seconds = sum(attempt.device_s for attempt in attempts)
        cost = None if price_per_hour is None else seconds * price_per_hour / 3600
        return self.model_copy(
            update={
                "state": State.CANCELLED if is_unwanted else last.outcome,
                "attempts": attempts,
                "cost": cost,
                "updated_at": last.ended_at or self.updated_at,
            }
        )

    def unheard_of(self, now: float, patience_s: float, max_receives: int | None) -> Self:
        """What has become of a running job whose listener was last heard of too long ago.

        The queue gives it to another one, unless it was its last receive.
        """
        if self.state is not State.RUNNING or now - self.updated_at <= patience_s:
            return self
        lost = _vanished(self.attempts[-1], self.updated_at)
        is_over = max_receives is not None and lost.receives >= max_receives
        is_unwanted = self.cancel_requested_at is not None
        state = State.CANCELLED if is_unwanted else State.DEAD if is_over else State.FAILED
        return self.model_copy(update={"state": state, "attempts": (*self.attempts[:-1], lost)})

    def buried(self, now: float, patience_s: float) -> Self:
        """The queue's own policy made a dead letter of the job, since its machine was lost."""
        known = self.unheard_of(now, patience_s, None)
        if known.state.is_final or known.state is State.RUNNING:
            return known
        return known.model_copy(update={"state": State.DEAD, "updated_at": now})

    def redriven(self, now: float) -> Self:
        """An operator sent the dead job back to its queue."""
        if self.state is not State.DEAD:
            return self
        return self.model_copy(update={"state": State.QUEUED, "updated_at": now})

    def cancelled(self, now: float) -> Self:
        """Somebody wants the job no more: a waiting one is cancelled, a running one is to be."""
        if self.state.is_final or self.cancel_requested_at is not None:
            return self
        state = self.state if self.state is State.RUNNING else State.CANCELLED
        return self.model_copy(
            update={"state": state, "cancel_requested_at": now, "updated_at": now}
        )

    def _is_going_on(self, number: int) -> bool:
        return self.state is State.RUNNING and number == self.attempt_count


def _state_of(parts: Sequence[JobRecord]) -> State:
    """Of a job that is not done yet: the state of the part that has most to say."""
    states = {part.state for part in parts}
    for state in (State.DEAD, State.RUNNING, State.FAILED, State.INTERRUPTED):
        if state in states:
            return state
    return State.RUNNING if State.SUCCEEDED in states else State.QUEUED


def _progress_of(parts: Sequence[JobRecord], count: int) -> Progress | None:
    """The mean of all parts; those that have not begun count as well."""
    done = sum(part.state is State.SUCCEEDED for part in parts)
    going = [p.progress for p in parts if p.state is not State.SUCCEEDED and p.progress is not None]
    if not done and not going:
        return None
    return Progress(
        fraction=(done + sum(progress.fraction for progress in going)) / count,
        message=f"{done} of {count} parts done",
        at=max(part.updated_at for part in parts),
    )


def _vanished(attempt: Attempt, now: float, log: tuple[str, ...] | None = None) -> Attempt:
    """The attempt, ended if nobody did; with other lines of `log`, if any are given."""
    kept = attempt if log is None else attempt.model_copy(update={"log": log})
    if kept.outcome is not State.RUNNING:
        return kept
    reason = "its listener never told the end: the machine or the process was lost"
    return kept.model_copy(update={"outcome": State.FAILED, "ended_at": now, "reason": reason})
