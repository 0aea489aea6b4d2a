"""One message: done and deleted, or given the fate of its error."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.config.settings import QueueManagerSettings
from gpuqueue.errors import (
    Cancelled,
    ConfigError,
    DeviceLost,
    GpuqueueError,
    Interrupted,
    InvalidJob,
    JobFailed,
    LeaseLost,
    SceneError,
    TransientError,
)
from gpuqueue.listener import failure_notice
from gpuqueue.listener import handler as handling
from gpuqueue.listener import retry as retrying
from gpuqueue.listener import spool as spooled
from gpuqueue.listener.handler import Handler
from gpuqueue.listener.lease import Lease
from gpuqueue.tasks import TASKS, TaskConfig, TaskContext

from .fakes import LOST, Clock, FakeQueue, FakeRunner, lease_of, message

SETTINGS = Settings(
    queue_manager=QueueManagerSettings(allow_command=frozenset({"get_version"}), max_backoff_s=100)
)
RESULT = Binary(b'"1.0"', "application/json")


class NoteConfig(TaskConfig):
    text: str


class Note:
    """A task that remembers its runs and fails as told."""

    name: ClassVar[str] = "note"
    Config: ClassVar[type[TaskConfig]] = NoteConfig
    runs: ClassVar[list[tuple[str, int, Binary]]] = []
    errors: ClassVar[deque[Exception]] = deque()

    @staticmethod
    def check(config: NoteConfig, settings: Settings) -> None:
        if config.text == "impossible":
            raise InvalidJob("text cannot be that")

    @staticmethod
    def run(config: NoteConfig, result: Binary, context: TaskContext) -> None:
        Note.runs.append((context.substitute(config.text, result), context.index, result))
        if Note.errors:
            raise Note.errors.popleft()


@pytest.fixture(autouse=True)
def note_task(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(TASKS._entries, "note", Note)
    monkeypatch.setattr(retrying, "RETRY_BASE_S", 0.001)
    yield
    Note.runs.clear()
    Note.errors.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    for module in (retrying, handling):
        monkeypatch.setattr(module.time, "monotonic", moved)
    return moved


def body(**fields: Any) -> str:
    tasks = [{"name": "note", "config": {"text": "${message_id}.${mime_ext}"}}]
    return json.dumps({"id": "job-1", "command": "get_version", "tasks": tasks, **fields})


def handle(
    queue: FakeQueue, runner: FakeRunner, text: str | None = None, lease: Lease | None = None
) -> Exception | None:
    received = message(body() if text is None else text, receives=2)
    return Handler(SETTINGS, queue, runner).handle(received, lease or lease_of(received))


def test_a_job_is_run_then_its_tasks_then_it_is_deleted_and_each_step_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = FakeQueue()
    tasks = [{"name": "note", "config": {"text": text}} for text in ("${message_id}", "b")]
    with caplog.at_level(logging.INFO, "gpuqueue"):
        assert handle(queue, FakeRunner(RESULT), body(tasks=tasks)) is None
    assert Note.runs == [("job-1", 0, RESULT), ("b", 1, RESULT)]
    assert [call[0] for call in queue.calls] == ["delete"]
    assert caplog.messages == [
        f"[q job-1] {text}"
        for text in (
            "Received job from queue.",
            "Executing command: get_version.",
            "Executed command: get_version.",
            "Executing task: note.",
            "Executed task: note.",
            "Executing task: note.",
            "Executed task: note.",
            "Job processed, removing from queue.",
        )
    ]


def test_a_message_inserted_by_hand_without_an_id_takes_the_queues() -> None:
    text = json.dumps({"command": "get_version", "tasks": json.loads(body())["tasks"]})
    assert handle(FakeQueue(), FakeRunner(RESULT), text) is None
    assert Note.runs[0][0] == "m1.json"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 200_000, "not JSON"),
        ('{"command": "get_version", "parameters": {"x": NaN}}', "not JSON"),
        ("[]", "not a job"),
        ("null", "not a job"),
        ("{}", "command: Field required"),
        ('{"command": 7}', "command"),
        ('{"command": "get_version", "colour": 1}', "colour: Extra"),
        ('{"command": "get_version", "version": 2}', "version"),
        ('{"command": "get_version", "id": "../../etc"}', "id: String should match"),
        ('{"command": "get_version", "tasks": {}}', "tasks"),
        (body(command="rm"), "'rm' is not allowed here; allow_command has: get_version"),
        (body(tasks=[{"name": "nope"}]), "unknown task 'nope'; known: http_post, note, s3_upload"),
        (body(tasks=[{"name": "note", "config": {}}]), r"tasks\[0\]: .*text: Field required"),
        (body(tasks=[{"name": "note", "config": {"text": "impossible"}}]), "cannot be that"),
    ],
)
def test_what_can_never_work_is_dead_at_once_with_its_reason_and_is_not_run(
    text: str, why: str
) -> None:
    queue, runner = FakeQueue(), FakeRunner(RESULT)
    error = handle(queue, runner, text)
    assert isinstance(error, InvalidJob)
    [(_, reason)] = queue.did("dead_letter")
    with pytest.raises(InvalidJob, match=why):
        raise InvalidJob(reason)
    assert not runner.ran
    assert not queue.did("delete")


@pytest.mark.parametrize("error", [JobFailed("no"), TransientError("no"), ValueError("no")])
def test_a_failed_command_goes_back_after_a_while_and_no_task_runs(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    queue = FakeQueue()
    with caplog.at_level(logging.INFO, "gpuqueue"):
        assert handle(queue, FakeRunner(error)) is error
    [(_, delay_s)] = queue.did("release")
    assert 0 <= delay_s <= 30
    assert not Note.runs
    assert not queue.did("delete")
    assert any("Job failed: " in line and "no" in line for line in caplog.messages)
    assert any("Job returned to queue, visible in" in line for line in caplog.messages)


def test_a_job_that_lost_the_device_is_visible_again_at_once() -> None:
    queue, error = FakeQueue(), DeviceLost("gpu")
    assert handle(queue, FakeRunner(error)) is error
    assert queue.did("release")[0][1] == 0


def test_an_interrupted_job_goes_back_as_if_it_had_not_been_received() -> None:
    queue, error = FakeQueue(), Interrupted("stop")
    assert handle(queue, FakeRunner(error)) is error
    assert [call[0] for call in queue.calls] == ["hand_back"]


def test_a_lost_lease_touches_neither_tasks_nor_message() -> None:
    def lose(lease: Lease) -> Binary:
        lease.revoke(LOST)
        return RESULT

    queue = FakeQueue()
    assert handle(queue, FakeRunner(lose)) is LOST
    assert not Note.runs
    assert not queue.calls


def test_an_interruption_between_two_tasks_hands_the_job_back() -> None:
    received = message(body(tasks=json.loads(body())["tasks"] * 2))
    lease = lease_of(received)
    Note.errors.append(TransientError("busy"))
    queue, runner = FakeQueue(), FakeRunner(RESULT)
    lease.sleep = lambda _: lease.revoke(Interrupted("stop"))  # type: ignore[method-assign]
    assert isinstance(handle(queue, runner, received.body, lease), Interrupted)
    assert len(Note.runs) == 1
    assert len(queue.did("hand_back")) == 1


@pytest.mark.parametrize("reason", [Interrupted("stop"), JobFailed("too long"), LOST])
def test_a_task_that_hangs_is_left_alone_when_the_lease_ends(
    monkeypatch: pytest.MonkeyPatch, reason: GpuqueueError
) -> None:
    end, received = threading.Event(), message(body())
    lease = lease_of(received)

    def hang(*_: object) -> None:
        lease.revoke(reason)
        end.wait(30)

    monkeypatch.setattr(Note, "run", hang)
    queue = FakeQueue()
    assert handle(queue, FakeRunner(RESULT), received.body, lease) is reason
    assert not queue.did("delete")
    end.set()


def test_a_task_that_fails_for_a_while_is_tried_again_without_running_the_command_again() -> None:
    Note.errors.extend([TransientError("busy"), TransientError("busy", retry_after_s=0.01)])
    queue, runner = FakeQueue(), FakeRunner(RESULT)
    assert handle(queue, runner) is None
    assert len(Note.runs) == 3
    assert len(runner.ran) == 1
    assert len(queue.did("delete")) == 1


def test_a_task_that_keeps_failing_gives_the_job_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "MIN_PATIENCE_S", 0.05)
    Note.errors.extend([TransientError("busy")] * 1000)
    queue = FakeQueue()
    assert isinstance(handle(queue, FakeRunner(RESULT)), TransientError)
    assert 1 < len(Note.runs) < 1000
    assert len(queue.did("release")) == 1


def test_a_task_is_tried_for_as_long_as_the_command_took(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(_: Lease) -> Binary:
        clock.now += 3600
        return RESULT

    received = message(body())
    lease = lease_of(received)
    lease.sleep = lambda seconds: setattr(clock, "now", clock.now + seconds)  # type: ignore[method-assign]
    monkeypatch.setattr(retrying, "RETRY_BASE_S", 100)
    Note.errors.extend([TransientError("busy")] * 1000)
    start = clock.now
    error = handle(FakeQueue(), FakeRunner(render), received.body, lease)
    assert isinstance(error, TransientError)
    assert 3600 + 3600 - retrying.MAX_RETRY_S <= clock.now - start <= 7200


def test_a_retry_waits_as_long_as_the_other_side_asks(clock: Clock) -> None:
    slept: list[float] = []
    received = message(body())
    lease = lease_of(received)
    lease.sleep = slept.append  # type: ignore[method-assign]
    Note.errors.append(TransientError(retry_after_s=7))
    assert handle(FakeQueue(), FakeRunner(RESULT), received.body, lease) is None
    assert 7 <= slept[0] < 7.1


def test_a_wait_that_is_too_long_to_hold_the_job_is_left_to_the_queue() -> None:
    Note.errors.append(TransientError("busy", retry_after_s=80))
    queue = FakeQueue()
    assert isinstance(handle(queue, FakeRunner(RESULT)), TransientError)
    assert 80 <= queue.did("release")[0][1] <= 100


@pytest.mark.parametrize(
    ("error", "verb"), [(InvalidJob("404"), "dead_letter"), (ConfigError("no bucket"), "release")]
)
def test_a_task_that_cannot_work_decides_the_fate_at_once(error: Exception, verb: str) -> None:
    Note.errors.append(error)
    queue = FakeQueue()
    assert handle(queue, FakeRunner(RESULT)) is error
    assert [call[0] for call in queue.calls] == [verb]
    assert len(Note.runs) == 1


def test_a_delete_that_fails_is_tried_again() -> None:
    queue = FakeQueue().failing("delete", *[TransientError("no route")] * 4)
    assert handle(queue, FakeRunner(RESULT)) is None
    assert len(queue.did("delete")) == 5


def test_a_delete_after_the_lease_was_lost_is_left_at_that() -> None:
    queue = FakeQueue().failing("delete", LOST)
    assert isinstance(handle(queue, FakeRunner(RESULT)), LeaseLost)
    assert [call[0] for call in queue.calls] == ["delete"]


@pytest.mark.parametrize("failure", [ConfigError("no dead-letter queue"), TransientError("gone")])
def test_without_a_dead_letter_queue_the_redrive_limit_is_left_to_end_the_job(
    failure: Exception,
) -> None:
    queue = FakeQueue().failing("dead_letter", failure)
    handle(queue, FakeRunner(InvalidJob("bad")))
    assert [call[0] for call in queue.calls] == ["dead_letter", "release"]


@pytest.mark.parametrize("failure", [LOST, TransientError("gone"), RuntimeError("bug")], ids=repr)
def test_a_job_that_cannot_be_given_back_does_not_end_the_listener(failure: Exception) -> None:
    queue = FakeQueue().failing("release", failure)
    assert isinstance(handle(queue, FakeRunner(JobFailed("no"))), JobFailed)


def test_a_bug_leaves_its_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    handle(FakeQueue(), FakeRunner(ValueError("no")))
    [record] = [record for record in caplog.records if "Job failed" in record.message]
    assert record.exc_info is not None
    assert "ValueError: no" in record.message


@pytest.fixture
def spooling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a spool that keeps what took no time, too."""
    monkeypatch.setattr(spooled, "WORTH_S", 0)
    manager = SETTINGS.queue_manager.model_copy(update={"spool_folder": tmp_path})
    return SETTINGS.model_copy(update={"queue_manager": manager})


