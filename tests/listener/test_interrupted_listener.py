"""A real listener on a machine that is announced to be taken away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpuqueue.commands.submit import submit
from gpuqueue.config import load_settings
from gpuqueue.queues import QueueCounts, open_queue
from tests.acceptance.processes import Process

from .metadata_server import FakeMetadata, metadata_server

CONFIGURATION = f"""\
command_folder {Path(__file__).parent / "commands"}
<user queue_manager>
    allow_command probe
    default_queue jobs
    listen_queue jobs
    watch_interruptions on
</user>
<user local>
    <user queue>
        name jobs
        path queue.sqlite
    </user>
</user>
"""
EMPTY, VISIBLE = QueueCounts(0, 0, 0), QueueCounts(1, 0, 0)


@pytest.fixture
def fake() -> Iterator[FakeMetadata]:
    with metadata_server() as server:
        yield server


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "site.conf"
    path.write_text(CONFIGURATION)
    return path


def listener(configuration: Path, endpoint: str) -> Process:
    return Process(
        configuration.with_suffix(".log"),
        "listen",
        "-c",
        str(configuration),
        AWS_EC2_METADATA_DISABLED="false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT=endpoint,
    )


def queue_job(configuration: Path, do: str, value: float) -> None:
    submit(load_settings(configuration), "probe", {"do": do, "value": value})


def counts(configuration: Path) -> QueueCounts:
    return open_queue(load_settings(configuration), "jobs").counts()


def test_a_long_job_goes_back_at_once(configuration: Path, fake: FakeMetadata) -> None:
    queue_job(configuration, "sleep", 600)
    with listener(configuration, fake.url) as process:
        process.wait_for("Executing command")
        fake.announce_spot_end()
        assert process._process.wait(20) == 0
        assert "Job interrupted: spot interruption: terminate at" in process.log
    assert counts(configuration) == VISIBLE


def test_a_job_that_ends_in_time_is_finished_and_the_next_one_left(
    configuration: Path, fake: FakeMetadata
) -> None:
    for _ in range(2):
        queue_job(configuration, "sleep", 4)
    with listener(configuration, fake.url) as process:
        process.wait_for("Executing command")
        time.sleep(0.5)  # for its pace to be known
        fake.announce_spot_end()
        assert process._process.wait(20) == 0
        assert "Job processed" in process.log
        assert "Job interrupted" not in process.log
    assert counts(configuration) == VISIBLE


def test_after_a_rebalance_recommendation_the_job_in_hand_is_the_last(
    configuration: Path, fake: FakeMetadata
) -> None:
    for _ in range(2):
        queue_job(configuration, "silent", 3)
    with listener(configuration, fake.url) as process:
        process.wait_for("Executing command")
        fake.recommend_rebalance()
        assert process._process.wait(20) == 0
        assert "Job processed" in process.log
    assert counts(configuration) == VISIBLE


def test_without_a_metadata_service_jobs_are_done(configuration: Path) -> None:
    queue_job(configuration, "echo", 1)
    with listener(configuration, "http://127.0.0.1:9") as process:
        process.wait_for("metadata service of EC2 does not answer")
        process.wait_for("Job processed")
        assert process.terminate() == 0
        assert process.log.count("metadata service") == 1
    assert counts(configuration) == EMPTY
