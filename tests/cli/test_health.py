"""``gpuqueue health``: what a container's health check learns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gpuqueue.cli import app
from gpuqueue.listener import Pulse, tell_bad_machine
from gpuqueue.listener.pulse import GRACE_S, folder


class FrontEnd(BaseHTTPRequestHandler):
    """Answers /healthz with the status it is told."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def front_end() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), FrontEnd) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def health(port: int, address: str = "0.0.0.0") -> Result:
    Path("a.conf").write_text(f"http_address {address}:{port}\n")
    return CliRunner().invoke(app, ["health", "-c", "a.conf"])


def test_a_front_end_that_answers_is_healthy_whatever_proxy_is_set(
    front_end: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    result = health(front_end.server_port)
    assert result.exit_code == 0, result.output
    assert f"http://127.0.0.1:{front_end.server_port}/healthz" in result.output


def test_a_front_end_that_cannot_reach_its_queue_is_not(
    front_end: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FrontEnd, "status", 503)
    result = health(front_end.server_port)
    assert result.exit_code == 1
    assert "answers 503, expected 200" in result.output


def test_where_nothing_runs_nothing_is_healthy() -> None:
    with HTTPServer(("127.0.0.1", 0), FrontEnd) as server:
        port = server.server_port
    result = health(port)
    assert result.exit_code == 1
    assert "no listener runs, and http://127.0.0.1:" in result.output


def test_a_listener_needs_no_port() -> None:
    with Pulse() as pulse:
        pulse.beat(5)
        result = CliRunner().invoke(app, ["health"])
    assert result.exit_code == 0, result.output
    assert "the listener works" in result.output


def test_a_listener_that_missed_its_beat_is_not_healthy_even_beside_a_front_end(
    front_end: HTTPServer,
) -> None:
    with Pulse() as pulse:
        pulse.beat(-GRACE_S - 60)
        result = health(front_end.server_port)
    assert result.exit_code == 1
    assert "late with its beat" in result.output


def test_a_folder_of_another_user_is_named(tmp_path: Path) -> None:
    folder().symlink_to(tmp_path)
    result = CliRunner().invoke(app, ["health"])
    assert result.exit_code == 1
    assert str(folder()) in result.output


def test_a_listener_that_stopped_since_its_machine_is_bad_is_remembered_until_one_works(
    front_end: HTTPServer,
) -> None:
    tell_bad_machine("3 jobs lost the device \ud800")
    for _ in range(2):
        result = health(front_end.server_port)
        assert result.exit_code == 1
        assert "none has worked here since: 3 jobs lost the device ?" in result.output
        with Pulse():
            pass  # one that does not get as far as a poll
    with Pulse(is_kept=False) as beside_a_front_end:
        beside_a_front_end.beat(5)
    assert health(front_end.server_port).exit_code == 0