def test_a_job_whose_task_failed_is_not_run_again_on_this_machine(
    spooling: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "MIN_PATIENCE_S", 0)
    Note.errors.append(TransientError("busy"))
    runner = FakeRunner(RESULT, AssertionError("it ran again"))
    received = message(body())
    first = Handler(spooling, FakeQueue(), runner).handle(received, lease_of(received))
    assert isinstance(first, TransientError)
    # Another process of this machine, after a restart.
    assert Handler(spooling, FakeQueue(), runner).handle(received, lease_of(received)) is None
    assert Note.runs[-1] == ("job-1.json", 0, RESULT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [InvalidJob("404"), Cancelled("nobody wants it")])
def test_a_job_that_is_over_leaves_nothing_in_the_spool(
    spooling: Settings, tmp_path: Path, error: Exception
) -> None:
    Note.errors.append(error)
    received = message(body())
    handler = Handler(spooling, FakeQueue(), FakeRunner(RESULT))
    assert handler.handle(received, lease_of(received)) is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<html>"])
def test_a_picture_that_is_none_is_not_delivered(data: bytes, spooling: Settings) -> None:
    queue, received = FakeQueue(), message(body())
    handler = Handler(spooling, queue, FakeRunner(Binary(data, "image/png")))
    error = handler.handle(received, lease_of(received))
    assert isinstance(error, JobFailed)
    assert "the result is no whole image/png: " in str(error)
    assert not Note.runs
    assert [call[0] for call in queue.calls] == ["release"]


