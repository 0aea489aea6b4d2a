"""Queues, buckets, receivers and disks that fail: nothing is lost, and the log says why."""

from __future__ import annotations

import base64
import hashlib
import re
import resource
import socket
import time
from pathlib import Path

import pytest

from gpuqueue.commands.submit import submit
from gpuqueue.config import Settings, load_settings
from gpuqueue.errors import TransientError
from gpuqueue.job import TaskCall
from gpuqueue.queues import QueueCounts, open_queue

from .conftest import Cloud
from .processes import Process
from .site import COMMANDS, Site
from .villain import Deed, answer, drip, sending, silence, villain

CONFIGURATION = """\
command_folder {commands}
http_address 127.0.0.1:0
<user queue_manager>
    allow_command get_version
    allow_command probe
    default_queue {queue}
    listen_queue {queue}
    visibility_timeout_s 30
    max_backoff_s 0
</user>
<user aws>
    access_key AKIDEXAMPLE
    secret_key exampleSecret
    region us-east-1
    endpoint_url {endpoint}
    <user sqs>
        <user queue>
            name away
            queue_url {endpoint}/123/away
        </user>
    </user>
    <user s3>
        <user bucket>
            name away
            bucket away
            path_style on
        </user>
    </user>
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

RESULT = b"1048576"


def stored(result: bytes) -> Deed:
    """What S3 answers to the upload of this result."""
    checksum = base64.b64encode(hashlib.sha256(result).digest()).decode()
    return answer("200 OK", b"", 'ETag: "1"', f"x-amz-checksum-sha256: {checksum}")


STORED = stored(RESULT)


def refused(status: str, code: str) -> bytes:
    """An error as S3 writes it."""
    return f"<Error><Code>{code}</Code><Message>{status}</Message></Error>".encode()


def configure(folder: Path, endpoint: str = "http://127.0.0.1:9", queue: str = "jobs") -> Path:
    path = folder / "a.conf"
    path.write_text(CONFIGURATION.format(commands=COMMANDS, endpoint=endpoint, queue=queue))
    return path


def listen(configuration: Path) -> Process:
    return Process(configuration.parent / "listen.log", "listen", "-c", str(configuration))


def submit_upload(
    settings: Settings, bucket: str = "away", do: str = "echo", times: int = 1
) -> str:
    upload = TaskCall(name="s3_upload", config={"bucket": bucket, "key": "${message_id}"})
    return submit(settings, "probe", {"do": do, "value": int(RESULT)}, "jobs", [upload] * times)


def wait_for_counts(settings: Settings, expected: QueueCounts) -> None:
    queue, deadline = open_queue(settings, "jobs"), time.monotonic() + 30
    while (counts := queue.counts()) != expected:
        assert time.monotonic() < deadline, counts
        time.sleep(0.02)


def test_receivers_that_fail_once_in_every_way_have_the_result_in_the_end(site: Site) -> None:
    deeds = [
        silence,
        drip,
        sending(b""),
        sending(b"\0\xff garbage" * 1000 + b"\r\n\r\n"),
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
        answer("503 Service Unavailable", b"\n\x1b[2Jcome back", "Retry-After: 0"),
        answer("429 Too Many", b"", "Retry-After: Mon, 01 Jan 0001 00:00:00 GMT"),
    ]
    done = answer("204 No Content")
    with villain(*[each for deed in deeds for each in (deed, done)]) as receiver:
        hook = {"name": "http_post", "config": {"postback_uri": f"{receiver.address}/a?token=s3"}}
        job_id = site.submit("get_version", tasks=[hook] * len(deeds))
        assert site.end_of(job_id, timeout_s=120) == "done"
    lines = [line for line in site.server.log.splitlines() if f"{job_id}] Task http_post" in line]
    assert len(lines) == len(deeds), "\n".join(lines)
    assert all("next try in" in line and len(line) < 600 for line in lines)
    assert "s3" not in "".join(lines).replace("jobs", "")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", "answered 404"),
        ("302 Found", "a redirect that is not followed"),
        ("401 Unauthorized", "answered 401"),
    ],
)
def test_a_receiver_that_refuses_ends_the_job_with_its_word(
    site: Site, status: str, reason: str
) -> None:
    with villain(answer(status, b"", "Location: http://169.254.169.254/")) as receiver:
        hook = {"name": "http_post", "config": {"postback_uri": receiver.address}}
        assert reason in site.end_of(site.submit("get_version", tasks=[hook]))
        assert len(receiver.requests) == 1


def test_a_bucket_that_fails_in_every_way_has_the_result_in_the_end(tmp_path: Path) -> None:
    deeds = [
        sending(b"garbage\r\n\r\n"),  # tried again at once, as the next one
        sending(b""),
        STORED,
        answer("400 Bad Request", refused("the token has expired", "ExpiredToken")),
        STORED,
        answer("200 OK", b"<html>a proxy's page</html>"),
        STORED,
        answer("400 Bad Request", refused("your clock", "RequestTimeTooSkewed")),
    ]
    with villain(*deeds, STORED) as bucket:
        configuration = configure(tmp_path, bucket.address)
        settings = load_settings(configuration)
        job_id = submit_upload(settings, times=4)
        with listen(configuration) as listener:
            listener.wait_for(f"{job_id}] Job processed, removing from queue")
            wait_for_counts(settings, QueueCounts(0, 0, 0))
            assert listener.log.count("Executing command") == 1
            for word in ("ExpiredToken", "does not confirm the object", "TimeTooSkewed"):
                assert word in listener.log
            assert "exampleSecret" not in listener.log


def test_a_listener_restarted_during_an_upload_does_not_run_the_command_again(
    tmp_path: Path,
) -> None:
    with villain(silence) as bucket:
        configuration = configure(tmp_path, bucket.address)
        settings = load_settings(configuration)
        upload = TaskCall(name="s3_upload", config={"bucket": "away", "key": "${message_id}"})
        job_id = submit(settings, "probe", {"do": "silent", "value": 1.2}, "jobs", [upload])
        with listen(configuration) as listener:
            listener.wait_for(f"{job_id}] Executing task: s3_upload")
            assert listener.terminate() == 0
    with villain(stored(b"null")) as bucket:
        with listen(configure(tmp_path, bucket.address)) as listener:
            listener.wait_for(f"{job_id}] Job processed, removing from queue")
            wait_for_counts(settings, QueueCounts(0, 0, 0))
            assert "Using the result that an earlier try left here" in listener.log
            assert "Executing command" not in listener.log
        assert bucket.requests


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("SignatureDoesNotMatch", "check secret_key"),
        ("NoSuchBucket", "check bucket, region and endpoint_url"),
    ],
)
def test_wrong_credentials_are_told_with_advice_and_the_job_is_kept(
    tmp_path: Path, code: str, advice: str
) -> None:
    with villain(answer("403 Forbidden", refused("no", code))) as bucket:
        configuration = configure(tmp_path, bucket.address)
        settings = load_settings(configuration)
        submit_upload(settings)
        with listen(configuration) as listener:
            wait_for_counts(settings, QueueCounts(0, 0, 1))
            assert re.search(f"Job failed: .*{code}.*{advice}", listener.log)
            assert listener.log.count("Executing command") == 2, "another machine may do better"


@pytest.mark.parametrize("deed", [silence, drip])
def test_a_stop_in_the_middle_of_an_upload_that_hangs_hands_the_job_back(
    tmp_path: Path, deed: object
) -> None:
    with villain(deed) as bucket:  # type: ignore[arg-type]
        configuration = configure(tmp_path, bucket.address)
        settings = load_settings(configuration)
        job_id = submit_upload(settings)
        with listen(configuration) as listener:
            listener.wait_for(f"{job_id}] Executing task: s3_upload")
            while not bucket.requests:
                time.sleep(0.01)
            started = time.monotonic()
            assert listener.terminate() == 0
            assert time.monotonic() - started < 15
            assert "Job returned to queue, visible now" in listener.log
    assert open_queue(settings, "jobs").counts() == QueueCounts(1, 0, 0)


@pytest.mark.parametrize(
    "deed",
    [
        answer("200 OK", b"{}"),
        answer("200 OK", b"<html>a proxy's page</html>"),
        answer("500 Internal Server Error", b"{}"),
        sending(b""),
    ],
)
def test_a_server_that_is_none_of_sqs_is_not_asked_without_pause(
    tmp_path: Path, deed: object
) -> None:
    with villain(deed) as queue:  # type: ignore[arg-type]
        configuration = configure(tmp_path, queue.address, "away")
        with pytest.raises(TransientError, match="away"):
            submit(load_settings(configuration), "get_version", {})
        with listen(configuration) as listener:
            listener.wait_for(r"Waiting for job\.")
            before = len(queue.requests)
            time.sleep(3)
            assert len(queue.requests) - before < 20
            assert listener.terminate() == 0


def test_a_queue_that_cannot_be_reached_is_told_at_submit_and_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    configuration = configure(tmp_path, closed, "away")
    with pytest.raises(TransientError, match=r"queue 'away'.*Could not connect"):
        submit(load_settings(configuration), "get_version", {})
    with listen(configuration) as process:
        process.wait_for(r"Queue cannot be used: .*Could not connect.*; next try in [\d.]+ s")
        assert process.terminate() == 0


def test_a_listener_of_a_queue_that_does_not_exist_ends_with_advice(cloud: Cloud) -> None:
    text = cloud.configuration.read_text()
    cloud.configuration.write_text(text.replace("/RS_jobs", "/no_such_queue"))
    with listen(cloud.configuration) as listener:
        listener.wait_for(r"error: .*QueueDoesNotExist.*check queue_url, region and endpoint_url")
        assert listener.wait() == 1


def test_a_queue_that_is_deleted_while_it_is_listened_to_may_come_back(cloud: Cloud) -> None:
    with listen(cloud.configuration) as listener:
        listener.wait_for(r"Waiting for job\.")
        cloud.sqs.delete_queue(QueueUrl=cloud.queue_url)
        listener.wait_for("Queue cannot be used: .*QueueDoesNotExist")
        cloud.sqs.create_queue(QueueName="RS_jobs")
        cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody='{"command": "get_version"}')
        listener.wait_for(r"Job processed, removing from queue\.")


def test_a_full_disk_refuses_at_submit_and_delays_a_result(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk; it spares small ones, as the log."""
    configuration = configure(tmp_path)
    settings = load_settings(configuration)
    with listen(configuration) as listener:
        listener.wait_for(r"Waiting for job\.")
        limit_files(listener, 256 << 10)
        job_id = submit_upload(settings, "results", do="zeros")
        listener.wait_for(f"{job_id}] Task s3_upload failed: bucket 'results'.*File too large")
        assert not list((tmp_path / "bucket").iterdir())
        limit_files(listener, resource.RLIM_INFINITY)
        listener.wait_for(f"{job_id}] Job processed, removing from queue")
    assert [path.name for path in (tmp_path / "bucket").iterdir()] == [job_id]


def test_a_full_disk_under_the_queue_is_told_at_submit(site: Site) -> None:
    value = {"do": "echo", "value": "x" * 900_000}
    limit_files(site.server, 64 << 10)
    try:
        error = site.refusal("probe", value)
    finally:
        limit_files(site.server, resource.RLIM_INFINITY)
    assert error["code"] == -32005
    assert "queue 'jobs'" in error["message"]
    assert site.end_of(site.submit("probe", value)) == "done"


def limit_files(process: Process, size: int) -> None:
    """No file of the process may grow beyond `size` bytes."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
