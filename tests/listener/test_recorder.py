"""What a listener writes into a job's record, and what it reads there."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gpuqueue.binary import Binary
from gpuqueue.commands.jobs import cancel_job
from gpuqueue.config import Settings
from gpuqueue.config.settings import LocalBucketSettings, LocalSettings, QueueManagerSettings
from gpuqueue.errors import (
    Cancelled,
    Interrupted,
    InvalidJob,
    JobFailed,
    SceneError,
    TransientError,
)
from gpuqueue.listener import handler as handling
from gpuqueue.listener import recorder as recording
from gpuqueue.listener.handler import Handler
from gpuqueue.listener.lease import Lease
from gpuqueue.records import JobRecord, Records, State, kept_records

from .fakes import Clock, FakeQueue, FakeRunner, lease_of, message

RESULT = Binary(b'"1.0"', "application/json")
JOB_ID = "job-1"
TASK = {"name": "s3_upload", "config": {"bucket": "results", "key": "${message_id}.${mime_ext}"}}
BODY = json.dumps({"id": JOB_ID, "command": "get_version", "reference": "shot", "tasks": [TASK]})


@pytest.fixture(autouse=True)
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gpuqueue")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        queue_manager=QueueManagerSettings(
            allow_command=frozenset({"get_version"}), state_bucket="records", price_per_hour=3600
        ),
        local=LocalSettings(
            buckets=tuple(
                LocalBucketSettings(name=name, path=tmp_path / name)
                for name in ("results", "records")
            )
        ),
    )


@pytest.fixture
def records(settings: Settings) -> Records:
    return kept_records(settings)


Outcome = Binary | Exception | Callable[[Lease], Binary]


def handle(
    settings: Settings, outcome: Outcome, queue: FakeQueue | None = None
) -> Exception | None:
    received = message(BODY, receives=3)
    queue = queue or FakeQueue()
    return Handler(settings, queue, FakeRunner(outcome)).handle(received, lease_of(received))


def told(records: Records) -> JobRecord:
    record = records.get(JOB_ID)
    assert record is not None
    return record


def test_a_job_done_is_told_with_its_results(
    settings: Settings, records: Records, tmp_path: Path
) -> None:
    assert handle(settings, RESULT) is None
    record = told(records)
    assert (record.state, record.reference, record.queue) == (State.SUCCEEDED, "shot", "q")
    assert record.results == (str(tmp_path / "results" / "job-1.json"),)
    assert record.result_sha256 == hashlib.sha256(RESULT.data).hexdigest()
    [attempt] = record.attempts
    assert (attempt.outcome, attempt.receives) == (State.SUCCEEDED, 3)
    assert record.cost == pytest.approx(attempt.device_s)


@pytest.mark.parametrize(
    ("error", "state", "verb"),
    [
        (JobFailed("no luck"), State.FAILED, "release"),
        (Interrupted("spot notice"), State.INTERRUPTED, "hand_back"),
        (InvalidJob("a.mi:3:1: no such shader"), State.DEAD, "dead_letter"),
        (ValueError("a bug"), State.FAILED, "release"),
    ],
)
def test_a_job_that_did_not_end_is_told_with_its_reason(
    settings: Settings, records: Records, error: Exception, state: State, verb: str
) -> None:
    queue = FakeQueue()
    handle(settings, error, queue)
    [attempt] = told(records).attempts
    assert told(records).state is state
    assert (attempt.outcome, attempt.error) == (state, type(error).__name__)
    assert str(error) in (attempt.reason or "")
    assert [call[0] for call in queue.calls] == [verb]


def test_the_last_try_that_the_queue_allows_makes_a_dead_letter_with_its_reason(
    settings: Settings, records: Records
) -> None:
    queue = FakeQueue()
    queue.limit = 3
    handle(settings, JobFailed("no luck"), queue)
    assert [call[0] for call in queue.calls] == ["dead_letter"]
    assert queue.did("dead_letter")[0][1] == "no luck (try 3, the last that the queue allows)"
    assert told(records).state is State.DEAD


def test_an_interrupted_try_is_not_the_last_one(settings: Settings, records: Records) -> None:
    queue = FakeQueue()
    queue.limit = 3
    handle(settings, Interrupted("spot notice"), queue)
    assert [call[0] for call in queue.calls] == ["hand_back"]


def test_a_job_that_cannot_be_buried_is_told_as_failed(
    settings: Settings, records: Records
) -> None:
    queue = FakeQueue().failing("dead_letter", TransientError("no route"))
    handle(settings, InvalidJob("bad"), queue)
    assert told(records).state is State.FAILED


def test_a_job_cancelled_while_it_waited_is_not_begun(settings: Settings, records: Records) -> None:
    records.create(JobRecord(id=JOB_ID, command="get_version", queue="q", updated_at=0))
    assert cancel_job(settings, JOB_ID).state is State.CANCELLED
    queue = FakeQueue()
    assert isinstance(handle(settings, AssertionError("it ran"), queue), Cancelled)
    assert [call[0] for call in queue.calls] == ["delete"]
    assert told(records).state is State.CANCELLED


def test_a_running_job_is_stopped_when_it_is_cancelled(
    settings: Settings, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "INTERVAL_S", 0.01)
    stopped = threading.Event()

    def run(lease: Lease) -> Binary:
        cancel_job(settings, JOB_ID)
        with lease.watched_by(stopped.set):
            assert stopped.wait(30)
            lease.check()
        return RESULT

    queue = FakeQueue()
    assert isinstance(handle(settings, run, queue), Cancelled)
    assert [call[0] for call in queue.calls] == ["delete"]
    record = told(records)
    assert (record.state, record.attempts[0].outcome) == (State.CANCELLED, State.CANCELLED)
    assert not record.results


def test_a_second_delivery_of_a_job_that_is_done_is_only_removed(
    settings: Settings, records: Records
) -> None:
    handle(settings, RESULT)
    before, queue = told(records), FakeQueue()
    assert handle(settings, AssertionError("it ran"), queue) is None
    assert [call[0] for call in queue.calls] == ["delete"]
    assert told(records) == before


def test_progress_reaches_the_record(
    settings: Settings, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "INTERVAL_S", 0.01)
    seen = threading.Event()

    class Reporting(FakeRunner):
        def run(self, job, lease, on_progress):  # type: ignore[no-untyped-def]
            on_progress(0.25, "16 of 64 samples")
            update = records.update

            def watch(*arguments):  # type: ignore[no-untyped-def]
                after = update(*arguments)
                if after is not None and after.progress and after.progress.fraction == 0.25:
                    seen.set()
                return after

            monkeypatch.setattr(Records, "update", lambda _, *arguments: watch(*arguments))
            assert seen.wait(30)
            return RESULT

    received = message(BODY)
    assert (
        Handler(settings, FakeQueue(), Reporting(RESULT)).handle(received, lease_of(received))
        is None
    )
    progress = told(records).progress
    assert progress is not None
    assert progress.message == "16 of 64 samples"


def test_a_bucket_that_cannot_be_reached_costs_a_warning_and_no_job(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TransientError("no route")

    monkeypatch.setattr(Records, "update", fail)
    queue = FakeQueue()
    with caplog.at_level(logging.WARNING, "gpuqueue"):
        assert handle(settings, RESULT, queue) is None
    assert [call[0] for call in queue.calls] == ["delete"]
    assert "record cannot be kept: no route" in caplog.text


def test_a_listener_that_keeps_no_records_does_its_jobs(tmp_path: Path) -> None:
    settings = Settings(
        queue_manager=QueueManagerSettings(allow_command=frozenset({"get_version"})),
        local=LocalSettings(buckets=(LocalBucketSettings(name="results", path=tmp_path),)),
    )
    assert handle(settings, RESULT) is None


def test_a_dead_letter_tells_of_every_attempt_of_its_error_and_of_the_last_lines(
    settings: Settings, records: Records
) -> None:
    handle(settings, JobFailed("no luck"))
    queue = FakeQueue()
    handle(settings, SceneError("rooms/a.mi:3:1: no such shader\n  excerpt"), queue)
    known = queue.post_mortem
    assert known is not None
    assert (known.error, known.place) == ("SceneError", "rooms/a.mi:3:1")
    first, last = known.attempts
    assert (first["outcome"], first["reason"]) == ("failed", "no luck")
    assert (last["outcome"], last["device"], last["host"]) == (
        "dead",
        FakeRunner.device,
        socket.gethostname(),
    )
    assert first["started_at"] <= first["ended_at"] <= last["started_at"] <= last["ended_at"]
    assert "rooms/a.mi:3:1: no such shader" in known.log[-2]
    assert told(records).attempts[-1].place == "rooms/a.mi:3:1"
    assert told(records).attempts[-1].log[: len(known.log)] == known.log


def test_a_dead_letter_of_what_is_no_job_tells_its_one_attempt(settings: Settings) -> None:
    received, queue = message("no JSON"), FakeQueue()
    Handler(settings, queue, FakeRunner(RESULT)).handle(received, lease_of(received))
    assert queue.post_mortem is not None
    assert queue.post_mortem.error == "InvalidJob"
    assert [a["outcome"] for a in queue.post_mortem.attempts] == ["dead"]


def test_a_reason_that_is_no_text_is_told_all_the_same(
    settings: Settings, records: Records
) -> None:
    queue = FakeQueue()
    handle(settings, InvalidJob("half \ud83d of a pair \x00"), queue)
    assert told(records).attempts[-1].reason == "half \ufffd of a pair \ufffd"
    assert queue.post_mortem is not None
    assert "half \ufffd of a pair" in queue.post_mortem.bounded().model_dump_json()


@pytest.mark.parametrize("error", [JobFailed("x"), Interrupted("x")])
def test_a_try_that_did_not_end_well_tells_how_long_it_had_the_device(
    settings: Settings, records: Records, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(handling.time, "monotonic", clock)

    def fail(lease: Lease) -> Binary:
        clock.now += 7
        raise error

    handle(settings, fail)
    record = records.get(JOB_ID)
    assert record is not None
    assert (record.device_s, record.cost) == (7, 7)
