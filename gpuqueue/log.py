"""Log lines in RealityServer's form, and the fixed names of log events.

A line reads ``QUEUE  main info : [queue id] text``: category, module, severity, message.
Machines read the fields in ``extra``: every record of ours carries ``event``.
"""

from __future__ import annotations

import logging
import re
import sys
from enum import StrEnum
from typing import TextIO

_SEVERITY = {"WARNING": "warn", "CRITICAL": "fatal"}
#: Control characters but tab and newline; a terminal may obey them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Event(StrEnum):
    """What a log record reports. Each is documented in ARCHITECTURE.md."""

    LISTENING = "listening"
    JOB_QUEUED = "job_queued"
    JOB_RECEIVED = "job_received"
    COMMAND_STARTED = "command_started"
    COMMAND_FINISHED = "command_finished"
    TASK_STARTED = "task_started"
    TASK_FINISHED = "task_finished"
    JOB_FINISHED = "job_finished"
    JOB_FAILED = "job_failed"
    JOB_INTERRUPTED = "job_interrupted"
    JOB_RELEASED = "job_released"
    TRY_FAILED = "try_failed"
    JOB_DEAD = "job_dead"
    JOB_REDRIVEN = "job_redriven"
    JOB_PURGED = "job_purged"
    LEASE_LOST = "lease_lost"
    JOB_CANCELLED = "job_cancelled"
    QUEUE_UNREACHABLE = "queue_unreachable"
    RECORD_UNREACHABLE = "record_unreachable"
    RENDER_PROCESS_STARTED = "render_process_started"
    SELF_TEST = "self_test"
    RENDER_PROCESS_ENDED = "render_process_ended"
    RENDER_PROCESS_OUTPUT = "render_process_output"
    INTERRUPTION_NOTICE = "interruption_notice"
    SPOT_PRICE = "spot_price"
    SCALE_IN_PROTECTION = "scale_in_protection"
    METADATA_UNREACHABLE = "metadata_unreachable"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SERVER_STARTED = "server_started"
    REQUEST_FAILED = "request_failed"
    CHILD_RESTARTED = "child_restarted"
    CONFIG_NOTE = "config_note"
    COMMAND_LOADED = "command_loaded"
    DEVICE_CHOSEN = "device_chosen"
    SCHEDULE_CHOSEN = "schedule_chosen"
    SCHEDULE_REFUSED = "schedule_refused"
    BVH_CACHE_UNUSABLE = "bvh_cache_unusable"
    SCENE_LOADED = "scene_loaded"
    SCENE_WARNING = "scene_warning"
    RENDER_PROGRESS = "render_progress"
    RENDERED = "rendered"
    SPOOL_USED = "spool_used"
    SPOOL_UNUSABLE = "spool_unusable"
    PARTS_MERGED = "parts_merged"
    PART_REFUSED = "part_refused"
    CHECKPOINT_SAVED = "checkpoint_saved"
    CHECKPOINT_USED = "checkpoint_used"
    CHECKPOINT_REFUSED = "checkpoint_refused"
    CHECKPOINT_FAILED = "checkpoint_failed"


class Category(StrEnum):
    """The first word of a log line: which part of the system speaks."""

    QUEUE = "QUEUE"
    RENDER = "RENDER"
    SCENE = "SCENE"
    CONFIG = "CONFIG"
    HTTP = "HTTP"


class RealityServerFormatter(logging.Formatter):
    """Formats ``CATEGORY module severity : message``; the category fills six columns.

    Further lines of a message are indented and control characters replaced, so that no text from
    a job or a scene can pass for a line of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with a traceback below it if the record carries one."""
        category = getattr(record, "category", "GENER")
        severity = _SEVERITY.get(record.levelname, record.levelname.lower())
        record.message = _harmless(record.getMessage())
        line = f"{category:<6} main {severity:<4} : {record.message}"
        if record.exc_info:
            line += _harmless(f"\n{self.formatException(record.exc_info)}")
        return line


def _harmless(text: str) -> str:
    return _CONTROL.sub("\ufffd", text).replace("\n", "\n    ")


class EventLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger for one category: ``log.event(Event.X, "text", field=value)``."""

    def __init__(self, category: Category) -> None:
        super().__init__(logging.getLogger(f"gpuqueue.{category.lower()}"), {})
        self.category = category

    def event(
        self,
        event: Event,
        message: str,
        *,
        level: int = logging.INFO,
        exc_info: BaseException | None = None,
        **fields: object,
    ) -> None:
        """Log one fact. `fields` become attributes of the record; never pass a secret."""
        extra = {"category": self.category.value, "event": event.value, "fields": fields}
        self.logger.log(level, "%s", message, extra=extra, exc_info=exc_info)


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send gpuqueue's records to `stream` (default: standard error), one line each."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RealityServerFormatter())
    root = logging.getLogger("gpuqueue")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