def tasks_on(*outcomes: str) -> list[dict[str, Any]]:
    return [{"name": "note", "config": {"text": on, "on": on}} for on in outcomes]


def test_tasks_run_on_the_outcome_that_they_are_for() -> None:
    text = body(tasks=tasks_on("success", "failure", "always"))
    assert handle(FakeQueue(), FakeRunner(RESULT), text) is None
    assert [(told, result) for told, _, result in Note.runs] == [
        ("success", RESULT),
        ("always", RESULT),
    ]


def test_a_job_given_up_is_reported_to_the_tasks_on_failure() -> None:
    text = body(tasks=tasks_on("success", "failure", "always"), reference="shot 7")
    queue, error = FakeQueue(), SceneError("a.mi:3:1: no such shader")
    assert handle(queue, FakeRunner(error), text) is error
    assert [(told, index) for told, index, _ in Note.runs] == [("failure", 1), ("always", 2)]
    report = json.loads(Note.runs[0][2].data)
    assert [call[0] for call in queue.calls] == ["dead_letter"]
    [attempt] = report.pop("attempts")
    assert attempt["outcome"] == "dead"
    assert report == {
        "job_id": "job-1",
        "reference": "shot 7",
        "command": "get_version",
        "state": "dead",
        "error": "SceneError",
        "reason": "a.mi:3:1: no such shader",
        "place": "a.mi:3:1",
    }


