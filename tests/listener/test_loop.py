"""The loop: one message at a time, patient with the queue, wary of its machine."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable

import pytest

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.config.settings import QueueManagerSettings
from gpuqueue.errors import ConfigError, DeviceLost, JobFailed, TransientError
from gpuqueue.listener import Shutdown, loop, run_listener
from gpuqueue.listener.loop import Listener

from .fakes import FakeQueue, FakeRunner, message

SETTINGS = Settings(queue_manager=QueueManagerSettings(allow_command=frozenset({"get_version"})))
BODY = json.dumps({"command": "get_version"})
RESULT = Binary(b"1", "application/json")
LOST = DeviceLost("killed by SIGSEGV")


def stop_after(polls: int, queue: FakeQueue) -> Shutdown:
    shutdown, left = Shutdown(), iter(range(polls, -1, -1))

    def count() -> None:
        if next(left) == 0:
            shutdown.request()

    queue.on_receive = count
    return shutdown


def listen(queue: FakeQueue, runner: FakeRunner, shutdown: Shutdown) -> None:
    Listener(SETTINGS, queue, runner, shutdown).run()  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "UNREACHABLE_BASE_S", 0.001)
    monkeypatch.setattr(loop, "MIN_POLL_S", 0.001)


def test_messages_are_taken_one_at_a_time_in_order() -> None:
    queue, runner = FakeQueue(), FakeRunner(RESULT)
    queue.waiting.extend(message(BODY, id_=f"m{number}") for number in range(3))
    listen(queue, runner, stop_after(5, queue))
    verbs = [call[0] for call in queue.calls if call[0] in ("receive", "delete")]
    assert verbs[:6] == ["receive", "delete"] * 3


def test_a_message_of_a_poll_that_outlived_the_request_to_stop_is_handed_back() -> None:
    queue, runner = FakeQueue(), FakeRunner(RESULT)
    queue.waiting.append(message(BODY))
    listen(queue, runner, stop_after(0, queue))
    assert not runner.ran
    assert len(queue.did("hand_back")) == 1
    assert not queue.did("delete")


def test_an_unreachable_queue_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    errors = [TransientError("no route"), ConfigError("no such queue"), RuntimeError("a bug")]
    queue, runner = FakeQueue().failing("receive", *errors), FakeRunner(RESULT)
    queue.waiting.append(message(BODY))
    with caplog.at_level(logging.INFO, "gpuqueue"):
        listen(queue, runner, stop_after(4, queue))
    assert len(runner.ran) == 1
    for error in errors:
        assert any(f"{error}; next try in" in line for line in caplog.messages)


def test_a_poll_that_brings_nothing_at_once_is_waited_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "MIN_POLL_S", 0.1)
    queue = FakeQueue()
    started = time.monotonic()
    listen(queue, FakeRunner(RESULT), stop_after(3, queue))
    assert time.monotonic() - started >= 0.3


def test_a_queue_that_cannot_be_reached_at_the_start_is_waited_for_too() -> None:
    queue, runner = FakeQueue().failing("check", TransientError("no route")), FakeRunner(RESULT)
    queue.waiting.append(message(BODY))
    listen(queue, runner, stop_after(1, queue))
    assert len(runner.ran) == 1


def test_a_queue_that_may_not_be_used_ends_the_listener_at_the_start() -> None:
    queue = FakeQueue().failing("check", ConfigError("access denied"))
    with pytest.raises(ConfigError, match="access denied"):
        listen(queue, FakeRunner(RESULT), Shutdown())
    assert not queue.did("receive")


def jobs(*ids: str) -> FakeQueue:
    queue = FakeQueue()
    queue.waiting.extend(message(BODY, id_=id_) for id_ in ids)
    return queue


def test_three_jobs_that_lose_the_device_stop_a_bad_machine() -> None:
    queue = jobs("a", "b", "c", "d")
    with pytest.raises(DeviceLost, match=r"3 jobs lost the device.*SIGSEGV"):
        listen(queue, FakeRunner(LOST), stop_after(9, queue))
    assert [delay_s for _, delay_s in queue.did("release")] == [0, 0, 0]
    assert len(queue.waiting) == 1, "the next job is left to a good machine"


def test_how_many_is_a_setting() -> None:
    manager = SETTINGS.queue_manager.model_copy(update={"max_devices_lost": 1})
    settings = SETTINGS.model_copy(update={"queue_manager": manager})
    queue = jobs("a", "b")
    listener = Listener(settings, queue, FakeRunner(LOST), stop_after(9, queue))  # type: ignore[arg-type]
    with pytest.raises(DeviceLost, match="1 jobs lost the device"):
        listener.run()
    assert len(queue.waiting) == 1


def test_a_machine_that_fails_its_self_test_takes_no_job() -> None:
    class Bad(FakeRunner):
        def start(self) -> None:
            raise DeviceLost("the self-test failed")

    queue = jobs("a")
    with pytest.raises(DeviceLost, match="self-test"):
        listen(queue, Bad(RESULT), stop_after(9, queue))
    assert not queue.calls


def test_one_poisonous_job_does_not_stop_a_good_machine() -> None:
    queue = jobs("a", "a", "a", "a", "a", "b")
    listen(queue, FakeRunner(*[LOST] * 5, RESULT), stop_after(9, queue))
    assert [m.id for (m,) in queue.did("delete")] == ["b"]


@pytest.mark.parametrize("outcome", [RESULT, lambda _: RESULT])
def test_a_job_that_is_done_clears_the_machine(outcome: Binary | Callable[..., Binary]) -> None:
    queue = jobs("a", "b", "c", "d", "e")
    listen(queue, FakeRunner(LOST, LOST, outcome, LOST, JobFailed("x")), stop_after(9, queue))
    assert len(queue.did("release")) == 4


def test_without_a_queue_to_listen_to_there_is_no_listener() -> None:
    with pytest.raises(ConfigError, match="listen_queue is not set"):
        run_listener(Settings())


def test_it_says_when_it_works_and_when_it_waits_but_not_between_jobs() -> None:
    queue, told = jobs("a", "b"), []
    shutdown = stop_after(4, queue)
    listener = Listener(SETTINGS, queue, FakeRunner(RESULT), shutdown, work=told.append)  # type: ignore[arg-type]
    listener.run()
    assert told == [True, True, False, False, False]


def test_a_message_that_is_handed_back_is_no_work() -> None:
    queue, told = jobs("a"), []
    shutdown = stop_after(0, queue)
    listener = Listener(SETTINGS, queue, FakeRunner(RESULT), shutdown, work=told.append)  # type: ignore[arg-type]
    listener.run()
    assert told == []
