"""Child processes of the command line: started, kept running, ended with their parent."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

#: From asking to SIGKILL, beyond what the child is allowed for its job in hand.
STOP_S = 20.0
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 60.0


def start_child(*arguments: str, output: int | None = None) -> subprocess.Popen[bytes]:
    """Start ``gpuqueue`` with these arguments; its two outputs go to `output`, or to ours.

    The child holds the reading end of a pipe that nobody writes to. Its end asks the child to
    stop, and comes by itself when we are gone, even by kill -9.
    """
    return subprocess.Popen(  # noqa: S603 (our own module, no shell)
        # -P: the current folder must not shadow a module.
        [sys.executable, "-P", "-m", "gpuqueue", *arguments, "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        # Ctrl-C is for us alone: a listener takes a second signal as "at once".
        start_new_session=True,
    )


def ask_to_stop(child: subprocess.Popen[bytes]) -> None:
    """Close the pipe that keeps the child going."""
    if child.stdin is not None:
        child.stdin.close()


def stop_child(child: subprocess.Popen[bytes], patience_s: float = STOP_S) -> int:
    """Ask a child to stop, wait, insist; return its exit code."""
    ask_to_stop(child)
    try:
        return child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def when_parent_ends(stop: Callable[[], None]) -> None:
    """In a child: call `stop`, in a thread, once the parent asks for it or is gone."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        stop()

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
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Keeper:
        self._child = self._start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopped.set()
        stop_child(self._child, self._patience_s)
        self._thread.join()

    def _keep(self) -> None:
        delay_s = FIRST_DELAY_S
        while True:
            started = time.monotonic()
            code = self._child.wait()
            ask_to_stop(self._child)
            if time.monotonic() - started > MAX_DELAY_S:
                delay_s = FIRST_DELAY_S
            if not self._stopped.is_set():
                self._log_end(code, delay_s)
            if self._stopped.wait(delay_s):
                return
            with self._lock:
                if self._stopped.is_set():
                    return
                self._start_again()
            delay_s = min(2 * delay_s, MAX_DELAY_S)

    def _start_again(self) -> None:
        """Start another child; where that fails, the old one's end is waited for once more."""
        try:
            self._child = self._start()
        except OSError as error:
            log.event(
                Event.CHILD_RESTARTED,
                f"Listener cannot be started: {error.strerror}.",
                level=logging.WARNING,
            )

    def _log_end(self, code: int, delay_s: float) -> None:
        log.event(
            Event.CHILD_RESTARTED,
            f"Listener ended with code {code}; starting another in {delay_s:g} s.",
            level=logging.WARNING,
            code=code,
        )