@pytest.mark.parametrize("error", [JobFailed("no"), Interrupted("stop"), Cancelled("no"), LOST])
def test_a_job_that_is_not_given_up_is_reported_to_nobody(error: Exception) -> None:
    assert handle(FakeQueue(), FakeRunner(error), body(tasks=tasks_on("failure"))) is error
    assert not Note.runs


def test_a_report_is_tried_again_and_given_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retrying, "MIN_PATIENCE_S", 0.05)
    Note.errors.extend([TransientError("busy")] * 1000)
    text = body(tasks=tasks_on("failure", "failure"))
    with caplog.at_level(logging.INFO, "gpuqueue"):
        assert isinstance(handle(FakeQueue(), FakeRunner(InvalidJob("no")), text), InvalidJob)
    assert {index for _, index, _ in Note.runs} == {0, 1}
    assert caplog.text.count("on failure given up: busy") == 2


def test_a_report_that_hangs_does_not_hold_up_the_next_job(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end = threading.Event()
    monkeypatch.setattr(failure_notice, "PATIENCE_S", 0.05)
    monkeypatch.setattr(Note, "run", lambda *_: end.wait(30))
    with caplog.at_level(logging.INFO, "gpuqueue"):
        handle(FakeQueue(), FakeRunner(InvalidJob("no")), body(tasks=tasks_on("failure")))
    assert "given up: not done in 0.05 s" in caplog.text
    end.set()


def test_a_wrong_task_is_no_reason_to_keep_the_failure_from_the_others() -> None:
    wrong = {"name": "note", "config": {"text": "impossible", "on": "failure"}}
    text = body(tasks=[wrong, *tasks_on("failure")])
    assert isinstance(handle(FakeQueue(), FakeRunner(RESULT), text), InvalidJob)
    assert [(told, index) for told, index, _ in Note.runs] == [("failure", 1)]


def test_a_job_that_is_done_is_removed_whoever_wants_to_stop() -> None:
    def stop(lease: Lease) -> Binary:
        lease.revoke(Interrupted("stop"))
        return RESULT

    queue = FakeQueue()
    assert handle(queue, FakeRunner(stop), body(tasks=[])) is None
    assert [call[0] for call in queue.calls] == ["delete"]


def test_a_job_that_is_done_but_whose_lease_ran_out_is_not_removed(clock: Clock) -> None:
    received, queue = message(body(tasks=[])), FakeQueue()
    lease = lease_of(received, clock=clock)

    def stop(lease: Lease) -> Binary:
        lease.revoke(Interrupted("stop"))
        clock.now += 3600
        return RESULT

    error = Handler(SETTINGS, queue, FakeRunner(stop)).handle(received, lease)
    assert isinstance(error, Interrupted)
    assert not queue.did("delete")
