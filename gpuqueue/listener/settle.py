"""The end of a job that did not end well: its message goes where its error says."""

from __future__ import annotations

import logging
from typing import Protocol

from gpuqueue.errors import Cancelled, GpuqueueError, Interrupted, LeaseLost
from gpuqueue.listener.fate import Action, Fate, fate_of
from gpuqueue.listener.job_log import JobLog
from gpuqueue.log import Event
from gpuqueue.queues import Message, PostMortem, Queue
from gpuqueue.records import State


class Teller(Protocol):
    """Who is told what became of a try."""

    def post_mortem(self, error: Exception, reason: str) -> PostMortem:
        """What is known of a job that is to be given up."""

    def tell(self, outcome: State, error: Exception, reason: str) -> None:
        """The try ended so, by this error and its text."""


def settle(
    queue: Queue,
    message: Message,
    error: Exception,
    max_backoff_s: float,
    log: JobLog,
    teller: Teller,
) -> None:
    """Log why the job did not end, then give its message the fate of that error.

    What `teller` writes down comes before the message goes back, since another listener may take it
    at once, and after it has gone to the dead letters, since they may not take it.
    Raises nothing: if the queue cannot be reached, the visibility time-out does the same later.
    """
    reason = reason_of(error)
    _log_failure(error, reason, log)
    fate = fate_of(error, message.receives, max_backoff_s)
    try:
        if fate.action is Action.RELEASE and _is_last_try(queue, message):
            reason += f" (try {message.receives}, the last that the queue allows)"
            fate = Fate(Action.DEAD_LETTER, fate.delay_s)
        if fate.action is Action.DEAD_LETTER:
            if _dead_letter(queue, message, reason, teller.post_mortem(error, reason), log):
                return teller.tell(State.DEAD, error, reason)
            fate = Fate(Action.RELEASE, fate.delay_s or max_backoff_s)
        if fate.action is Action.RELEASE:
            teller.tell(State.FAILED, error, reason)
            _release(queue, message, fate, reason, log)
        elif fate.action is Action.HAND_BACK:
            teller.tell(State.INTERRUPTED, error, reason)
            _hand_back(queue, message, reason, log)
        elif fate.action is Action.DELETE:
            teller.tell(State.CANCELLED, error, reason)
            queue.delete(message)
    except LeaseLost as lost:
        log.warning(Event.LEASE_LOST, f"Job left alone: {lost}.")
    except Exception as failure:
        log.warning(
            Event.QUEUE_UNREACHABLE,
            f"Job could not be given back ({reason_of(failure)}); it comes back by itself when "
            "its visibility time is over.",
        )


def reason_of(error: Exception) -> str:
    """The error's text; for one that nobody raised on purpose, with its class."""
    text = str(error)
    return text if isinstance(error, GpuqueueError) and text else f"{type(error).__name__}: {text}"


def _log_failure(error: Exception, reason: str, log: JobLog) -> None:
    if isinstance(error, LeaseLost):
        log.warning(Event.LEASE_LOST, f"Job left alone: {reason}.")
    elif isinstance(error, Interrupted):
        log.event(Event.JOB_INTERRUPTED, f"Job interrupted: {reason}.")
    elif isinstance(error, Cancelled):
        log.event(Event.JOB_CANCELLED, f"Job not done, removing from queue: {reason}.")
    else:
        bug = None if isinstance(error, GpuqueueError) else error
        log.event(Event.JOB_FAILED, f"Job failed: {reason}", level=logging.ERROR, exc_info=bug)


def _is_last_try(queue: Queue, message: Message) -> bool:
    """Whether the queue would make the message a dead letter by itself, and tell nobody why."""
    limit = queue.max_receives()
    return limit is not None and message.receives >= limit


def _dead_letter(
    queue: Queue, message: Message, reason: str, post_mortem: PostMortem, log: JobLog
) -> bool:
    """Whether the message is in the dead-letter queue now; if not, it is still held."""
    try:
        queue.dead_letter(message, reason, post_mortem)
    except LeaseLost:
        raise
    except Exception as failure:
        log.warning(
            Event.QUEUE_UNREACHABLE,
            f"Job cannot be moved to a dead-letter queue: {reason_of(failure)}.",
        )
        return False
    log.warning(Event.JOB_DEAD, "Job given up, moved to the dead-letter queue.")
    return True


def _hand_back(queue: Queue, message: Message, reason: str, log: JobLog) -> None:
    queue.hand_back(message, reason)
    log.event(
        Event.JOB_RELEASED,
        "Job returned to queue, visible now; this try does not count.",
        delay_s=0,
        receives=message.receives,
    )


def _release(queue: Queue, message: Message, fate: Fate, reason: str, log: JobLog) -> None:
    queue.release(message, fate.delay_s, reason)
    when = f"in {fate.delay_s:.0f} s" if fate.delay_s else "now"
    log.event(
        Event.JOB_RELEASED,
        f"Job returned to queue, visible {when}; received {message.receives} times so far.",
        delay_s=fate.delay_s,
        receives=message.receives,
    )
