"""Listeners as real processes on an embedded queue: what dies, and what is not lost."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gpuqueue.binary import JsonValue
from gpuqueue.commands.submit import submit
from gpuqueue.config import Settings, load_settings
from gpuqueue.job import TaskCall
from gpuqueue.queues import Queue, QueueCounts, open_queue
from tests.acceptance.processes import Process
from tests.tasks.receiver import receiver

VISIBILITY_TIMEOUT_S = 2
MAX_RECEIVES = 3
CONFIGURATION = f"""\
command_folder {Path(__file__).parent / "commands"}
<user queue_manager>
    allow_command probe
    default_queue jobs
    listen_queue jobs
    visibility_timeout_s {VISIBILITY_TIMEOUT_S}
    max_backoff_s 0
    <user http_post>
        allow_private_networks on
    </user>
</user>
<user local>
    <user queue>
        name jobs
        path queue.sqlite
        max_receives {MAX_RECEIVES}
    </user>
    <user bucket>
        name results
        path bucket
    </user>
</user>
"""


@dataclass
class Site:
    """One queue and one bucket in a folder, and the listeners that serve them."""

    folder: Path
    settings: Settings
    queue: Queue

    def listener(self, name: str = "listener") -> Process:
        return Process(self.folder / f"{name}.log", "listen", "-c", str(self.folder / "site.conf"))

    def submit(self, do: str, value: Any = None, *more: TaskCall) -> str:
        upload = TaskCall(name="s3_upload", config={"bucket": "results", "key": "${message_id}"})
        return submit(self.settings, "probe", {"do": do, "value": value}, None, [upload, *more])

    def result(self, job_id: str) -> JsonValue:
        got: JsonValue = json.loads((self.folder / "bucket" / job_id).read_bytes())
        return got

    def wait_for_counts(self, expected: QueueCounts) -> None:
        deadline = time.monotonic() + 20
        while (counts := self.queue.counts()) != expected:
            assert time.monotonic() < deadline, counts
            time.sleep(0.02)


EMPTY = QueueCounts(0, 0, 0)
VISIBLE = QueueCounts(1, 0, 0)
DEAD = QueueCounts(0, 0, 1)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    configuration = tmp_path / "site.conf"
    configuration.write_text(CONFIGURATION)
    settings = load_settings(configuration)
    return Site(tmp_path, settings, open_queue(settings, "jobs"))


def texts_of(job_id: str, log: str) -> list[str]:
    """What the log says of one job, without the prefix that every line has."""
    return re.findall(rf"(?m)^QUEUE  main \w+ : \[jobs {job_id}\] (.*)$", log)


def test_a_job_is_done_and_the_log_tells_it_in_the_articles_words(site: Site) -> None:
    job_id = site.submit("echo", "done")
    with site.listener() as listener:
        listener.wait_for("Job processed, removing from queue")
        site.wait_for_counts(EMPTY)
        log = listener.log
    ready = "QUEUE  main info : [jobs] Queue configured for listening. Waiting for job.\n"
    assert log.index(ready) < log.index(job_id)
    assert texts_of(job_id, log) == [
        "Received job from queue.",
        "Executing command: probe.",
        "Executed command: probe.",
        "Executing task: s3_upload.",
        "Executed task: s3_upload.",
        "Job processed, removing from queue.",
    ]
    assert site.result(job_id) == "done"


def test_a_post_that_fails_once_is_tried_again_and_the_command_is_not(site: Site) -> None:
    with receiver() as hook, site.listener():
        hook.answer(503)
        job_id = site.submit(
            "echo", "done", TaskCall(name="http_post", config={"postback_uri": hook.url()})
        )
        site.wait_for_counts(EMPTY)
        log = (site.folder / "listener.log").read_text()
    assert [post.body for post in hook.posts] == [b'"done"', b'"done"']
    texts = texts_of(job_id, log)
    assert [text for text in texts if "Execut" in text] == [
        "Executing command: probe.",
        "Executed command: probe.",
        "Executing task: s3_upload.",
        "Executed task: s3_upload.",
        "Executing task: http_post.",
        "Executed task: http_post.",
    ]
    assert any("Task http_post failed: http://127.0.0.1" in text for text in texts)


def test_a_failing_job_is_dead_after_its_receives_and_the_next_one_is_done(site: Site) -> None:
    bad, good = site.submit("fail", ["JobFailed", "not today"]), site.submit("echo", 1)
    with site.listener() as listener:
        site.wait_for_counts(DEAD)
        assert texts_of(bad, listener.log).count("Received job from queue.") == MAX_RECEIVES
        assert "Job failed: not today" in texts_of(bad, listener.log)
    assert site.result(good) == 1


def test_messages_that_are_no_jobs_are_dead_at_once_and_block_nothing(site: Site) -> None:
    for body in ("{", "[]", '{"command": "rm"}', '{"command": "probe", "tasks": [{"name": "x"}]}'):
        site.queue.send(body, "any")
    good = site.submit("echo", 1)
    with site.listener():
        site.wait_for_counts(QueueCounts(0, 0, 4))
    assert site.result(good) == 1


def test_a_killed_render_process_costs_one_try(site: Site, tmp_path: Path) -> None:
    job_id = site.submit("once", str(tmp_path / "marker"))
    with site.listener() as listener:
        site.wait_for_counts(EMPTY)
        texts = texts_of(job_id, listener.log)
    assert texts.count("Executing command: probe.") == 2
    assert any("killed by SIGKILL" in text for text in texts)
    assert site.result(job_id) == "worked"


def render_pid(listener: Process) -> int:
    return int(listener.wait_for(r"Render process (\d+) is ready")[1])


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


def test_a_killed_listener_takes_its_render_process_along_and_loses_no_job(site: Site) -> None:
    job_id = site.submit("sleep", 2.5)
    with site.listener("first") as first:
        first.wait_for("Executing command")
        pid = render_pid(first)
        first.kill()
        wait_until_gone(pid)
    with site.listener("second") as second:
        second.wait_for("Job processed")
        site.wait_for_counts(EMPTY)
    assert site.result(job_id) == "slept"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_listener_hands_its_job_back_and_another_does_it(
    site: Site, signum: signal.Signals
) -> None:
    job_id = site.submit("sleep", 1)
    with site.listener("first") as first:
        first.wait_for("Executing command")
        pid = render_pid(first)
        os.kill(first._process.pid, signum)
        assert first._process.wait(10) == 0
        assert site.queue.counts() == VISIBLE, "visible at once, not after a time-out"
        wait_until_gone(pid)
        assert any("interrupted" in text for text in texts_of(job_id, first.log))
    with site.listener("second") as second:
        second.wait_for("Job processed")
    assert site.result(job_id) == "slept"


def test_a_stopped_listener_without_a_job_ends_soon(site: Site) -> None:
    with site.listener() as listener:
        listener.wait_for("Waiting for job")
        start = time.monotonic()
        assert listener.terminate() == 0
        assert time.monotonic() - start < 5


def test_a_job_longer_than_the_visibility_time_is_not_done_twice(site: Site) -> None:
    job_id = site.submit("sleep", 2 * VISIBILITY_TIMEOUT_S)
    with site.listener("first") as first, site.listener("second") as second:
        site.wait_for_counts(EMPTY)
        both = first.log + second.log
    assert texts_of(job_id, both).count("Received job from queue.") == 1
    assert site.result(job_id) == "slept"


def test_a_job_taken_over_by_another_listener_is_stopped_without_tasks_or_delete(
    site: Site,
) -> None:
    """A listener that was frozen for longer than its lease must not go on when it wakes."""
    job_id = site.submit("sleep", 3)
    with site.listener("first") as first:
        first.wait_for("Executing command")
        os.kill(first._process.pid, signal.SIGSTOP)
        with site.listener("second") as second:
            second.wait_for("Executing command")
            os.kill(first._process.pid, signal.SIGCONT)
            first.wait_for("Job left alone")
            second.wait_for("Job processed")
            site.wait_for_counts(EMPTY)
        assert not any("Executing task" in text for text in texts_of(job_id, first.log))
    assert site.result(job_id) == "slept"


def test_the_listener_itself_loads_no_gpu_library_and_no_kernel(site: Site) -> None:
    site.submit("echo", 1)
    with site.listener() as listener:
        listener.wait_for("Job processed")
        maps = Path(f"/proc/{listener._process.pid}/maps").read_text()
    assert "python" in maps
    assert not re.search(r"_kernels|numpy|cupy|pycuda|libcuda", maps)
