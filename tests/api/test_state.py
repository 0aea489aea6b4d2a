"""What a front end tells of its queues when they do not answer as they should."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpuqueue.api import state
from gpuqueue.api.state import State, Watch
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.queues import QueueCounts


class FakeQueue:
    """A queue whose counts are what a test says."""

    def __init__(self, counts: Callable[[], QueueCounts]) -> None:
        self.counts = counts


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return embedded_settings(tmp_path)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], QueueCounts]], None]:
    """Sets what the queue answers."""

    def set_answer(counts: Callable[[], QueueCounts]) -> None:
        monkeypatch.setattr(state, "open_queue", lambda _settings, _name: FakeQueue(counts))

    return set_answer


@pytest.fixture
def never() -> Iterator[Callable[[], QueueCounts]]:
    """An answer that does not come before the end of the test."""
    end = threading.Event()

    def wait() -> QueueCounts:
        end.wait(30)
        return QueueCounts(0, 0, 0)

    yield wait
    end.set()


def ask(settings: Settings, times: int = 1, **bounds: float) -> State:
    async def run() -> State:
        watch = Watch(settings, **bounds)
        try:
            for _ in range(times):
                found = await watch.state()
            return found
        finally:
            watch.close()

    return asyncio.run(run())


def test_a_queue_that_does_not_answer_is_not_waited_for(
    settings: Settings,
    answer: Callable[[Callable[[], QueueCounts]], None],
    never: Callable[[], QueueCounts],
) -> None:
    answer(never)
    found = ask(settings, patience_s=0.05)
    assert found.queues[0].problem == "no answer in time"
    assert found.buckets[0].problem is None
    assert not found.is_ready


def test_a_queue_that_does_not_answer_is_asked_once_and_holds_up_no_other(
    settings: Settings,
    answer: Callable[[Callable[[], QueueCounts]], None],
    never: Callable[[], QueueCounts],
) -> None:
    asked = []

    def hang() -> QueueCounts:
        asked.append(1)
        return never()

    answer(hang)
    found = ask(settings, times=20, kept_s=-1, patience_s=0.02)
    assert (len(asked), found.buckets[0].problem) == (1, None)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (TransientError("https://secret"), "cannot be reached"),
        (ConfigError("/secret"), "cannot be used as configured"),
        (ZeroDivisionError("secret"), "cannot be asked"),
    ],
)
def test_a_problem_is_told_in_words_for_strangers(
    settings: Settings,
    answer: Callable[[Callable[[], QueueCounts]], None],
    error: Exception,
    problem: str,
) -> None:
    def fail() -> QueueCounts:
        raise error

    answer(fail)
    assert ask(settings).queues[0].problem == problem


def test_many_lookers_ask_once(
    settings: Settings, answer: Callable[[Callable[[], QueueCounts]], None]
) -> None:
    asked = []

    def count() -> QueueCounts:
        asked.append(1)
        return QueueCounts(1, 2, 3)

    answer(count)
    assert ask(settings, times=20).queues[0].counts == QueueCounts(1, 2, 3)
    assert len(asked) == 1
    ask(settings, times=3, kept_s=-1)
    assert len(asked) == 4


def test_one_problem_is_logged_once(
    settings: Settings,
    answer: Callable[[Callable[[], QueueCounts]], None],
    records: list,
) -> None:
    def fail() -> QueueCounts:
        raise TransientError("the address")

    answer(fail)
    ask(settings, times=5, kept_s=-1)
    assert sum("the address" in record.getMessage() for record in records) == 1
