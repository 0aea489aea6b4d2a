"""The parts of one job in a queue: whatever happens, the job ends once and leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gpuqueue.binary import NOTHING, Binary
from gpuqueue.commands.dead_letters import purge, redrive
from gpuqueue.commands.jobs import cancel_job, describe_job, find_job, find_jobs
from gpuqueue.commands.submit import submit
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import ConfigError, DeviceLost, InvalidJob, JobFailed, TransientError
from gpuqueue.job import Job, TaskCall
from gpuqueue.listener.handler import Handler
from gpuqueue.listener.lease import Lease
from gpuqueue.queues import Message, Queue, open_queue
from gpuqueue.queues.local import LocalQueue
from gpuqueue.records import State, open_parts
from gpuqueue.storage import open_bucket

from .fakes import FakeRunner, lease_of

PICTURE = Binary(b"{}", "application/json")
UPLOAD = TaskCall(
    name="s3_upload", config={"bucket": "local_bucket", "key": "${message_id}.${mime_ext}"}
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "a.mi").write_text("")
    plain = embedded_settings(tmp_path / "data", tmp_path)
    manager = plain.queue_manager.model_copy(update={"max_backoff_s": 0})
    return plain.model_copy(update={"queue_manager": manager})


@pytest.fixture
def queue(settings: Settings) -> Queue:
    return open_queue(settings, "local_queue")


class PartRunner(FakeRunner):
    """Does with each part what the render process does: store it, and merge if it may."""

    #: Called when a part is stored.
    stored: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, settings: Settings, *errors: Exception | Callable[[], object]) -> None:
        super().__init__(PICTURE)
        self._settings = settings
        self._errors = list(errors)

    def run(self, job: Job, lease: Lease, on_progress: Callable[[float, str], None]) -> Binary:
        del lease, on_progress
        error = self._errors.pop(0) if self._errors else None
        if isinstance(error, Exception):
            raise error
        if error is not None:
            error()
        assert job.part is not None
        parts = open_parts(self._settings, job.part)
        if not parts.is_stored() and not parts.store(PICTURE):
            return NOTHING
        self.stored()
        return PICTURE if parts.may_merge() else NOTHING


def submit_parts(settings: Settings, count: int = 3) -> str:
    return submit(settings, "rs_fancy_render", {"scene_file": "a.mi"}, tasks=[UPLOAD], parts=count)


def receive(queue: Queue) -> Message:
    message = queue.receive(0)
    assert message is not None
    return message


def work(settings: Settings, queue: Queue, runner: FakeRunner, limit: int = 100) -> list[object]:
    """Handle what is in the queue, at most so many messages; the errors."""
    errors = []
    while len(errors) < limit and (message := queue.receive(0)) is not None:
        handler = Handler(settings, queue, runner)
        errors.append(handler.handle(message, lease_of(message, queue)))  # type: ignore[arg-type]
    return errors


def assert_done(settings: Settings, queue: Queue, job_id: str) -> None:
    record = find_job(settings, job_id)
    assert record.state is State.SUCCEEDED
    assert [Path(place).name for place in record.results] == [f"{job_id}.json"]
    assert open_bucket(settings, "local_bucket").get(f"{job_id}.json") == PICTURE.data
    assert_nothing_left(settings, queue)


def assert_nothing_left(settings: Settings, queue: Queue) -> None:
    counts = queue.counts()
    assert (counts.visible, counts.in_flight, counts.dead) == (0, 0, 0)
    state = open_bucket(settings, "local_state")
    assert state.keys("gpuqueue/parts/", 10) == []
    assert state.keys("gpuqueue/checkpoints/", 10) == []


def test_the_last_part_ends_the_job(settings: Settings, queue: Queue) -> None:
    job_id = submit_parts(settings)
    runner = PartRunner(settings)
    told = [describe_job(find_job(settings, job_id))]
    for _ in range(3):
        assert work(settings, queue, runner, 1) == [None]
        told.append(describe_job(find_job(settings, job_id)))
    assert [t["state"] for t in told] == ["queued", "running", "running", "succeeded"]
    assert told[1]["progress"]["fraction"] == pytest.approx(1 / 3)  # type: ignore[index,call-overload]
    assert told[2]["progress"]["message"] == "2 of 3 parts done"  # type: ignore[index,call-overload]
    assert len(told[3]["attempts"]) == 3  # type: ignore[arg-type]
    assert_done(settings, queue, job_id)
    assert [record.id for record in find_jobs(settings, 10)] == [job_id], "parts are no jobs"


@pytest.mark.parametrize("error", [JobFailed("once"), TransientError("once"), DeviceLost("once")])
@pytest.mark.parametrize("at", range(3))
def test_a_part_that_fails_is_done_by_the_next_try(
    settings: Settings, queue: Queue, error: Exception, at: int
) -> None:
    job_id = submit_parts(settings)
    skipped: list[Callable[[], object]] = [lambda: None] * at
    errors = work(settings, queue, PartRunner(settings, *skipped, error))
    assert [e for e in errors if e is not None] == [error]
    assert_done(settings, queue, job_id)


def test_whose_task_fails_merges_again(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit_parts(settings)
    with monkeypatch.context() as patch:
        patch.setattr(
            "gpuqueue.tasks.s3_upload.S3Upload.run",
            lambda *_: (_ for _ in ()).throw(JobFailed("no upload")),
        )
        errors = work(settings, queue, PartRunner(settings), 3)
    assert [str(e) for e in errors if e is not None] == ["no upload"]
    assert find_job(settings, job_id).state is State.FAILED
    assert work(settings, queue, PartRunner(settings)) == [None]
    assert_done(settings, queue, job_id)


def test_who_cannot_tell_the_end_comes_back_and_merges(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit_parts(settings)
    work(settings, queue, PartRunner(settings), 2)
    with monkeypatch.context() as patch:
        patch.setattr(
            "gpuqueue.records.parts.Parts.finish",
            lambda *_: (_ for _ in ()).throw(JobFailed("no bucket")),
        )
        work(settings, queue, PartRunner(settings), 1)
    assert not find_job(settings, job_id).state.is_final
    assert work(settings, queue, PartRunner(settings)) == [None]
    assert_done(settings, queue, job_id)


def test_parts_delivered_twice_change_nothing(settings: Settings, queue: LocalQueue) -> None:
    job_id = submit_parts(settings)
    bodies = [part.to_body() for part in whole_job(settings, queue).split(3)]
    for body in bodies:
        queue.send(body, "twice")
    assert work(settings, queue, PartRunner(settings)) == [None] * 6
    assert_done(settings, queue, job_id)


def whole_job(settings: Settings, queue: Queue) -> Job:
    message = receive(queue)
    queue.hand_back(message)
    job = Job.from_body(message.body, message.id)
    return job.model_copy(update={"id": job.whole_id, "part": None})


@pytest.mark.parametrize("done", range(3))
def test_a_cancelled_job_ends_all_its_parts(settings: Settings, queue: Queue, done: int) -> None:
    job_id = submit_parts(settings)
    work(settings, queue, PartRunner(settings), done)
    assert cancel_job(settings, job_id).state is State.CANCELLED
    work(settings, queue, PartRunner(settings))
    assert find_job(settings, job_id).state is State.CANCELLED
    assert_nothing_left(settings, queue)


def test_a_part_that_runs_while_its_job_is_cancelled_leaves_nothing(
    settings: Settings, queue: Queue
) -> None:
    job_id = submit_parts(settings)
    work(settings, queue, PartRunner(settings, lambda: cancel_job(settings, job_id)))
    assert find_job(settings, job_id).state is State.CANCELLED
    assert_nothing_left(settings, queue)


@pytest.mark.parametrize("done", range(3))
def test_a_job_that_is_cancelled_when_a_part_is_stored_leaves_nothing(
    settings: Settings, queue: Queue, done: int
) -> None:
    job_id = submit_parts(settings)
    work(settings, queue, PartRunner(settings), done)
    runner = PartRunner(settings)
    runner.stored = lambda: cancel_job(settings, job_id)
    work(settings, queue, runner)
    assert find_job(settings, job_id).state is State.CANCELLED
    assert_nothing_left(settings, queue)


def test_a_part_that_dies_takes_the_job_along_until_it_is_sent_back(
    settings: Settings, queue: Queue
) -> None:
    job_id = submit_parts(settings)
    work(settings, queue, PartRunner(settings, InvalidJob("bad scene")))
    record = find_job(settings, job_id)
    assert (record.state, queue.counts().dead) == (State.DEAD, 1)
    assert "bad scene" in str(describe_job(record))
    assert list(redrive(settings, queue, None)) == [f"{job_id}_0"]
    assert find_job(settings, job_id).state is State.RUNNING
    assert work(settings, queue, PartRunner(settings)) == [None]
    assert_done(settings, queue, job_id)


def test_a_part_whose_letter_is_removed_cancels_the_job(settings: Settings, queue: Queue) -> None:
    job_id = submit_parts(settings)
    work(settings, queue, PartRunner(settings, InvalidJob("bad scene")))
    assert list(purge(settings, queue)) == [f"{job_id}_0"]
    assert find_job(settings, job_id).state is State.CANCELLED
    assert_nothing_left(settings, queue)


def test_parts_that_could_not_all_be_sent_are_cancelled(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = iter([None, TransientError("no more")])
    original = LocalQueue.send

    def send(self: LocalQueue, body: str, job_id: str) -> str:
        error = next(sent)
        if error is not None:
            raise error
        return original(self, body, job_id)

    with monkeypatch.context() as patch:
        patch.setattr(LocalQueue, "send", send)
        with pytest.raises(TransientError, match="no more"):
            submit_parts(settings)
    [record] = find_jobs(settings, 10)
    assert record.state is State.CANCELLED
    work(settings, queue, PartRunner(settings))
    assert_nothing_left(settings, queue)


def test_what_cannot_be_split_is_refused(settings: Settings) -> None:
    with pytest.raises(InvalidJob, match="'get_version' cannot be done in parts"):
        submit(settings, "get_version", {}, parts=2)
    manager = settings.queue_manager.model_copy(update={"state_bucket": None})
    with pytest.raises(ConfigError, match="state_bucket"):
        submit_parts(settings.model_copy(update={"queue_manager": manager}))


@pytest.mark.parametrize(
    "part",
    [
        {"of": "x", "index": 0, "count": 1},
        {"of": "../x", "index": 0, "count": 2},
        {"of": "x", "index": 2, "count": 2},
        {"of": "x", "index": 0, "count": 65},
        {"of": "another", "index": 0, "count": 2},
    ],
)
def test_a_message_that_is_no_part_is_refused(part: dict[str, object]) -> None:
    body = {"command": "c", "id": f"x_{part['index']}", "part": part}
    with pytest.raises(InvalidJob, match="not a job"):
        Job.from_body(json.dumps(body), "m")
