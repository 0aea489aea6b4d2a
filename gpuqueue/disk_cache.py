"""Folders of this user alone for what is dear to make and cheap to keep."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """The folder ``gpuqueue/KIND`` below ``XDG_CACHE_HOME`` or ``~/.cache``, made if need be.

    What lies there is believed, and some of it executed: a folder that others may write to is not
    used. A new folder for temporary files takes its place then, and the caller makes all anew.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "gpuqueue", kind)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _only_we_write_to(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix=f"gpuqueue-{kind}-"))


def write_whole(path: Path, data: bytes) -> None:
    """Write so that another process sees all of it or nothing. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
        try:
            file.write(data)
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def _only_we_write_to(folder: Path) -> bool:
    state = folder.stat()
    is_shared = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() and not is_shared and os.access(folder, os.W_OK)
