"""The render process: reads commands from its standard input, runs them, writes their results.

Started by `gpuqueue.listener.render_process` as ``python -m``, one for one listener. What a
command prints goes to standard error, which the listener logs.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import math
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from enum import StrEnum
from types import FrameType
from typing import Any, BinaryIO

from gpuqueue.binary import Binary
from gpuqueue.commands.allowed import queueable_command
from gpuqueue.commands.base import Result
from gpuqueue.commands.context import RunContext
from gpuqueue.commands.folders import commands_for
from gpuqueue.config import Settings
from gpuqueue.errors import Interrupted, InvalidJob, LeaseLost
from gpuqueue.job import Part
from gpuqueue.listener.frames import ERRORS, MAX_BODY_BYTES, Frame, read_frame, write_frame
from gpuqueue.log import Category, Event, EventLogger

PR_SET_PDEATHSIG = 1
PROGRESS_INTERVAL_S = 0.1
MAX_MESSAGE_CHARS = 16_000


class Channel:
    """Frames to the listener, from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, kind: str, body: bytes = b"", **fields: Any) -> None:
        """Send one frame whole."""
        with self._lock:
            write_frame(self._stream, Frame(kind, fields, body))


class LogHandler(logging.Handler):
    """Hands log records to the listener, which writes the one log of both."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record as a frame."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        fields = {k: _plain(v) for k, v in getattr(record, "fields", {}).items()}
        self._channel.send(
            "log",
            level=record.levelno,
            category=_known(getattr(record, "category", ""), Category, Category.RENDER),
            event=_known(getattr(record, "event", ""), Event, Event.RENDER_PROCESS_OUTPUT),
            message=text[:MAX_MESSAGE_CHARS],
            fields=fields,
        )


def _plain(value: object) -> object:
    is_json = isinstance(value, str | int | None) or (
        isinstance(value, float) and math.isfinite(value)
    )
    return value if is_json else str(value)


def _known(value: object, words: type[StrEnum], default: StrEnum) -> str:
    """What a record carries, if it is one of ours: a user's command logs as it likes."""
    return next((word for word in words if word == value), default)


class Worker:
    """Runs one command after the other in the main thread."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._settings = settings
        self._channel = channel
        self._running = False
        self._stopping = False
        self._is_wanted = True
        self._reported_at = 0.0

    def stop(self, signum: int, _frame: FrameType | None) -> None:
        """End at once when idle, else at the command's next report of progress.

        By SIGTERM the job is interrupted, and what it has so far is worth keeping; by SIGUSR1
        nobody wants it, or not from this listener. Both end a process that is not there yet
        without a word.
        """
        self._stopping = True
        self._is_wanted = signum == signal.SIGTERM
        if not self._running:
            sys.exit(0)

    def run(self, request: Frame) -> None:
        """Do what is asked and answer with the result or the error."""
        self._running = True
        try:
            binary = Binary.of(self._result_of(request))
            # A buffer of larger items has another length than its bytes.
            data = memoryview(binary.data)
            if data.nbytes > MAX_BODY_BYTES:
                raise InvalidJob(
                    f"the result has {data.nbytes} bytes; at most {MAX_BODY_BYTES} are delivered"
                )
            self._channel.send("result", data.tobytes(), mime_type=binary.mime_type)
        except SystemExit as error:
            self._channel.send(
                "error", error="JobFailed", message=f"the command called exit({error.code})"
            )
        except Exception as error:
            send_error(self._channel, error)
        self._running = False
        if self._stopping:
            sys.exit(0)

    def _result_of(self, request: Frame) -> Result:
        if request.kind == "self_test":
            test_device(self._settings)
            return None
        fields = request.fields
        part = None if fields["part"] is None else Part(**fields["part"])
        context = RunContext(self._settings, self._progress, fields["job_id"], part)
        command = queueable_command(self._settings, fields["command"], part is not None)
        return command.run(fields["parameters"], context)

    def _progress(self, fraction: float, message: str) -> None:
        if self._stopping and self._is_wanted:
            raise Interrupted("the listener asked to stop")
        if self._stopping:
            raise LeaseLost("the listener gave the job up")
        now = time.monotonic()
        if now - self._reported_at >= PROGRESS_INTERVAL_S:
            self._reported_at = now
            self._channel.send("progress", fraction=fraction, message=message[:1000])


def test_device(settings: Settings) -> None:
    """Have this process's device, unless it renders nothing, render what is known."""
    from gpuqueue.render import renderer_for
    from gpuqueue.render.self_test import self_test

    device = renderer_for(settings.render, settings.content_root).device
    if device.name == "null":
        return
    start = time.monotonic()
    self_test(device)
    seconds = time.monotonic() - start
    text = f"Self-test passed on {device.description}: {seconds:.2f} s."
    EventLogger(Category.RENDER).event(Event.SELF_TEST, text, seconds=seconds)


def send_error(channel: Channel, error: Exception) -> None:
    """Tell the listener of an error; one that nobody raised on purpose brings its traceback."""
    known = next((name for name, kind in ERRORS.items() if isinstance(error, kind)), None)
    if known is None:
        traceback.print_exception(error)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    channel.send("error", error=known or "JobFailed", message=message[:MAX_MESSAGE_CHARS])


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when the listener dies, however it dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for frames.

    From now on standard input is empty, and what is printed goes to standard error.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return requests, answers


def read_requests(stream: BinaryIO, requests: queue.SimpleQueue[Frame]) -> None:
    """Take requests as they come; the end of the stream is the end of the listener."""
    try:
        while (frame := read_frame(stream)) is not None:
            requests.put(frame)
    finally:
        os._exit(1)


def main() -> None:
    """Announce readiness, then run commands until the listener is gone."""
    die_with_parent(int(sys.argv[1]))
    faulthandler.enable()
    # A core file of a render process is as large as its scene, and holds it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stream, answers = take_standard_streams()
    channel = Channel(answers)
    root = logging.getLogger("gpuqueue")
    root.handlers[:] = [LogHandler(channel)]
    root.propagate = False
    root.setLevel(logging.INFO)

    first = read_frame(stream)
    if first is None:
        return
    settings = Settings.model_validate_json(first.body)
    try:
        commands_for(settings)
    except Exception as error:
        send_error(channel, error)
        return
    requests: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    threading.Thread(
        target=read_requests, args=(stream, requests), name="requests", daemon=True
    ).start()
    worker = Worker(settings, channel)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGUSR1, worker.stop)
    channel.send("ready")
    while True:
        worker.run(requests.get())


if __name__ == "__main__":
    main()
