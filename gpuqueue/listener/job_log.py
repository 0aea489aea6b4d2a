"""Log lines of one job, in the form ``[queue id] text``."""

from __future__ import annotations

import logging
import time

from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

#: A command that takes longer is heard of this often.
PROGRESS_INTERVAL_S = 5.0


class JobLog:
    """Logs facts about one job of one queue."""

    def __init__(self, queue_name: str, job_id: str) -> None:
        self._queue_name = queue_name
        self._progress_at = time.monotonic()
        self.job_is(job_id)

    def job_is(self, job_id: str) -> None:
        """The job's own name is known by now."""
        self.job_id = job_id
        self._fields = {"queue": self._queue_name, "job_id": job_id}
        self._prefix = f"[{self._queue_name} {job_id}]"

    def event(
        self,
        event: Event,
        text: str,
        *,
        level: int = logging.INFO,
        exc_info: BaseException | None = None,
        **fields: object,
    ) -> None:
        """Log one fact about the job."""
        line = f"{self._prefix} {text}"
        log.event(event, line, level=level, exc_info=exc_info, **self._fields, **fields)

    def warning(self, event: Event, text: str) -> None:
        """Log one fact that somebody may have to look at."""
        self.event(event, text, level=logging.WARNING)

    def progress(self, fraction: float, message: str) -> None:
        """Log how far the command is, not too often."""
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_INTERVAL_S:
            self._progress_at = now
            self.event(Event.RENDER_PROGRESS, f"{fraction:.0%} {message}", fraction=fraction)
