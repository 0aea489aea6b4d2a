"""Candidates that take turns: machines speed up and slow down, so only neighbours compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")

Clock = Callable[[], float]
#: Seconds of the processor, all threads of this process: what other processes do counts least.
CPU: Clock = time.process_time
#: Seconds on the wall, for what waits: a GPU, other processes.
WALL: Clock = time.perf_counter


def timed(action: Callable[[], T], clock: Clock = CPU) -> tuple[float, T]:
    """Seconds of one action, and its result."""
    start = clock()
    result = action()
    return clock() - start, result


def take_turns(
    candidates: Mapping[str, Callable[[], object]], rounds: int, clock: Clock = CPU
) -> dict[str, list[float]]:
    """Seconds of every round of every candidate; warm them up before."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, action in candidates.items():
            seconds[name].append(timed(action, clock)[0])
    return seconds
