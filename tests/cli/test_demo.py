"""The demonstration as a user runs it: real processes, in an empty folder."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "gpuqueue", "demo"]


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that work in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while left := processes_of(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.slow
def test_the_demonstration_delivers_the_version_and_the_picture(tmp_path: Path) -> None:
    done = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    version, picture = map(Path, re.findall(r"(?m)^✓ (/.*)$", done.stdout))
    data = tmp_path / "gpuqueue-data" / "bucket"
    assert version.parent == data / "tests"
    assert re.fullmatch(
        r"[\d.]+, build \S+, \d\d \w{3} \d{4}, \S+", json.loads(version.read_text())
    )
    assert picture.parent == data / "renders"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000, "more than one colour"
    for line in ("Job successfully queued.", "Job processed, removing from queue."):
        assert done.stdout.count(line) == 2
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_nothing_is_left_running_by_a_demonstration_that_is_stopped(
    tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        said = ""
        while "Executing command: rs_fancy_render." not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        assert len(processes_of(tmp_path)) == 4, "demo, front end, listener, render process"
        os.kill(demo.pid, signum)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == code
    assert "Traceback" not in rest
    wait_until_gone(tmp_path)


def test_a_folder_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "gpuqueue-data").write_text("a file")
    done = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "run the demo in another folder" in done.stderr
    assert "Traceback" not in done.stderr
