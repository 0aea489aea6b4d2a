"""Real gpuqueue processes for acceptance tests: start, read the log, signal, stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

TIMEOUT_S = 60


class Process:
    """One ``gpuqueue`` command line as a child process, its log in a file.

    Of variables for the AWS tools it has those that are given, and no others.
    """

    def __init__(self, log: Path, *arguments: str, **variables: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment |= {"AWS_EC2_METADATA_DISABLED": "true", **variables}
        self._log = log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gpuqueue", *arguments],
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything printed so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, pattern: str, timeout_s: float = TIMEOUT_S) -> re.Match[str]:
        """Wait until the log matches `pattern`; fail with the log if the process ends before."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if match := re.search(pattern, self.log):
                return match
            if self._process.poll() is not None and not re.search(pattern, self.log):
                raise AssertionError(f"ended with {self._process.returncode}:\n{self.log}")
            time.sleep(0.02)
        raise AssertionError(f"no line like {pattern!r} within {timeout_s} s:\n{self.log}")

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self._process.terminate()
        return self._process.wait(TIMEOUT_S)

    def wait(self) -> int:
        """Wait until it ends by itself and return the exit code."""
        return self._process.wait(TIMEOUT_S)

    def kill(self) -> None:
        """Send SIGKILL, as the loss of a machine would."""
        self._process.kill()
        self._process.wait()

    def kill_render_process(self) -> None:
        """Send SIGKILL to the child process that runs commands."""
        match = self.wait_for(r"Render process (\d+)")
        os.kill(int(match[1]), signal.SIGKILL)
