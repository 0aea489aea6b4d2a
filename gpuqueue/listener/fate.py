"""What becomes of a message whose job did not end well: a table of exception classes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from gpuqueue.errors import (
    Cancelled,
    DeviceLost,
    Interrupted,
    InvalidJob,
    LeaseLost,
    TransientError,
)

#: The first try's longest wait, doubled by each further receive.
BACKOFF_BASE_S = 15


class Action(Enum):
    """What to do with the message."""

    DEAD_LETTER = auto()
    RELEASE = auto()
    HAND_BACK = auto()
    DELETE = auto()
    LEAVE = auto()


@dataclass(frozen=True)
class Fate:
    """What happens to the message, and after how many seconds it can be seen again."""

    action: Action
    delay_s: float = 0


def fate_of(
    error: BaseException,
    receives: int,
    max_backoff_s: float,
    uniform: Callable[[float, float], float] = random.uniform,
) -> Fate:
    """The fate of a message whose job raised `error` on its `receives`-th try.

    An error of a class that is not in the table is a failed try. If the other side asked for a
    wait, there is at least that one, within `max_backoff_s`.
    """
    for classes, fate in _TABLE:
        if isinstance(error, classes):
            return fate
    delay_s = uniform(0, backoff_bound(receives, BACKOFF_BASE_S, max_backoff_s))
    asked_s = (error.retry_after_s or 0) if isinstance(error, TransientError) else 0
    return Fate(Action.RELEASE, max(delay_s, min(asked_s, max_backoff_s)))


def backoff_bound(tries: int, base_s: float, max_s: float) -> float:
    """The longest wait after `tries` tries: doubled by each, at most `max_s`.

    A wait is drawn from all of [0, bound] ("full jitter"), so that what failed together does not
    come back together.
    """
    # No sum of doublings beyond 2**20 is below any max_s; without the bound 2.0 ** tries overflows.
    return min(max_s, base_s * 2.0 ** min(max(tries - 1, 0), 20))


_TABLE: tuple[tuple[type[BaseException], Fate], ...] = (
    (LeaseLost, Fate(Action.LEAVE)),
    (InvalidJob, Fate(Action.DEAD_LETTER)),
    (Interrupted, Fate(Action.HAND_BACK)),
    (Cancelled, Fate(Action.DELETE)),
    (DeviceLost, Fate(Action.RELEASE)),
)
