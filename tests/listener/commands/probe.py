"""A command that misbehaves as it is told, for tests of the render process."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from array import array
from pathlib import Path
from typing import Any

from pydantic import Field

from gpuqueue import errors
from gpuqueue.binary import Binary
from gpuqueue.commands import CommandContext, Parameters, Result, command


class ProbeParameters(Parameters):
    """What to do."""

    do: str = Field(description="Name of a deed below.")
    value: Any = Field(None, description="What the deed needs.")


@command("probe", parameters=ProbeParameters, returns="what it was told to return")
def probe(parameters: ProbeParameters, context: CommandContext) -> Result:
    """Do what a test needs done."""
    return DEEDS[parameters.do](parameters.value, context)


def echo(value: Any, context: CommandContext) -> Any:
    return value


def fail(value: list[str], context: CommandContext) -> Any:
    name, text = value
    kind = getattr(errors, name, None) or __builtins__[name]
    raise kind(text)


def raise_unknown_name(value: None, context: CommandContext) -> Any:
    raise errors.UnknownName("queue", "nope", ["yes"])


def sleep(value: float, context: CommandContext) -> Any:
    """Sleep in short steps, reporting each; stops when asked to."""
    end = time.monotonic() + value
    while (left := end - time.monotonic()) > 0:
        context.progress(1 - left / value, "sleeping")
        time.sleep(0.01)
    return "slept"


def ignore_everything(value: str, context: CommandContext) -> Any:
    """Sleep without a word, deaf to SIGTERM, with a child process of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(value).write_text(str(child.pid))
    time.sleep(600)


def big(value: int, context: CommandContext) -> Any:
    return Binary(b"\xab" * value, "application/octet-stream")


def once(value: str, context: CommandContext) -> Any:
    """Die by SIGKILL the first time, work the second."""
    marker = Path(value)
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "worked"


def talk(value: str, context: CommandContext) -> Any:
    print("printed", value)
    os.write(1, b"written to 1\n")
    logging.getLogger("gpuqueue.mine").warning("logged %s", value)
    key = context.settings.aws.secret_key
    print("the key is", key.get_secret_value() if key else None)
    print("x" * 100_000)
    assert sys.stdin.read() == ""
    return "talked"


def silent(value: float, context: CommandContext) -> Any:
    """Report once, then say nothing more."""
    context.progress(0.5, "half of it")
    time.sleep(value)


def log_freely(value: float, context: CommandContext) -> Any:
    """Log and report what JSON cannot carry, under names that are not ours."""
    extra = {"event": "mine", "category": "MINE", "fields": {"number": value, "what": {1, 2}}}
    logging.getLogger("gpuqueue.mine").info("logged freely", extra=extra)
    context.progress(value, "\ud800")
    return "logged"


def flood(value: int, context: CommandContext) -> Any:
    for number in range(value):
        context.progress(number / value, "y" * 10_000)
    return "flooded"


def from_threads(value: int, context: CommandContext) -> Any:
    """Log from many threads while reporting progress."""
    log = logging.getLogger("gpuqueue.mine")
    work = [threading.Thread(target=lambda: log.info("z" * 1000)) for _ in range(value)]
    for thread in work:
        thread.start()
        context.progress(1, "go")
    for thread in work:
        thread.join()
    return value


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def call(value: list[Any], context: CommandContext) -> Any:
    return context.call(*value)


DEEDS = {
    "echo": echo,
    "fail": fail,
    "raise_unknown_name": raise_unknown_name,
    "sleep": sleep,
    "ignore_everything": ignore_everything,
    "big": big,
    "once": once,
    "talk": talk,
    "flood": flood,
    "silent": silent,
    "log_freely": lambda value, context: log_freely(float("nan"), context),
    "zeros": lambda value, context: Binary(bytes(value), "application/octet-stream"),
    "half": lambda value, context: fail(["InvalidJob", "half \ud83d of a pair"], context),
    "typed": lambda value, context: Binary(b"", value),
    "nested": lambda value, context: deep(value),
    "from_threads": from_threads,
    "call": call,
    "numbers": lambda value, context: Binary(
        memoryview(array("f", [0] * value)), "application/octet-stream"
    ),
    "text_as_bytes": lambda value, context: Binary(value, "image/png"),
    "nan": lambda value, context: float("nan"),
    "not_json": lambda value, context: {1, 2},
    "abort": lambda value, context: os.abort(),
    "kill": lambda value, context: os.kill(os.getpid(), value),
    "os_exit": lambda value, context: os._exit(value),
    "exit": lambda value, context: sys.exit(value),
}
