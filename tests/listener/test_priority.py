"""A listener with a priority queue: its jobs come first, and neither queue waits for the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpuqueue.config import Settings
from gpuqueue.config.settings import (
    LocalQueueSettings,
    LocalSettings,
    Misfit,
    QueueManagerSettings,
)
from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.listener.priority import PriorityPair, listening_queue
from gpuqueue.queues import Message, Queue, QueueCounts, open_queue

from .fakes import FakeQueue, message

#: Far longer than any answer that a test waits for.
WAIT_S = 20.0


class Poll:
    """A queue whose open poll is answered when a test says so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.polls = 0
        self.returned: list[Message] = []
        self._changed = threading.Condition()
        self._messages: list[Message] = []
        self._is_over = False

    def receive(self, wait_s: float) -> Message | None:
        with self._changed:
            self.polls += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._messages or self._is_over, wait_s)
            return self._messages.pop(0) if self._messages else None

    def hand_back(self, message: Message, reason: str = "") -> None:
        with self._changed:
            self.returned.append(message)
            self._changed.notify_all()

    def bring(self, id_: str) -> None:
        with self._changed:
            self._messages.append(message(id_=id_))
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait_until(self, polls: int = 0, returned: int = 0) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: self.polls >= polls and len(self.returned) >= returned, WAIT_S
            )


class Pair:
    """Two queues and the pair of them."""

    def __init__(self) -> None:
        self.first, self.second = Poll("first"), Poll("second")
        self.pair = PriorityPair(self.first, self.second)  # type: ignore[arg-type]

    def receive_later(self) -> tuple[threading.Thread, list[Message | None]]:
        found: list[Message | None] = []
        thread = threading.Thread(target=lambda: found.append(self.pair.receive(WAIT_S)))
        thread.start()
        return thread, found


@pytest.fixture
def both() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.first.end()
    pair.second.end()
    pair.pair.close(WAIT_S)


def id_of(found: Message | None) -> str | None:
    return None if found is None else found.id


def test_what_waits_in_the_first_queue_comes_first(both: Pair) -> None:
    both.second.bring("second")
    both.first.bring("first")
    assert id_of(both.pair.receive(WAIT_S)) == "first"
    assert both.pair.name == "first"
    assert id_of(both.pair.receive(WAIT_S)) == "second"
    assert both.pair.name == "second"


@pytest.mark.parametrize("which", ["first", "second"])
def test_a_message_of_either_ends_the_wait_at_once(both: Pair, which: str) -> None:
    thread, found = both.receive_later()
    both.first.wait_until(polls=2)
    both.second.wait_until(polls=1)
    getattr(both, which).bring("m")
    thread.join(WAIT_S / 2)
    assert not thread.is_alive(), "it waited for the other queue's poll"
    assert [id_of(m) for m in found] == ["m"]


def test_what_an_open_poll_brings_while_a_job_is_in_hand_goes_back(both: Pair) -> None:
    both.second.bring("in hand")
    assert id_of(both.pair.receive(WAIT_S)) == "in hand"
    both.first.wait_until(polls=2)
    both.first.bring("too late")
    both.first.wait_until(returned=1)
    assert [m.id for m in both.first.returned] == ["too late"]
    assert both.pair.name == "second", "verbs still go to the queue of the job in hand"
    both.first.bring("too late")
    assert id_of(both.pair.receive(WAIT_S)) == "too late"


def test_an_open_poll_is_the_next_wait_s_as_well(both: Pair) -> None:
    both.second.bring("one")
    assert both.pair.receive(WAIT_S) is not None
    both.first.wait_until(polls=2)
    thread, found = both.receive_later()
    both.second.wait_until(polls=2)
    both.first.bring("two")
    thread.join(WAIT_S / 2)
    assert [id_of(m) for m in found] == ["two"]
    assert both.first.polls == 2, "no second poll beside the open one"


def test_without_messages_it_waits_as_long_as_it_is_told() -> None:
    queue, other = FakeQueue("a"), FakeQueue("b")
    start = time.monotonic()
    assert PriorityPair(queue, other).receive(0.1) is None
    assert time.monotonic() - start < WAIT_S


@pytest.mark.parametrize("is_first", [True, False])
def test_a_queue_that_fails_does_not_hinder_the_other(
    is_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    broken = FakeQueue("broken").failing("receive", *[TransientError("no route")] * 9)
    good = FakeQueue("good")
    good.waiting.append(message(id_="m"))
    pair = PriorityPair(broken, good) if is_first else PriorityPair(good, broken)
    assert id_of(pair.receive(WAIT_S)) == "m"
    if not is_first:
        pair.receive(0.1)
    assert any("[broken] Queue cannot be used: no route" in line for line in caplog.messages)
    good.waiting.append(message(id_="n"))
    assert id_of(pair.receive(WAIT_S)) == "n"


def test_if_both_fail_the_error_is_raised() -> None:
    def broken(name: str) -> FakeQueue:
        return FakeQueue(name).failing("receive", *[TransientError(f"no {name}")] * 9)

    with pytest.raises(TransientError, match="no second"):
        PriorityPair(broken("first"), broken("second")).receive(WAIT_S)


def settings_with(tmp_path: Path, **names: str) -> Settings:
    queues = tuple(
        LocalQueueSettings(name=name, path=tmp_path / f"{name}.sqlite") for name in ("low", "high")
    )
    return Settings(
        queue_manager=QueueManagerSettings(**names),  # type: ignore[arg-type]
        local=LocalSettings(queues=queues),
    )


def test_the_configured_queues_are_served_with_all_verbs(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, listen_queue="low", priority_queue="high")
    low, high = open_queue(settings, "low"), open_queue(settings, "high")
    low.send("low", "1")
    high.send("high", "2")
    with listening_queue(settings, "low", 1) as queue:
        queue.check()
        assert queue.counts() == QueueCounts(2, 0, 0)
        done = [_handle(queue) for _ in range(2)]
    assert done == [("high", "high"), ("low", "low")]
    assert low.counts() == high.counts() == QueueCounts(0, 0, 0)


def _handle(queue: Queue) -> tuple[str, str]:
    message = queue.receive(1)
    assert message is not None
    queue.extend(message, 60)
    assert queue.max_receives() == 5
    queue.delete(message)
    return queue.name, message.body


def test_without_a_priority_queue_the_queue_is_itself(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, listen_queue="low")
    with listening_queue(settings, "low", 1) as queue:
        assert not isinstance(queue, PriorityPair)


@pytest.mark.parametrize(
    ("names", "message_"),
    [
        ({"priority_queue": "high"}, "expected listen_queue beside it"),
        ({"priority_queue": "low", "listen_queue": "low"}, "expected another queue"),
        ({"priority_queue": "none", "listen_queue": "low"}, "'none' is not a configured queue"),
    ],
)
def test_a_priority_queue_that_cannot_be_is_refused(
    tmp_path: Path, names: dict[str, str], message_: str
) -> None:
    with pytest.raises((ConfigError, Misfit, ValueError), match=message_):
        settings_with(tmp_path, **names)
