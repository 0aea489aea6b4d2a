"""The lines that child processes write, read as they come."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from gpuqueue.errors import JobFailed

#: A first start compiles Python files and imports much.
PATIENCE_S = 120.0
LINES_TOLD = 20


class ChildLog:
    """The lines of several children in one order; the end of any of them is an error."""

    def __init__(self) -> None:
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._seen: list[str] = []

    def read(self, child: subprocess.Popen[bytes]) -> None:
        """Read a child's output, in a thread, to its end."""

        def read() -> None:
            for line in child.stdout or ():
                self._lines.put(line.decode(errors="replace").rstrip())
            self._lines.put(None)

        threading.Thread(target=read, name="log", daemon=True).start()

    def new_lines(self, timeout_s: float = 0) -> Iterator[str]:
        """The lines that came since the last call. Raises JobFailed once a child has ended."""
        while True:
            try:
                line = self._lines.get(timeout=timeout_s) if timeout_s else self._lines.get_nowait()
            except Empty:
                return
            if line is None:
                raise JobFailed("a process ended:\n" + "\n".join(self._seen[-LINES_TOLD:]))
            timeout_s = 0
            self._seen.append(line)
            yield line

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match of `pattern` in the lines so far or to come."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for line in self._seen:
                if match := re.search(pattern, line):
                    return match
            for _ in self.new_lines(0.2):
                pass
        raise JobFailed(f"the processes were not ready within {PATIENCE_S:g} s")
