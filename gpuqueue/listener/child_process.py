"""One child process in which commands run, and the threads of the listener that hear it.

`gpuqueue.listener.render_process` starts it, uses it and replaces it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydantic import SecretStr

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.errors import DeviceLost, GpuqueueError, JobFailed
from gpuqueue.job import Job
from gpuqueue.listener.frames import ERRORS, BrokenFrame, Frame, read_frame, write_frame
from gpuqueue.listener.lease import Lease
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.RENDER)

#: The child imports its libraries and the user's commands in this time.
START_TIMEOUT_S = 120.0
#: The first use of a kind of GPU may compile the kernels.
SELF_TEST_TIMEOUT_S = 600.0
#: How long a dead child's last words are waited for.
READ_REST_TIMEOUT_S = 5.0
MAX_LINE_BYTES = 8192

Progress = Callable[[float, str], None]


class RenderChild:
    """One child process and the threads that listen to it."""

    def __init__(self, settings: Settings) -> None:
        self.is_usable = True
        #: Whether its device has rendered what is known.
        self.is_tested = False
        #: When a command last told of its progress, on the monotonic clock.
        self.reported_at = -math.inf
        #: What it renders on; it opens a device when it first needs one.
        self.device: str | None = None
        #: What happens, in order: frames, the child's death; None says to look at the lease.
        self._inbox: queue.SimpleQueue[Frame | GpuqueueError | None] = queue.SimpleQueue()
        self._secrets = _secrets(settings)
        self._stall_timeout_s = settings.queue_manager.stall_timeout_s
        self._reaping = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
            # -P: the current folder must not shadow a module.
            [sys.executable, "-P", "-m", "gpuqueue.listener.render_child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A group of its own: Ctrl-C spares it, and a kill takes along what it started.
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._stdin = cast("BinaryIO", self._process.stdin)
        self._stdout = cast("BinaryIO", self._process.stdout)
        self._stderr = cast("BinaryIO", self._process.stderr)
        self._readers = [self._thread(self._read_frames), self._thread(self._read_lines)]
        self._undertaker = self._thread(self._await_death)
        self._send(Frame("settings", {}, to_json(settings)))

    def _thread(self, target: Callable[[], None]) -> threading.Thread:
        name = f"render process {self.pid}: {target.__name__.strip('_')}"
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, as far as is known."""
        return self._undertaker.is_alive()

    def wake(self) -> None:
        """Have a running `run` look at its lease."""
        self._inbox.put(None)

    def wait_until_ready(self) -> None:
        """Return when the child can take commands."""
        try:
            event = self._inbox.get(timeout=START_TIMEOUT_S)
            while not (isinstance(event, Frame) and event.kind == "ready"):
                self._raise_if_over(event)
                event = self._inbox.get(timeout=START_TIMEOUT_S)
        except queue.Empty:
            raise DeviceLost(f"the render process did not start in {START_TIMEOUT_S:g} s") from None
        except JobFailed as error:
            raise DeviceLost(f"the render process did not start: {error}") from error
        log.event(
            Event.RENDER_PROCESS_STARTED, f"Render process {self.pid} is ready.", pid=self.pid
        )

    def test(self) -> None:
        """Have the device render what is known. Raises DeviceLost, ConfigError."""
        self._send(Frame("self_test", {}))
        try:
            event = self._inbox.get(timeout=SELF_TEST_TIMEOUT_S)
            while not (isinstance(event, Frame) and event.kind == "result"):
                self._raise_if_over(event)
                event = self._inbox.get(timeout=SELF_TEST_TIMEOUT_S)
        except queue.Empty:
            raise DeviceLost(f"no self-test within {SELF_TEST_TIMEOUT_S:g} s") from None
        except JobFailed as error:
            raise DeviceLost(f"the self-test failed: {error}") from error
        self.is_tested = True

    def run(self, job: Job, lease: Lease, on_progress: Progress) -> Binary:
        """Run a command; the child stays usable only if it answered for itself."""
        self.is_usable = False
        fields: dict[str, Any] = {
            "job_id": job.id,
            "command": job.command,
            "parameters": job.parameters,
            "part": None if job.part is None else job.part.model_dump(),
        }
        self._send(Frame("run", fields))
        stalled_at = time.monotonic() + self._stall_timeout_s
        while True:
            left_s = max(0.0, min(lease.remaining_s(), stalled_at - time.monotonic()))
            try:
                event = self._inbox.get(timeout=left_s)
            except queue.Empty:
                event = None
            if event is None:
                lease.check()
                if time.monotonic() >= stalled_at:
                    raise JobFailed(
                        f"no progress within stall_timeout_s ({self._stall_timeout_s:g} s)"
                    )
            elif isinstance(event, Frame) and event.kind == "progress":
                self.reported_at = time.monotonic()
                stalled_at = self.reported_at + self._stall_timeout_s
                on_progress(event.fields["fraction"], event.fields["message"])
            elif isinstance(event, Frame) and event.kind == "result":
                self.is_usable = True
                return Binary(event.body, event.fields["mime_type"])
            else:
                self._raise_if_over(event)

    def _raise_if_over(self, event: Frame | GpuqueueError | None) -> None:
        if isinstance(event, GpuqueueError):
            raise event
        if event is not None and event.kind == "error":
            error = ERRORS[event.fields["error"]]
            self.is_usable = error is not DeviceLost
            raise error(self._mask(event.fields["message"]))

    def _send(self, frame: Frame) -> None:
        # A child that is gone is reported by the undertaker.
        with contextlib.suppress(OSError):
            write_frame(self._stdin, frame)

    def kill(self, signum: signal.Signals, grace_s: float) -> None:
        """End the process and whatever it started: by `signum`, then by SIGKILL."""
        self._signal(signum)
        self._undertaker.join(grace_s)
        self._signal(signal.SIGKILL)
        self._undertaker.join()

    def _signal(self, signum: signal.Signals) -> None:
        with self._reaping:
            # Once it is reaped, its number may be another process's.
            if self._process.returncode is None:
                os.kill(self.pid, signum)

    def _await_death(self) -> None:
        """Wait for the end, clean up the process group, and report the end after the last frame."""
        # Not reaped yet, so the number still names this group and no other.
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with self._reaping:
            error = _death(self._process.wait())
        for reader in self._readers:
            reader.join(READ_REST_TIMEOUT_S)
        self._inbox.put(error)
        self._close_pipes()
        log.event(
            Event.RENDER_PROCESS_ENDED, f"Render process {self.pid} ended: {error}.", pid=self.pid
        )

    def _close_pipes(self) -> None:
        """Close what nobody reads any more: a process that left the group may hold a pipe open,
        and to close it under a reader would block."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        for reader, stream in zip(self._readers, (self._stdout, self._stderr), strict=True):
            if not reader.is_alive():
                stream.close()

    def _read_frames(self) -> None:
        try:
            while (frame := read_frame(self._stdout)) is not None:
                if frame.kind == "log":
                    self._log(**frame.fields)
                else:
                    self._inbox.put(frame)
        except (BrokenFrame, OSError, ValueError, TypeError) as error:
            self._inbox.put(DeviceLost(f"the render process cannot be understood: {error}"))

    def _log(
        self, level: int, category: str, event: str, message: str, fields: dict[str, Any]
    ) -> None:
        if event == Event.DEVICE_CHOSEN:
            self.device = f"{fields.get('device')}: {fields.get('description')}"
        logger = EventLogger(Category(category))
        logger.event(Event(event), self._mask(message), level=level, **fields)

    def _read_lines(self) -> None:
        """Log what the child prints."""
        while line := self._stderr.readline(MAX_LINE_BYTES):
            text = self._mask(line.decode(errors="replace").rstrip())
            log.event(Event.RENDER_PROCESS_OUTPUT, f"[{self.pid}] {text}", pid=self.pid)

    def _mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _death(code: int) -> GpuqueueError:
    """The error for the end of a process: code from `Popen`, negative for a signal."""
    if code >= 0:
        return JobFailed(f"the render process exited with status {code}")
    known = {int(number): number.name for number in signal.Signals}
    name = known.get(-code, f"signal {-code}")
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return DeviceLost(f"the render process was killed by {name}{hint}")


def to_json(settings: Settings) -> bytes:
    """The settings with their secrets, for the pipe alone."""
    return json.dumps(settings.model_dump(), default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _secrets(settings: Settings) -> list[str]:
    signing_secrets = settings.queue_manager.http_post.signing_secrets
    keys = (settings.aws.secret_key, settings.aws.session_token, *signing_secrets)
    return [key.get_secret_value() for key in keys if key is not None and key.get_secret_value()]
