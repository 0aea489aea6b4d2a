"""What becomes of jobs that fail, and of jobs whose machine goes away."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import MAX_RECEIVES, Cloud
from .processes import Process

#: Long enough to be in the middle of it a moment after its start, on any machine.
LONG_RENDER = {
    "command": "rs_fancy_render",
    "parameters": {"scene_file": "scenes/cornell.mi", "width": 256, "height": 256, "samples": 128},
    "tasks": [
        {"name": "s3_upload", "config": {"bucket": "rs_s3_bucket", "key": "${message_id}.png"}}
    ],
}


def send(cloud: Cloud, job: dict[str, Any]) -> str:
    """Insert a job by hand; it takes the queue's own id."""
    body = json.dumps({"version": 1, **job})
    return cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=body)["MessageId"]


def listen(cloud: Cloud, log: Path) -> Process:
    return Process(log, "listen", "-c", str(cloud.configuration))


def wait_for_middle_of_render(listener: Process, job_id: str) -> None:
    listener.wait_for(f"{job_id}] Executing command: rs_fancy_render.")
    listener.wait_for("Loaded scenes/cornell.mi")


def assert_done(cloud: Cloud, job_id: str) -> None:
    data, _ = cloud.object(f"{job_id}.png")
    assert data.startswith(b"\x89PNG")
    assert cloud.counts(cloud.queue_url) == (0, 0)
    assert cloud.counts(cloud.dead_url) == (0, 0)


def test_a_failing_job_reaches_the_dead_letter_queue_after_its_receives(
    cloud: Cloud, tmp_path: Path
) -> None:
    with listen(cloud, tmp_path / "listen.log") as listener:
        job_id = send(cloud, {"command": "always_fails"})
        deadline = time.monotonic() + 60
        while cloud.counts(cloud.dead_url) != (1, 0):
            assert time.monotonic() < deadline, listener.log
            time.sleep(0.1)
        assert listener.log.count(f"{job_id}] Executing command: always_fails.") == MAX_RECEIVES
        assert "this try failed" in listener.log
    assert cloud.counts(cloud.queue_url) == (0, 0)


def test_a_job_that_can_never_work_is_dead_at_once_with_its_reason(
    cloud: Cloud, tmp_path: Path
) -> None:
    with listen(cloud, tmp_path / "listen.log") as listener:
        send(cloud, {"command": "rs_fancy_render", "parameters": {"scene_file": "scenes/no.mi"}})
        deadline = time.monotonic() + 60
        while cloud.counts(cloud.dead_url) != (1, 0):
            assert time.monotonic() < deadline, listener.log
            time.sleep(0.1)
        assert listener.log.count("Received job from queue.") == 1
    dead = cloud.sqs.receive_message(QueueUrl=cloud.dead_url, MessageAttributeNames=["All"])
    attributes = dead["Messages"][0]["MessageAttributes"]
    assert any("scenes/no.mi" in a["StringValue"] for a in attributes.values()), attributes


def test_sigterm_in_a_render_hands_the_job_back_and_a_second_listener_finishes_it(
    cloud: Cloud, tmp_path: Path
) -> None:
    job_id = send(cloud, LONG_RENDER)
    with listen(cloud, tmp_path / "first.log") as first:
        wait_for_middle_of_render(first, job_id)
        assert first.terminate() == 0
        assert "Job processed" not in first.log
        assert cloud.counts(cloud.queue_url) == (1, 0), "the job is visible again at once"
    with listen(cloud, tmp_path / "second.log") as second:
        second.wait_for(f"{job_id}] Job processed, removing from queue.", timeout_s=120)
    assert_done(cloud, job_id)


def test_a_killed_render_process_costs_one_try_and_nothing_else(
    cloud: Cloud, tmp_path: Path
) -> None:
    job_id = send(cloud, LONG_RENDER)
    with listen(cloud, tmp_path / "listen.log") as listener:
        wait_for_middle_of_render(listener, job_id)
        listener.kill_render_process()
        listener.wait_for(f"{job_id}] Job processed, removing from queue.", timeout_s=120)
        assert listener.log.count(f"{job_id}] Executing command: rs_fancy_render.") == 2
        assert listener.log.count("Executing task") == 1
    assert_done(cloud, job_id)


def test_a_killed_listener_loses_nothing(cloud: Cloud, tmp_path: Path) -> None:
    job_id = send(cloud, LONG_RENDER)
    with listen(cloud, tmp_path / "first.log") as first:
        wait_for_middle_of_render(first, job_id)
        first.kill()
    with listen(cloud, tmp_path / "second.log") as second:
        second.wait_for(f"{job_id}] Job processed, removing from queue.", timeout_s=120)
    assert_done(cloud, job_id)


def keep_state(cloud: Cloud) -> None:
    """Have records and checkpoints kept in the job's own bucket."""
    text = cloud.configuration.read_text()
    kept = "    state_bucket rs_s3_bucket\n    checkpoint_interval_s 0.2\n    visibility"
    cloud.configuration.write_text(text.replace("    visibility", kept))


def picture_of(cloud: Cloud, tmp_path: Path, lose: Callable[[Process], object] | None) -> bytes:
    """The picture of a long render whose first listener is lost in the middle of it."""
    job_id = send(cloud, LONG_RENDER)
    if lose is not None:
        with listen(cloud, tmp_path / "first.log") as first:
            wait_for_middle_of_render(first, job_id)
            first.wait_for("Kept what is rendered so far")
            lose(first)
    with listen(cloud, tmp_path / "second.log") as second:
        second.wait_for(f"{job_id}] Job processed, removing from queue.", timeout_s=120)
        assert ("Going on at sample" in second.log) == (lose is not None)
    assert_done(cloud, job_id)
    return cloud.object(f"{job_id}.png")[0]


def test_a_render_whose_machine_was_lost_goes_on_elsewhere_with_the_same_bits(
    cloud: Cloud, tmp_path: Path
) -> None:
    keep_state(cloud)
    whole = picture_of(cloud, tmp_path, None)
    assert picture_of(cloud, tmp_path, Process.kill) == whole
    assert picture_of(cloud, tmp_path, Process.terminate) == whole
    listed = cloud.s3.list_objects_v2(Bucket="rs-example-bucket", Prefix="gpuqueue/")
    records = [item["Key"] for item in listed["Contents"]]
    assert len(records) == 3, "no checkpoint outlives its job"
    states = [json.loads(cloud.object(key)[0]) for key in records]
    assert [state["state"] for state in states] == ["succeeded"] * 3
    ends = sorted([a["outcome"] for a in state["attempts"]] for state in states)
    assert ends == [["failed", "succeeded"], ["interrupted", "succeeded"], ["succeeded"]]
