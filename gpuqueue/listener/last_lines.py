"""The last lines of the log while one job is worked on: what a failed try leaves for its reader."""

from __future__ import annotations

import logging
from collections import deque
from typing import Self

from gpuqueue.errors import shown
from gpuqueue.log import RealityServerFormatter

MAX_LINES = 20
MAX_LINE_CHARS = 200


class LastLines(logging.Handler):
    """Hears what this process logs, its render process included, while a ``with`` block runs."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self.setFormatter(RealityServerFormatter())

    def __enter__(self) -> Self:
        logging.getLogger("gpuqueue").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("gpuqueue").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's lines, of a long one the last."""
        self._lines.extend(self.format(record).splitlines()[-MAX_LINES:])

    @property
    def lines(self) -> tuple[str, ...]:
        """What was said last, the oldest first."""
        self.acquire()
        try:
            return tuple(shown(line, MAX_LINE_CHARS) for line in self._lines)
        finally:
            self.release()
