"""Results that wait on this machine's disk until their tasks are done.

If a task fails, or the machine is restarted after the command, a redelivery to this machine need
not run the command again. A spool is a convenience: whatever is wrong with it, the job goes on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.disk_cache import keep_within, kept_folder, write_parts
from gpuqueue.listener.job_log import JobLog
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

#: What a quicker command made is made again, rather than written to a disk.
WORTH_S = 1.0
#: The longest that SQS keeps a message: nobody asks for what is older.
MAX_AGE_S = 14 * 24 * 3600.0


@dataclass(frozen=True)
class Spooled:
    """A result, and how long its command took."""

    result: Binary
    seconds: float


class Spool:
    """The results in one folder that no other user can write to; without a folder, none."""

    def __init__(self, folder: Path | None, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    @classmethod
    def open(cls, settings: Settings) -> Spool:
        """The spool that the settings name; one that cannot be used is warned of and left out."""
        manager = settings.queue_manager
        if not manager.spool_bytes:
            return cls(None, 0)
        folder = kept_folder("spool", manager.spool_folder)
        if folder is None:
            log.event(
                Event.SPOOL_UNUSABLE,
                "Results are not spooled: the folder cannot be made, or others may write to it; "
                "see spool_folder.",
                level=logging.WARNING,
            )
            return cls(None, 0)
        _forget_old(folder)
        return cls(folder, manager.spool_bytes)

    def place_of(self, job_id: str, body: str, log: JobLog) -> SpoolPlace:
        """Where the result of this payload under this job id waits."""
        key = hashlib.sha256(f"{job_id}\n{body}".encode(errors="replace")).hexdigest()
        path = None if self.folder is None else self.folder / f"{key}.result"
        return SpoolPlace(path, self.max_bytes, log)


class SpoolPlace:
    """The place of one job's result. Raises nothing."""

    def __init__(self, path: Path | None, max_bytes: int, log: JobLog) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._log = log

    def save(self, result: Binary, seconds: float) -> None:
        """Keep a result that took so long; older ones make room for it."""
        size = len(result.data)
        if self._path is None or seconds < WORTH_S or size > self._max_bytes:
            return
        told = {"mime_type": result.mime_type, "seconds": seconds, "size": size}
        header = json.dumps(told).encode() + b"\n"
        digest = _digest(header, result.data).encode() + b"\n"
        try:
            keep_within(self._path.parent, self._max_bytes - size)
            write_parts(self._path, [digest, header, result.data])
        except OSError as error:
            self._log.warning(Event.SPOOL_UNUSABLE, f"Result not spooled: {error.strerror}.")

    def load(self) -> Spooled | None:
        """What an earlier try left, whole by its checksum; anything else is removed."""
        if self._path is None:
            return None
        try:
            digest, header, data = self._path.read_bytes().split(b"\n", 2)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            digest, header, data = b"", b"", b""
        if digest.decode(errors="replace") != _digest(header + b"\n", data):
            self._log.warning(
                Event.SPOOL_UNUSABLE, "The spooled result is damaged, the command runs again."
            )
            self.remove()
            return None
        told = json.loads(header)
        return Spooled(Binary(data, told["mime_type"]), told["seconds"])

    def remove(self) -> None:
        """Nobody will ask for the result again."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def _digest(header: bytes, data: bytes) -> str:
    whole = hashlib.sha256(header)
    whole.update(data)
    return whole.hexdigest()


def _forget_old(folder: Path) -> None:
    with suppress(OSError):
        for path in folder.glob("*.result"):
            if time.time() - path.stat().st_mtime > MAX_AGE_S:
                path.unlink(missing_ok=True)
