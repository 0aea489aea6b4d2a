"""The commands on jobs, and the command line's view of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gpuqueue.cli import app
from gpuqueue.commands.context import RunContext
from gpuqueue.commands.submit import submit
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import ConfigError, GpuqueueError, InvalidJob, TransientError
from gpuqueue.queues import open_queue
from gpuqueue.queues.local import LocalQueue
from gpuqueue.records import Attempt, JobRecord, Progress, State, kept_records


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return embedded_settings(tmp_path / "gpuqueue-data", tmp_path)


def call(settings: Settings, name: str, **parameters: Any) -> Any:
    return RunContext(settings).call(f"queue_manager_{name}", parameters)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["jobs", *arguments], env={"COLUMNS": "250"})


def start(settings: Settings, job_id: str) -> None:
    def begin(before: JobRecord | None) -> JobRecord:
        assert before is not None
        now = time.time()
        running = before.begun(Attempt(host="gpu-1", started_at=now - 10, receives=1))
        return running.progressed(1, Progress(fraction=0.5, message="32 of 64 samples", at=now))

    kept_records(settings).update(job_id, begin)


def test_a_submitted_job_is_queued_under_its_reference(settings: Settings) -> None:
    job_id = submit(settings, "get_version", {}, reference="shot 12")
    told = call(settings, "get_job", job_id=job_id)
    assert (told["state"], told["reference"]) == ("queued", "shot 12")
    assert (told["queue"], told["command"], told["attempts"]) == ("local_queue", "get_version", [])
    assert told["submitted_at"] == pytest.approx(time.time(), abs=60)


def test_a_running_job_tells_its_progress_and_when_it_will_end(settings: Settings) -> None:
    job_id = submit(settings, "get_version", {})
    start(settings, job_id)
    told = call(settings, "get_job", job_id=job_id)
    assert (told["state"], told["progress"]["fraction"]) == ("running", 0.5)
    assert told["eta_at"] == pytest.approx(time.time() + 10, abs=5)


def test_jobs_are_listed_newest_first_and_by_state_and_reference(settings: Settings) -> None:
    ids = []
    for name in ("a", "b", "a"):
        ids.append(submit(settings, "get_version", {}, reference=name))
        time.sleep(0.002)  # ids tell milliseconds
    start(settings, ids[1])

    def listed(**parameters: Any) -> list[str]:
        return [job["id"] for job in call(settings, "list_jobs", **parameters)]

    assert listed() == ids[::-1]
    assert listed(limit=1) == [ids[2]]
    assert listed(state="running") == [ids[1]]
    assert listed(reference="a") == [ids[2], ids[0]]


def test_a_waiting_job_is_cancelled_and_a_running_one_is_asked_to_stop(settings: Settings) -> None:
    waiting, running = (submit(settings, "get_version", {}) for _ in range(2))
    start(settings, running)
    assert call(settings, "cancel_job", job_id=waiting) == "cancelled"
    assert call(settings, "cancel_job", job_id=running) == "running"
    assert call(settings, "get_job", job_id=running)["cancel_requested_at"] is not None


@pytest.mark.parametrize("name", ["get_job", "cancel_job"])
def test_an_unknown_job_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(InvalidJob, match="no record of a job 'nope'"):
        call(settings, name, job_id="nope")
    with pytest.raises(InvalidJob, match="job_id"):
        call(settings, name, job_id="../../etc")


def test_without_records_the_commands_say_how_to_have_some(settings: Settings) -> None:
    manager = settings.queue_manager.model_copy(update={"state_bucket": None})
    bare = settings.model_copy(update={"queue_manager": manager})
    job_id = submit(bare, "get_version", {})
    with pytest.raises(ConfigError, match="set state_bucket"):
        call(bare, "get_job", job_id=job_id)


def test_a_job_that_could_not_be_sent_leaves_no_record(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TransientError("no route")

    monkeypatch.setattr(LocalQueue, "send", fail)
    with pytest.raises(TransientError):
        submit(settings, "get_version", {})
    assert call(settings, "list_jobs") == []


def test_a_record_that_cannot_be_kept_does_not_keep_a_job_from_its_queue(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise GpuqueueError("disk full")

    monkeypatch.setattr("gpuqueue.records.Records.create", fail)
    submit(settings, "get_version", {})
    assert open_queue(settings, "local_queue").counts().visible == 1


def test_a_redriven_job_is_queued_again(settings: Settings) -> None:
    job_id = submit(settings, "get_version", {})
    queue = open_queue(settings, "local_queue")
    message = queue.receive(0)
    assert message is not None
    queue.dead_letter(message, "no luck")
    kept_records(settings).update(
        job_id, lambda r: r and r.model_copy(update={"state": State.DEAD})
    )
    assert call(settings, "redrive", job_ids=[job_id]) == [job_id]
    assert call(settings, "get_job", job_id=job_id)["state"] == "queued"


def test_the_command_line_lists_shows_and_cancels(settings: Settings) -> None:
    job_id = submit(settings, "get_version", {}, reference="shot\x1b[31m 12")
    start(settings, job_id)
    listed, shown = run("list"), run("show", job_id)
    for result in (listed, shown):
        assert result.exit_code == 0, result.output
        for text in (job_id, "get_version", "shot\ufffd[31m 12", "running, 50%: 32 of 64 samples"):
            assert text in result.stdout
    assert "attempt 1: " in shown.stdout
    assert "running on gpu-1" in shown.stdout
    assert run("cancel", job_id).stdout.strip() == "running"
    assert run("list", "--state", "dead").stdout == ""


def test_the_command_line_refuses_what_is_not_there(settings: Settings) -> None:
    assert run("show", "nope").exit_code == 1
    result = run("list", "--state", "lost")
    assert result.exit_code == 2
    assert "expected one of queued, running" in result.output


def lose(settings: Settings, job_id: str, receives: int) -> None:
    """A machine takes the job and is never heard of again."""
    long_ago = time.time() - 3600

    def begin(before: JobRecord | None) -> JobRecord:
        assert before is not None
        return before.begun(Attempt(host="gpu-1", started_at=long_ago, receives=receives))

    kept_records(settings).update(job_id, begin)


@pytest.mark.parametrize(("receives", "state"), [(1, "failed"), (5, "dead")])
def test_a_job_whose_machine_was_lost_is_not_said_to_run(
    settings: Settings, receives: int, state: str
) -> None:
    job_id = submit(settings, "get_version", {})
    lose(settings, job_id, receives)
    told = call(settings, "get_job", job_id=job_id)
    assert told["state"] == state
    assert "lost" in told["attempts"][0]["reason"]
    assert [job["id"] for job in call(settings, "list_jobs", state=state)] == [job_id]
    assert call(settings, "list_jobs", state="running") == []
    assert f"failed on gpu-1, {time.strftime('%Y')}" in run("show", job_id).stdout


def test_a_lost_job_of_a_queue_that_is_not_ours_has_failed_at_least(settings: Settings) -> None:
    job_id = submit(settings, "get_version", {})
    lose(settings, job_id, 5)
    elsewhere = lambda r: r and r.model_copy(update={"queue": "elsewhere"})  # noqa: E731
    kept_records(settings).update(job_id, elsewhere)
    assert call(settings, "get_job", job_id=job_id)["state"] == "failed"
