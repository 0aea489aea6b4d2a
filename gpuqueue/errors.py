"""The exception tree: the class of an exception decides what happens to a job's message.

::

    GpuqueueError
    ├── ConfigError        the configuration is wrong; the program does not start
    ├── InvalidJob         will never work: dead-letter queue at once, with its reason
    │   ├── UnknownName    a name that no registry or configuration knows
    │   └── SceneError     a scene that cannot be read, with file:line:column
    ├── JobFailed          this try failed: back to the queue with back-off, redrive decides
    │   └── OutOfMemory    too large for this device: no fault of job or device, a larger one may do
    ├── TransientError     network, throttling, credentials: retried in place, then as JobFailed
    ├── LeaseLost          another listener may own the message: stop, touch nothing
    ├── DeviceLost         the render process is spoilt: hand back at once, replace the process
    ├── Interrupted        SIGTERM or a spot notice: hand back at once, not a failed try
    └── Cancelled          nobody wants the job any more: remove its message
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Of a name or text from outside that an error repeats.
MAX_SHOWN_CHARS = 100


def shown(text: str, max_chars: int = MAX_SHOWN_CHARS) -> str:
    """`text` as an error shows it: what others send may be a megabyte long."""
    return text if len(text) <= max_chars else f"{text[:max_chars]}…"


class GpuqueueError(Exception):
    """Base of every error that gpuqueue raises on purpose."""


class ConfigError(GpuqueueError):
    """The configuration is wrong; the message names file and line where they are known."""


class InvalidJob(GpuqueueError):
    """The job can never work: no try on any machine would help."""


class UnknownName(InvalidJob):
    """A name is not known. The message lists the names that are."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        listed = ", ".join(sorted(known)) or "none"
        super().__init__(f"unknown {kind} '{shown(name)}'; known: {listed}")


class SceneError(InvalidJob):
    """A scene cannot be used; the message starts with file:line:column where they are known."""

    @property
    def place(self) -> str | None:
        """The ``file:line:column`` that the message starts with."""
        found = re.match(r"[^\n]+?:[0-9]+:[0-9]+(?=: )", str(self))
        return found and shown(found[0], 300)


class JobFailed(GpuqueueError):
    """This try failed; another may succeed."""


class OutOfMemory(JobFailed):
    """Memory does not suffice here and now.

    The job is not wrong, so it is no `InvalidJob`: a larger device of the fleet, or this one with
    less in it, may render it. Nor is the device spoilt. So it is a failed try, and the redrive
    policy ends it where every machine is too small.
    """


class TransientError(GpuqueueError):
    """Worth another try soon: network, throttling, expired credentials.

    `retry_after_s` is how long the other side asked to wait before the next try, if it did.
    """

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LeaseLost(GpuqueueError):
    """The message is no longer ours; neither tasks nor delete may run."""


class DeviceLost(GpuqueueError):
    """The GPU or its process cannot be used any more; the process must be replaced."""


class Interrupted(GpuqueueError):
    """The machine or the operator asked to stop; the job goes back untouched."""


class Cancelled(GpuqueueError):
    """Whoever may do so cancelled the job; its message is removed."""
