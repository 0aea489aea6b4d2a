"""Child processes of the command line: started, kept running, ended with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

#: From SIGTERM to SIGKILL, beyond what the child is allowed for its job in hand.
STOP_S = 20.0
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 60.0


def start_child(*arguments: str, output: int | None = None) -> subprocess.Popen[bytes]:
    """Start ``gpuqueue`` with these arguments; its two outputs go to `output`, or to ours.

    The child holds the reading end of a pipe that nobody writes to: its end tells the child that
    its parent is gone, even after kill -9.
    """
    return subprocess.Popen(  # noqa: S603 (our own module, no shell)
        # -P: the current folder must not shadow a module.
        [sys.executable, "-P", "-m", "gpuqueue", *arguments, "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
    )


def stop_child(child: subprocess.Popen[bytes], patience_s: float = STOP_S) -> int:
    """Ask a child to end, wait, insist; return its exit code."""
    if child.poll() is None:
        child.terminate()
    try:
        code = child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        code = child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
    return code


def end_with_parent() -> None:
    """In a child: behave as on SIGTERM once the parent is gone."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def config_arguments(config: Path | None) -> list[str]:
    """The arguments that give a child the same configuration."""
    return ["-c", str(config.absolute())] if config else []


class Keeper:
    """Keeps one child running: one that ends by itself is started again, ever more slowly."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], patience_s: float) -> None:
        self._start = start
        self._patience_s = patience_s
        self._stopped = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Keeper:
        self._child = self._start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
        self._thread.join()

    def _keep(self) -> None:
        delay_s = FIRST_DELAY_S
        while self._child is not None:
            started = time.monotonic()
            code = self._wait(self._child)
            if self._stopped.is_set():
                return
            delay_s = FIRST_DELAY_S if time.monotonic() - started > MAX_DELAY_S else delay_s
            log.event(
                Event.CHILD_RESTARTED,
                f"Listener ended with code {code}; starting another in {delay_s:g} s.",
                level=30,
                code=code,
            )
            if self._stopped.wait(delay_s):
                return
            delay_s = min(2 * delay_s, MAX_DELAY_S)
            self._child = self._start()

    def _wait(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for the child's end; after a stop, no longer than its patience."""
        while not self._stopped.is_set():
            try:
                code = child.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
            stop_child(child)
            return code
        return stop_child(child, self._patience_s)
