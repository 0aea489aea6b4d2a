"""One picture rendered by several listeners, one of which is lost."""

from __future__ import annotations

import json
import time
from pathlib import Path

from .conftest import Cloud
from .processes import Process
from .test_losses import LONG_RENDER, assert_done, keep_state, listen, picture_of

PARTS = 3


def submit_in_parts(cloud: Cloud, folder: Path) -> str:
    """Submit the long render in parts by the command line; the job's id."""
    parameters = [f"-p{name}={value}" for name, value in LONG_RENDER["parameters"].items()]
    task = "s3_upload bucket=rs_s3_bucket key=${message_id}.png"
    words = ["submit", "rs_fancy_render", *parameters, "-t", task, "--parts", str(PARTS)]
    with Process(folder / "submit.log", *words, "-c", str(cloud.configuration)) as process:
        assert process.wait() == 0, process.log
        return process.log.split()[-1]


def test_a_picture_in_parts_survives_a_lost_listener_and_has_the_bits_of_a_whole_one(
    cloud: Cloud, tmp_path: Path
) -> None:
    keep_state(cloud)
    whole = picture_of(cloud, tmp_path, None)
    job_id = submit_in_parts(cloud, tmp_path)
    assert cloud.counts(cloud.queue_url) == (PARTS, 0)
    with (
        listen(cloud, tmp_path / "first.log") as first,
        listen(cloud, tmp_path / "2.log") as second,
    ):
        first.wait_for(rf"{job_id}_\d] Executing command")
        first.wait_for("Kept what is rendered so far")
        first.kill()
        second.wait_for(r"Merged 3 parts\.", timeout_s=120)
        deadline = time.monotonic() + 60
        while cloud.counts(cloud.queue_url) != (0, 0):
            assert time.monotonic() < deadline, second.log
            time.sleep(0.1)
    assert_done(cloud, job_id)
    assert cloud.object(f"{job_id}.png")[0] == whole
    listed = cloud.s3.list_objects_v2(Bucket="rs-example-bucket", Prefix="gpuqueue/")
    keys = [item["Key"] for item in listed["Contents"]]
    assert len(keys) == 2, f"nothing but the records of two jobs is left: {keys}"
    record = next(r for key in keys if (r := json.loads(cloud.object(key)[0]))["id"] == job_id)
    assert record["state"] == "succeeded"
    assert record["results"] == [f"s3://rs-example-bucket/{job_id}.png"]
    assert sorted(a["outcome"] for a in record["attempts"]) == ["failed", *["succeeded"] * PARTS]
