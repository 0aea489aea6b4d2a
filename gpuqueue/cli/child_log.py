"""The lines that child processes write, passed on as they come."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable

from gpuqueue.errors import JobFailed

#: A first start compiles Python files and imports much.
PATIENCE_S = 120.0


class ChildLog:
    """The lines of several children in one order; each is given to `echo`, in a thread."""

    def __init__(self, echo: Callable[[str], None]) -> None:
        self._echo = echo
        self._lines: list[str] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._readers: list[threading.Thread] = []

    def read(self, child: subprocess.Popen[bytes]) -> None:
        """Read a child's output to its end."""
        reader = threading.Thread(target=self._read, args=[child], name="log", daemon=True)
        self._readers.append(reader)
        reader.start()

    def _read(self, child: subprocess.Popen[bytes]) -> None:
        for raw in child.stdout or ():
            line = raw.decode(errors="replace").rstrip()
            self._echo(line)
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise JobFailed if a child has ended; its lines have told why."""
        if self._has_ended:
            raise JobFailed("a process ended before its time")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match of `pattern` in the lines so far or to come. Raises JobFailed."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                for line in self._lines:
                    if match := re.search(pattern, line):
                        return match
                self.check()
                if not self._changed.wait(deadline - time.monotonic()):
                    raise JobFailed(f"the processes were not ready within {PATIENCE_S:g} s")

    def close(self) -> None:
        """Wait for the last lines of children that have ended."""
        for reader in self._readers:
            reader.join()
