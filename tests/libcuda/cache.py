"""Folders that are made once and kept: ``~/.cache/gpuqueue-tests/NAME-KEY``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def key_of(*parts: object) -> str:
    """A short hash; files count with their content."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else repr(part).encode()
        digest.update(f"{len(content)}\0".encode() + content)
    return digest.hexdigest()[:24]


def made_once(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder of this key; `make` fills it, in one process at a time, if it is not there."""
    root = _root()
    folder = root / f"{name}-{key}"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=root, prefix=f"{name}-") as work:
                made = Path(work, "made")
                made.mkdir()
                make(made)
                made.rename(folder)
    return folder


def _root() -> Path:
    """A folder of this user alone: what lies there is run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "gpuqueue-tests")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user")
    return folder
