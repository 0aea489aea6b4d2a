"""A listener's sign of life: fresh while it works, late when it does not, gone with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpuqueue.errors import TransientError
from gpuqueue.listener import loop
from gpuqueue.listener.pulse import GRACE_S, Pulse, folder, seconds_left

from .fakes import FakeQueue, lease_of, message
from .test_loop import RESULT, SETTINGS, FakeRunner, Listener, stop_after


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_a_beat_is_good_until_the_next_one_is_overdue() -> None:
    with Pulse() as sign:
        sign.beat(5)
        assert seconds_left() == pytest.approx(5 + GRACE_S, abs=4)
        sign.beat(-GRACE_S - 10)
        assert seconds_left() == pytest.approx(-10, abs=4)
    assert seconds_left() is None


def test_its_file_is_empty_and_nobody_elses() -> None:
    with Pulse() as sign:
        sign.beat(5)
        (file,) = folder().iterdir()
        assert file.read_bytes() == b""
        assert file.stat().st_mode & 0o077 == 0
        assert folder().stat().st_mode & 0o077 == 0


def test_the_worst_of_several_listeners_counts() -> None:
    with Pulse() as sign:
        sign.beat(5)
        other = folder() / str(os.getppid())
        other.touch()
        os.utime(other, (0, 0))
        left_s = seconds_left()
    assert left_s is not None
    assert left_s < 0


def test_a_listener_that_was_killed_is_forgotten() -> None:
    code = "from gpuqueue.listener import Pulse; import os; Pulse().beat(5); os._exit(9)"
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert len(list(folder().iterdir())) == 1
    assert seconds_left() is None
    with Pulse():
        assert not list(folder().iterdir())


def test_a_folder_that_another_made_is_not_trusted(runtime: Path) -> None:
    elsewhere = runtime / "elsewhere"
    elsewhere.mkdir()
    folder().symlink_to(elsewhere)
    with Pulse() as sign:
        sign.beat(5)
        assert not list(elsewhere.iterdir())
        with pytest.raises(PermissionError, match="remove it"):
            seconds_left()


def test_a_beat_that_cannot_be_written_ends_no_listener(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runtime / "file").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / "file"))
    with Pulse() as sign:
        sign.beat(5)


def test_polls_and_jobs_beat_but_a_queue_that_cannot_be_reached_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "UNREACHABLE_BASE_S", 0.001)
    monkeypatch.setattr(loop, "MIN_POLL_S", 0.001)
    queue = FakeQueue().failing("receive", TransientError("no route"))
    beats: list[float] = []
    shutdown = stop_after(1, queue)
    Listener(SETTINGS, queue, FakeRunner(RESULT), shutdown, beats.append).run()  # type: ignore[arg-type]
    assert beats == [loop.MAX_POLL_S], "the second poll alone was answered"


def test_a_lease_beats_when_taken_and_at_each_renewal_that_succeeds() -> None:
    queue = FakeQueue().failing("extend", TransientError("no route"))
    beats: list[float] = []
    lease = lease_of(message(), queue, beat=beats.append)
    with lease:
        assert beats == [40]
        lease.renew()
        assert beats == [40]
        lease.renew()
        assert beats == [40, 40]
