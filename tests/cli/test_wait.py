"""``submit --wait``: the outcome of a job, with a listener as a real process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpuqueue.binary import Binary
from gpuqueue.cli.outcome import Fate, check_watchable, results, watch
from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError
from gpuqueue.job import Job, TaskCall
from gpuqueue.storage import open_bucket
from tests.acceptance.processes import Process
from tests.cloud import Cloud

CONFIGURATION = """\
command_folder commands
<user queue_manager>
    allow_command get_version
    allow_command fails
    default_queue jobs
    listen_queue jobs
    max_backoff_s 0
</user>
<user local>
    <user queue>
        name jobs
        path queue.sqlite
        max_receives 2
    </user>
    <user bucket>
        name results
        path bucket
    </user>
</user>
"""

FAILS = '''\
from gpuqueue.commands import CommandContext, NoParameters, command
from gpuqueue.errors import JobFailed


@command("fails", parameters=NoParameters, returns="nothing")
def fails(parameters: NoParameters, context: CommandContext) -> None:
    """Fail."""
    raise JobFailed("this try failed")
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a configuration, for which a listener runs."""
    folder = tmp_path_factory.mktemp("wait")
    (folder / "commands").mkdir()
    (folder / "commands" / "fails.py").write_text(FAILS)
    (folder / "a.conf").write_text(CONFIGURATION)
    with Process(folder / "listen.log", "listen", "-c", "a.conf") as listener:
        listener.wait_for(r"Waiting for job\.")
        yield folder


def submit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gpuqueue", "submit", *arguments, "-c", "a.conf", "--wait"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_job_that_is_done_exits_with_0_and_tells_where_its_results_are(folder: Path) -> None:
    task = "s3_upload bucket=results key=%s/${message_id}.${mime_ext}"
    done = submit(folder, "get_version", "--task", task % "a", "--task", task % "b")
    assert done.returncode == 0, done.stderr
    job_id, *paths = done.stdout.splitlines()
    assert paths == [str(folder / "bucket" / name / f"{job_id}.json") for name in ("a", "b")]
    assert all(Path(path).exists() for path in paths)


def test_a_job_that_dies_exits_with_1_and_tells_why(folder: Path) -> None:
    done = submit(folder, "fails")
    assert done.returncode == 1
    assert "this try failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_of_a_job_in_sqs_the_arrival_of_its_results_is_seen(cloud: Cloud) -> None:
    settings = Settings(
        aws=cloud.aws.model_copy(
            update={"queues": (cloud.make_queue(),), "buckets": (cloud.make_bucket(),)}
        )
    )
    tasks = tuple(
        TaskCall(name="s3_upload", config={"bucket": "results", "key": key})
        for key in ("a/${message_id}.${mime_ext}", "b/fixed")
    )
    job = Job(id="job-1", command="get_version", tasks=tasks)
    check_watchable(settings, "jobs", job, is_bounded=True)
    with pytest.raises(ConfigError, match="--timeout"):
        check_watchable(settings, "jobs", job, is_bounded=False)
    bucket = open_bucket(settings, "results")
    outcomes = watch(settings, "jobs", job)
    bucket.put("a/job-1.json", Binary(b"1", "application/json"))
    assert next(outcomes).fate is Fate.WAITING
    bucket.put("b/fixed", Binary(b"1", "application/json"))
    assert [outcome.fate for outcome in outcomes] == [Fate.DONE]
    name = settings.buckets["results"].bucket
    assert results(settings, job) == [f"s3://{name}/a/job-1.json", f"s3://{name}/b/fixed"]


def test_a_job_in_sqs_without_an_upload_cannot_be_waited_for(cloud: Cloud) -> None:
    settings = Settings(aws=cloud.aws.model_copy(update={"queues": (cloud.make_queue(),)}))
    with pytest.raises(ConfigError, match="does not tell what became of a job"):
        check_watchable(settings, "jobs", Job(command="get_version"), is_bounded=True)
