"""``gpuqueue dlq``: what an operator sees of dead letters and does with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gpuqueue.cli import app
from gpuqueue.config import embedded_settings
from gpuqueue.job import Job
from gpuqueue.queues import PostMortem, Queue, QueueCounts, open_queue


@pytest.fixture(autouse=True)
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The embedded queue of a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return open_queue(embedded_settings(), "local_queue")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dlq", *arguments], env={"COLUMNS": "200"})


def bury(
    queue: Queue, job_id: str, reason: str = "no such scene", known: PostMortem | None = None
) -> str:
    body = Job(id=job_id, command="get_version").to_body()
    queue.send(body, job_id)
    message = queue.receive(0)
    assert message is not None
    queue.dead_letter(message, reason, known)
    return body


def test_a_list_tells_job_time_receives_and_reason(queue: Queue) -> None:
    bury(queue, "job-1", "a.mi:3:4: [bold]unknown[/bold] shader")
    bury(queue, "job-2", "first\nsecond \x9b31m")
    result = run("list")
    assert result.exit_code == 0, result.output
    for text in ("job-1", "UTC", "a.mi:3:4: [bold]unknown[/bold] shader", "second \ufffd31m"):
        assert text in result.stdout


def test_a_list_that_is_cut_says_so(queue: Queue) -> None:
    for job_id in ("job-1", "job-2"):
        bury(queue, job_id)
    result = run("list", "--limit", "1")
    assert ("job-1" in result.stdout, "job-2" in result.stdout) == (True, False)
    assert "more than 1" in result.stderr


def test_a_queue_without_dead_letters_says_so() -> None:
    for arguments in (["list"], ["redrive", "--all"], ["purge", "--yes"]):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "queue 'local_queue' has no dead letters" in result.stderr


def test_one_letter_is_shown_with_its_body(queue: Queue) -> None:
    body = bury(queue, "job-1")
    result = run("show", "job-1")
    assert result.exit_code == 0, result.output
    assert "no such scene" in result.stdout
    assert "received: 1 times" in result.stdout
    assert result.stdout.endswith(f"{body}\n")


def test_a_letter_shows_how_each_try_ended_and_the_last_lines(queue: Queue) -> None:
    attempts = (
        {"host": "gpu-1", "device": "cupy: RTX", "outcome": "failed", "reason": "out of memory"},
        {"host": "gpu-2", "started_at": 0.0, "ended_at": 60.0, "outcome": "dead\x1b", "reason": 7},
    )
    log = ("QUEUE  main info : Received", "QUEUE  main error : \x1b[31mJob failed")
    bury(queue, "job-1", "a.mi:3:1: no", PostMortem(error="E", attempts=attempts, log=log))
    shown = run("show", "job-1").stdout
    for text in (
        "error:    E",
        "attempt:  failed on gpu-1 on cupy: RTX, ? to ?: out of memory",
        "attempt:  dead\ufffd on gpu-2, 1970-01-01 00:00:00 UTC to 1970-01-01 00:01:00 UTC: 7",
        "log:      QUEUE  main error : \ufffd[31mJob failed",
    ):
        assert text in shown


def test_redriven_jobs_are_printed_and_back_in_the_queue(queue: Queue) -> None:
    for job_id in ("job-1", "job-2", "job-3"):
        bury(queue, job_id)
    assert run("redrive", "job-2").stdout == "job-2\n"
    assert queue.counts() == QueueCounts(1, 0, 2)
    assert run("redrive", "--all").stdout == "job-1\njob-3\n"
    assert queue.counts() == QueueCounts(3, 0, 0)


def test_an_id_that_is_not_there_fails_after_the_others(queue: Queue) -> None:
    bury(queue, "job-1")
    result = run("redrive", "nope", "job-1")
    assert (result.exit_code, result.stdout) == (1, "job-1\n")
    assert "error: unknown dead letter 'nope'" in result.stderr
    assert run("show", "job-1").exit_code == 1


def test_a_purge_needs_a_yes(queue: Queue) -> None:
    bury(queue, "job-1")
    result = run("purge")
    assert result.exit_code == 2
    assert "about 1 jobs of queue 'local_queue': add --yes" in result.stderr
    assert queue.counts().dead == 1
    assert run("purge", "--yes").stdout == "job-1\n"
    assert queue.counts().dead == 0


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, ""),
        (["redrive"], 2, "either the ids"),
        (["redrive", "a", "--all"], 2, "either the ids"),
        (["list", "--limit", "0"], 2, "limit"),
        (["list", "--queue", "nope"], 1, "unknown queue 'nope'; known: local_queue"),
        (["list", "-c", "missing.conf"], 1, "missing.conf"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_explained(arguments: list[str], code: int, text: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert text in result.stderr
    assert "Traceback" not in result.output
