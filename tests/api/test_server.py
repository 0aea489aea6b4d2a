"""The front end on a socket: clients that misbehave, and the process itself."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gpuqueue.api import server
from gpuqueue.api.app import HttpLimits
from gpuqueue.config import Settings
from tests.acceptance.processes import Process

from .conftest import running

CALL = b'{"jsonrpc": "2.0", "method": "get_version", "id": 1}'
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def connect(client: httpx.Client) -> socket.socket:
    host, port = client.base_url.host, client.base_url.port
    assert port is not None
    return socket.create_connection((host, port), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def test_a_request_by_hand_is_answered(client: httpx.Client) -> None:
    with connect(client) as connection:
        length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(CALL)
        connection.sendall(HEAD + length + CALL)
        assert b'"result":"' in read_all(connection)


def test_a_head_that_never_ends_is_closed(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.2)
    client.get("/healthz")
    with connect(client) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost:")
        assert read_all(connection) == b""


def test_a_body_that_never_ends_is_answered_and_closed(settings: Settings) -> None:
    limits = replace(HttpLimits(), body_s=0.2)
    with running(settings, limits) as client, connect(client) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        reply = read_all(connection)
    assert reply.startswith(b"HTTP/1.1 408")
    assert b"-32012" in reply


def test_a_large_body_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        reply = read_all(connection)
    assert reply.startswith(b"HTTP/1.1 413")
    assert b"http_post_body_limit" in reply


def test_a_client_that_sends_too_much_reads_why(client: httpx.Client) -> None:
    for _ in range(5):
        with connect(client) as connection:
            connection.sendall(HEAD + b"Content-Length: 8000000\r\n\r\n")
            connection.sendall(b" " * 8_000_000)
            assert read_all(connection).startswith(b"HTTP/1.1 413")


def test_a_client_that_hangs_up_does_no_harm(
    client: httpx.Client, records: list[logging.LogRecord]
) -> None:
    with connect(client) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
    assert client.get("/healthz").status_code == 200
    assert not [record for record in records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        # Two readers of these could see two different requests.
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(client: httpx.Client, head: bytes) -> None:
    with connect(client) as connection:
        connection.sendall(head)
        assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_another_user_of_the_port_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = [sys.executable, "-m", "gpuqueue", "serve", "--no-listen", "--port", str(port)]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"http_address 127.0.0.1:{port} cannot be used: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_without_a_configuration_does_a_job_and_ends_with_its_listener(
    tmp_path: Path,
) -> None:
    upload = {"bucket": "local_bucket", "key": "v-${message_id}.${mime_ext}"}
    call = {
        "jsonrpc": "2.0",
        "method": "queue_manager_submit_job",
        "params": {
            "command": "get_version",
            "tasks": [{"name": "s3_upload", "config": upload}],
        },
        "id": 1,
    }
    with Process(tmp_path / "serve.log", "serve", "--port", "0") as process:
        address = process.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        with httpx.Client(trust_env=False, timeout=20) as client:
            job_id = client.post(address, json=call).json()["result"]
        process.wait_for(rf"{job_id}\] Job processed, removing from queue\.")
        assert process.terminate() == 0
        assert "Listener stopped." in process.log
    version = tmp_path / "gpuqueue-data" / "bucket" / f"v-{job_id}.json"
    assert isinstance(json.loads(version.read_text()), str)


def test_a_listener_ends_when_its_server_is_killed(tmp_path: Path) -> None:
    with Process(tmp_path / "serve.log", "serve", "--port", "0") as process:
        process.wait_for(r"Waiting for job\.")
        process.kill()
        deadline = time.monotonic() + 30
        while "Listener stopped." not in process.log:
            assert time.monotonic() < deadline, process.log
            time.sleep(0.05)


def test_a_listener_that_ends_is_started_again(tmp_path: Path) -> None:
    with Process(tmp_path / "serve.log", "serve", "--port", "0") as process:
        # The listener announces its render process; that one's parent is the listener.
        render_pid = int(process.wait_for(r"Render process (\d+) is ready")[1])
        process.wait_for(r"Waiting for job\.")
        status = Path(f"/proc/{render_pid}/status").read_text()
        parent = next(line for line in status.splitlines() if line.startswith("PPid:"))
        os.kill(int(parent.split()[1]), 9)
        process.wait_for(r"Listener ended with code -9; starting another in 1 s\.")
        process.wait_for(r"(?s)starting another.*Waiting for job\.")


def test_a_front_end_loads_no_device_and_no_kernels(tmp_path: Path) -> None:
    code = """
import sys
from gpuqueue.api.app import create_app
from gpuqueue.api.methods import CommandMethods
from gpuqueue.api.rpc import dispatch
from gpuqueue.config import embedded_settings
settings = embedded_settings()
create_app(settings)
dispatch(CommandMethods(settings), '{"jsonrpc": "2.0", "id": 1,'
    '"method": "queue_manager_submit_job", "params": {"command": "rs_fancy_render",'
    '"parameters": {"scene_file": "a.mi"}}}')
heavy = ("cupy", "pycuda", "gpuqueue._kernels_avx2", "gpuqueue._kernels_baseline")
print([name for name in heavy if name in sys.modules])
"""
    (tmp_path / "a.mi").write_text("verbose off\n")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "[]\n", done.stderr
