"""Files that the command line makes: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gpuqueue.errors import ConfigError


def check_writable(output: Path) -> None:
    """Raise ConfigError now rather than after the work."""
    folder = output.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"{output}: the folder {folder} does not exist")
    if output.is_dir():
        raise ConfigError(f"{output} is a folder; name a file")
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{output}: the folder {folder} may not be written to")


def write_whole(output: Path, pieces: Iterable[bytes]) -> int:
    """Write a file beside its place, move it there, and return its size. Raises ConfigError."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            size = sum(map(stream.write, pieces))
        part.replace(output)
    except OSError as error:
        raise ConfigError(f"{output}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return size
