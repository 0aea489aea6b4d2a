"""Folders of this user alone for what is dear to make and cheap to keep."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """As `kept_folder`; where that is none, a new folder for temporary files takes its place, and
    the caller makes all anew.
    """
    return kept_folder(kind) or Path(tempfile.mkdtemp(prefix=f"gpuqueue-{kind}-"))


def kept_folder(kind: str, base: Path | None = None) -> Path | None:
    """The folder `base`, or ``gpuqueue/KIND`` below ``XDG_CACHE_HOME`` or ``~/.cache``, made if
    need be.

    What lies there is believed, and some of it executed: a folder that others may write to is not
    used. None then, or where it cannot be made.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base or home / "gpuqueue" / kind
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _only_we_write_to(folder):
            return folder
    return None


#: Files on their way begin so; what a killed process leaves of one is removed after this long.
_PART = ".part-"
_PART_IS_LEFT_S = 3600


def write_whole(path: Path, data: bytes) -> None:
    """Write so that another process sees all of it or nothing. Raises OSError."""
    write_parts(path, [data])


def write_parts(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """The same for what comes one after another; what making a part raises leaves nothing."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_PART, delete=False) as file:
        try:
            for part in parts:
                file.write(part)
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def keep_within(folder: Path, max_bytes: int) -> None:
    """Remove files, those longest not used first, until the rest takes at most so many bytes."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process may have removed it
            state = path.stat()
            if not path.name.startswith(_PART):
                found.append((state.st_mtime, state.st_size, path))
            elif time.time() - state.st_mtime > _PART_IS_LEFT_S:
                path.unlink()
    kept = 0
    for _, size, path in sorted(found, reverse=True):
        kept += size
        if kept > max_bytes:
            path.unlink(missing_ok=True)


def _only_we_write_to(folder: Path) -> bool:
    state = folder.stat()
    is_shared = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() and not is_shared and os.access(folder, os.W_OK)
