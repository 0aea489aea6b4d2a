"""Starts ministack on a free port of this machine, for as long as tests need it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cloud import ACCESS_KEY, SECRET_KEY, Cloud

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / "build" / "ministack"
PYTHON = ENVIRONMENT / "bin" / "python"
START_TIMEOUT_S = 60


@dataclass
class Ministack:
    """The running server, and what moves its clock."""

    cloud: Cloud
    clock_file: Path

    def set_ahead(self, seconds: float) -> None:
        """Have SQS be so far ahead; written whole, since the server may read at any moment."""
        part = self.clock_file.with_suffix(".part")
        part.write_text(str(seconds))
        part.replace(self.clock_file)


@contextmanager
def ministack(folder: Path) -> Iterator[Ministack]:
    """Serve while the block runs; `folder` takes its log and its clock."""
    port, clock_file = _free_port(), folder / "clock"
    clock_file.write_text("0")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        # Its default is every network.
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "sqs,s3",
        "CLOCK_FILE": str(clock_file),
        # It checks the signatures of presigned URLs.
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    with (folder / "ministack.log").open("wb") as log:
        server = subprocess.Popen(
            [PYTHON, Path(__file__).with_name("serve.py")],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(port, server, folder / "ministack.log")
            yield Ministack(Cloud(f"http://127.0.0.1:{port}"), clock_file)
        finally:
            server.terminate()
            server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"ministack does not serve: {log.read_text()[-2000:]}")
