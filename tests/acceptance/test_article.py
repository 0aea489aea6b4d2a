"""The article's example, word for word, against SQS and S3 servers over real HTTP."""

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Cloud
from .processes import Process

VERSION_JOB = """{"jsonrpc": "2.0", "method": "queue_manager_submit_job", "params": {
    "command": "get_version", "parameters": {}, "queue_name": "rs_sqs_queue",
    "tasks": [{"name": "s3_upload", "config": {"bucket": "rs_s3_bucket",
        "key": "tests/version-${message_id}.${mime_ext}", "acl": "public-read"}}]}, "id": 1}"""

RENDER_JOB = """{"jsonrpc": "2.0", "method": "queue_manager_submit_job", "params": {
    "command": "rs_fancy_render", "parameters": {"scene_file": "scenes/meyemII.mi",
        "width": 96, "height": 72, "samples": 4},
    "tasks": [{"name": "s3_upload", "config": {"bucket": "rs_s3_bucket",
        "key": "renders/meyemII-${message_id}.${mime_ext}"}}]}, "id": 2}"""


def curl(address: str, body: str) -> dict:
    """Post `body` as the article does, with curl."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    command = [program, "-sS", "-H", "Content-Type: application/json", "-d", body, address]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return json.loads(done.stdout)


def lines_of(job_id: str, log: str) -> list[str]:
    """What the log says of one job, without the prefix."""
    prefix = rf"QUEUE  main info : \[rs_sqs_queue {job_id}\] "
    return [m[1] for m in re.finditer(rf"^{prefix}(.*)$", log, re.MULTILINE)]


def test_the_articles_two_jobs_arrive_in_the_bucket(cloud: Cloud, tmp_path: Path) -> None:
    with Process(tmp_path / "serve.log", "serve", "-c", str(cloud.configuration)) as server:
        address = server.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        server.wait_for(
            r"(?m)^QUEUE  main info : \[rs_sqs_queue\] Queue configured for listening\. "
            r"Waiting for job\.$"
        )
        version, render = curl(address, VERSION_JOB), curl(address, RENDER_JOB)
        assert version == {"id": 1, "jsonrpc": "2.0", "result": version["result"]}
        for reply, command in ((version, "get_version"), (render, "rs_fancy_render")):
            job_id = reply["result"]
            server.wait_for(rf"{job_id}\] Job processed, removing from queue\.")
            lines = lines_of(job_id, server.log)
            # Front end and listener are two processes: the job may arrive before its sender has
            # written that it is gone.
            lines.remove("Job successfully queued.")
            assert lines == [
                "Received job from queue.",
                f"Executing command: {command}.",
                f"Executed command: {command}.",
                "Executing task: s3_upload.",
                "Executed task: s3_upload.",
                "Job processed, removing from queue.",
            ]
    text, text_type = cloud.object(f"tests/version-{version['result']}.json")
    assert text_type == "application/json"
    assert re.fullmatch(r"[\d.]+, build [\w.]+, \d\d \w{3} \d{4}, [\w-]+", json.loads(text))
    picture, picture_type = cloud.object(f"renders/meyemII-{render['result']}.png")
    assert picture_type == "image/png"
    assert Image.open(io.BytesIO(picture)).size == (96, 72)
    assert cloud.counts(cloud.queue_url) == (0, 0)
    assert cloud.counts(cloud.dead_url) == (0, 0)
