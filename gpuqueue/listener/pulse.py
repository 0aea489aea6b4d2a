"""A listener's sign of life: an empty file that says by its time how long it is good.

``gpuqueue health`` reads it, for a listener has no port to ask. Each listener has a file of its
own, named by its process id, in a folder that no other user can write to.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from gpuqueue.disk_cache import write_whole

#: A beat may come so many seconds later than announced: a poll of a slow queue, a busy machine.
GRACE_S = 30.0
#: Its file says why the last listener stopped; no process is called so.
BAD_MACHINE = "bad-machine"


class Pulse:
    """The sign of life of this process, for as long as a ``with`` block runs.

    One that is not `is_kept` has no file: it only takes back that the machine is bad.
    """

    def __init__(self, is_kept: bool = True) -> None:
        self._is_kept = is_kept
        self._file = folder() / str(os.getpid())
        self._works = False

    def __enter__(self) -> Self:
        """Forget the listeners that ended without doing so themselves."""
        with suppress(OSError):
            for file in folder().iterdir():
                if file.name != BAD_MACHINE and not _is_running(file):
                    file.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def beat(self, next_s: float) -> None:
        """Say that this listener works, and will say so again within `next_s` seconds.

        A beat that cannot be written ends no job: the listener then counts as unhealthy.
        """
        if self._is_kept:
            self._mark(time.time() + next_s + GRACE_S)
        if not self._works:
            self._works = True
            with suppress(OSError):
                (folder() / BAD_MACHINE).unlink(missing_ok=True)

    def _mark(self, good_until: float) -> None:
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_owner(self._file.parent)
            self._file.touch(mode=0o600)
            os.utime(self._file, (good_until, good_until))


def seconds_left() -> float | None:
    """For how long the listeners of this user are good, the worst of them; None without one.

    Less than 0 if one missed its beat. Raises OSError if the folder cannot be read or trusted.
    """
    if not folder().exists():
        return None
    _check_owner(folder())
    times = [file.stat().st_mtime for file in folder().iterdir() if _is_running(file)]
    return min(times) - time.time() if times else None


def tell_bad_machine(why: str) -> None:
    """Leave word that a listener stopped since this machine is bad, until another one works."""
    with suppress(OSError):
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(folder())
        write_whole(folder() / BAD_MACHINE, why.encode(errors="replace"))


def bad_machine() -> str | None:
    """Why the last listener stopped, if that was since this machine is bad. Raises OSError."""
    if not folder().exists():
        return None
    _check_owner(folder())
    try:
        return (folder() / BAD_MACHINE).read_text(errors="replace")
    except FileNotFoundError:
        return None


def folder() -> Path:
    """Where the listeners of this user leave their files."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / (
        f"gpuqueue-listeners-{os.getuid()}"
    )


def _check_owner(path: Path) -> None:
    """In a folder for all, such as /tmp, another user may have taken the name first."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(f"{path} is not a folder of user {os.getuid()}: remove it")


def _is_running(file: Path) -> bool:
    try:
        os.kill(int(file.name), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return False  # the id has gone to a process of another user
    return True
