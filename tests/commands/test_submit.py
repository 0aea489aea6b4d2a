"""Submitting: a good job is queued, and a wrong one is refused at once with the reason."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from gpuqueue.commands.context import RunContext
from gpuqueue.commands.submit import submit
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import GpuqueueError, InvalidJob, UnknownName
from gpuqueue.job import Job, TaskCall
from gpuqueue.queues import QueueCounts, open_queue

SLOW = '''\
"""A command with a rule that only the disk can tell."""

from pathlib import Path

from pydantic import Field

from gpuqueue.commands import CommandContext, Parameters, command
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob


class ReadParameters(Parameters):
    file: Path = Field(description="What to read.")


def exists(parameters: ReadParameters, settings: Settings) -> None:
    if not (settings.content_root / parameters.file).exists():
        raise InvalidJob(f"file: {parameters.file} does not exist")


@command("read", parameters=ReadParameters, returns="text", submit_check=exists)
def read(parameters: ReadParameters, context: CommandContext) -> str:
    """Read a file."""
    return (context.settings.content_root / parameters.file).read_text()
'''
UPLOAD = {"bucket": "local_bucket", "key": "results/${message_id}.${mime_ext}"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "commands"
    folder.mkdir()
    (folder / "read.py").write_text(SLOW)
    (tmp_path / "there.txt").write_text("text")
    plain = embedded_settings(tmp_path / "data", tmp_path)
    allowed = frozenset({"get_version", "read", "queue_manager_submit_job"})
    manager = plain.queue_manager.model_copy(update={"allow_command": allowed})
    return plain.model_copy(update={"queue_manager": manager, "command_folders": (folder,)})


def counts(settings: Settings) -> QueueCounts:
    return open_queue(settings, "local_queue").counts()


def test_a_good_job_is_in_the_queue_under_the_id_that_is_returned(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    task = TaskCall(name="s3_upload", config=UPLOAD)
    with caplog.at_level(logging.INFO, "gpuqueue"):
        job_id = submit(settings, "get_version", {}, "local_queue", [task])
    message = open_queue(settings, "local_queue").receive(0)
    assert message is not None
    assert Job.from_body(message.body, message.id) == Job(
        id=job_id, command="get_version", tasks=(task,)
    )
    assert f"[local_queue {job_id}] Job successfully queued." in caplog.messages


def test_two_jobs_have_two_ids(settings: Settings) -> None:
    assert submit(settings, "get_version", {}) != submit(settings, "get_version", {})
    assert counts(settings) == QueueCounts(2, 0, 0)


@pytest.mark.parametrize(
    ("wrong", "kind", "why"),
    [
        ({"command": "nope"}, UnknownName, "unknown command 'nope'; known: get_version"),
        ({"command": "rs_fancy_render"}, InvalidJob, "'rs_fancy_render' is not allowed here"),
        ({"command": "queue_manager_submit_job"}, InvalidJob, "a job may not ask for it"),
        ({"parameters": {"colour": 1}}, InvalidJob, "parameters of get_version: colour: Extra"),
        (
            {"command": "read", "parameters": {"file": "gone.txt"}},
            InvalidJob,
            r"file: gone\.txt does not exist",
        ),
        ({"queue_name": "nope"}, UnknownName, "unknown queue 'nope'; known: local_queue"),
        ({"tasks": [{"name": "nope"}]}, UnknownName, "unknown task 'nope'; known: http_post"),
        ({"tasks": [{"name": "s3_upload"}]}, InvalidJob, r"tasks\[0\]: .*bucket: Field required"),
        (
            {"tasks": [{"name": "s3_upload", "config": {**UPLOAD, "bucket": "nope"}}]},
            InvalidJob,
            r"tasks\[0\]: unknown bucket 'nope'; known: local_bucket",
        ),
        (
            {"tasks": [{"name": "s3_upload", "config": {**UPLOAD, "key": "a/../../b"}}]},
            InvalidJob,
            r"tasks\[0\]: .*'\.\.'",
        ),
        (
            {"tasks": [{"name": "s3_upload", "config": {**UPLOAD, "key": "x" * (1 << 20)}}]},
            InvalidJob,
            "bytes",
        ),
    ],
)
def test_a_wrong_job_is_refused_and_not_queued(
    settings: Settings, wrong: dict[str, Any], kind: type[GpuqueueError], why: str
) -> None:
    call = {"command": "get_version", **wrong}
    with pytest.raises(kind, match=why):
        RunContext(settings).call("queue_manager_submit_job", call)
    assert counts(settings) == QueueCounts(0, 0, 0)


def test_a_job_that_is_too_large_is_refused(settings: Settings) -> None:
    with pytest.raises(InvalidJob, match="bytes"):
        submit(settings, "read", {"file": "./" * 600_000 + "there.txt"})


def test_the_submit_check_lets_a_good_job_pass(settings: Settings) -> None:
    assert submit(settings, "read", {"file": "there.txt"})


def test_without_a_queue_the_error_says_what_to_give(settings: Settings) -> None:
    manager = settings.queue_manager.model_copy(update={"default_queue": None})
    with pytest.raises(InvalidJob, match="give queue_name, or set default_queue"):
        submit(settings.model_copy(update={"queue_manager": manager}), "get_version", {})


def test_a_server_that_allows_nothing_says_so(settings: Settings) -> None:
    manager = settings.queue_manager.model_copy(update={"allow_command": frozenset()})
    with pytest.raises(InvalidJob, match="allow_command has: none"):
        submit(settings.model_copy(update={"queue_manager": manager}), "get_version", {})


def test_the_command_takes_what_the_articles_request_gives(settings: Settings) -> None:
    request = json.loads(
        """{"command": "get_version", "parameters": {}, "queue_name": "local_queue",
            "tasks": [{"name": "s3_upload", "config": {"bucket": "local_bucket",
            "key": "tests/version-${message_id}.${mime_ext}", "acl": "public-read"}}]}"""
    )
    assert RunContext(settings).call("queue_manager_submit_job", request)
    assert counts(settings) == QueueCounts(1, 0, 0)
