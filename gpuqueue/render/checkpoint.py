"""Checkpoints: a film on its way, kept in a bucket so that another machine goes on from there.

A film's sums are exact, so one that was stopped, stored and continued has the bits of one that
never stopped, as long as scene, picture, seed, kernels and device are the same. Those are its
fingerprint: a checkpoint of anything else is not used.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gpuqueue.binary import Binary
from gpuqueue.device import Snapshot
from gpuqueue.device.film import Film
from gpuqueue.errors import GpuqueueError
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.records import checkpoint_key
from gpuqueue.render.film_file import MAX_BYTES, MIME_TYPE, open_film, seal_film
from gpuqueue.render.progressive import Position, Stand
from gpuqueue.storage import Storage, open_bucket

if TYPE_CHECKING:
    from gpuqueue.config import Settings

log = EventLogger(Category.RENDER)


@dataclass(frozen=True)
class Checkpoint:
    """A film [H, W], and where its render stands."""

    film: Film
    stand: Stand

    def to_bytes(self, fingerprint: str) -> bytes:
        """Film and stand of the render with this fingerprint."""
        told = {
            "fingerprint": fingerprint,
            "seconds": self.stand.seconds,
            "position": asdict(self.stand.position),
        }
        return seal_film(self.film, told)

    @classmethod
    def from_bytes(cls, data: bytes, fingerprint: str) -> Checkpoint | None:
        """The checkpoint, or None if it is of another render or not whole."""
        found = open_film(data, fingerprint)
        if found is None:
            return None
        film, told = found
        return cls(film, Stand(Position(**told["position"]), told["seconds"]))


class Checkpoints:
    """The checkpoint of one job in a bucket. A bucket that cannot be reached costs a warning."""

    def __init__(self, bucket: Storage, job_id: str, interval_s: float) -> None:
        self._bucket = bucket
        self._key = checkpoint_key(job_id)
        self.interval_s = interval_s

    def load(self, fingerprint: str) -> Checkpoint | None:
        """What was saved of the very same render, if anything was."""
        data: bytes | None = None
        with _warning("read"):
            stored = self._bucket.fetch(self._key)
            data = None if stored is None else stored.data
        if data is None:
            return None
        found = Checkpoint.from_bytes(data, fingerprint)
        if found is None:
            log.event(
                Event.CHECKPOINT_REFUSED,
                "A checkpoint of another scene, picture, device or version is not used; the "
                "render begins anew.",
            )
        return found

    def save(self, checkpoint: Checkpoint, fingerprint: str) -> None:
        """Store it whole, in place of the last one."""
        data = checkpoint.to_bytes(fingerprint)
        with _warning("written"):
            self._bucket.put(self._key, Binary(data, MIME_TYPE))
            log.event(
                Event.CHECKPOINT_SAVED,
                f"Kept what is rendered so far: {len(data) / 2**20:.1f} MiB.",
                bytes=len(data),
            )

    def remove(self) -> None:
        """There is nothing left to go on with."""
        with _warning("removed"):
            self._bucket.delete(self._key)


def checkpoints_of(settings: Settings, job_id: str | None) -> Checkpoints | None:
    """The checkpoint of a job; None where none are kept, or there is no job."""
    manager = settings.queue_manager
    if manager.state_bucket is None or job_id is None or manager.checkpoint_interval_s == 0:
        return None
    bucket = open_bucket(settings, manager.state_bucket)
    return Checkpoints(bucket, job_id, manager.checkpoint_interval_s)


@contextmanager
def _warning(verb: str) -> Iterator[None]:
    """Turn an error of bucket or device into a line of the log: the render is not its business."""
    try:
        yield
    except GpuqueueError as error:
        log.event(
            Event.CHECKPOINT_FAILED,
            f"The checkpoint cannot be {verb}: {error}.",
            level=logging.WARNING,
        )


class Keeper:
    """Saves one render's film now and then, beside the rendering."""

    def __init__(
        self, checkpoints: Checkpoints, fingerprint: str, snapshot: Callable[[], Snapshot]
    ) -> None:
        self._checkpoints = checkpoints
        self._fingerprint = fingerprint
        self._snapshot = snapshot
        self._stand = Stand()
        self._saved_at = time.monotonic()
        self._was_saved = False
        self._writing: threading.Thread | None = None

    def load(self, samples: int) -> Checkpoint | None:
        """What an earlier try left, if it has no more than so many samples of a pixel."""
        found = self._checkpoints.load(self._fingerprint)
        if found is not None and found.stand.position.most > samples:
            found = None
        self._was_saved = found is not None
        if found is not None:
            log.event(
                Event.CHECKPOINT_USED,
                f"Going on at sample {found.stand.position.sample} of each pixel.",
                sample=found.stand.position.sample,
            )
        return found

    def after_launch(self, stand: Stand) -> None:
        """Save if it is time, unless the last one is still on its way."""
        self._stand = stand
        is_time = time.monotonic() - self._saved_at >= self._checkpoints.interval_s
        if is_time and (self._writing is None or not self._writing.is_alive()):
            self._saved_at = time.monotonic()
            with _warning("taken"):
                taken = (self._snapshot(), stand)
                self._writing = threading.Thread(target=self._save, args=taken, daemon=True)
                self._writing.start()

    def interrupted(self) -> None:
        """Save before this returns."""
        self._wait()
        if self._stand.seconds > 0:
            with _warning("taken"):
                self._save(self._snapshot(), self._stand)

    def done(self) -> None:
        """Leave nothing behind."""
        self._wait()
        if self._was_saved:
            self._checkpoints.remove()

    def _save(self, snapshot: Snapshot, stand: Stand) -> None:
        """The film comes from the device while that renders on."""
        with _warning("taken"):
            checkpoint = Checkpoint(snapshot.film(), stand)
            if checkpoint.film.nbytes <= MAX_BYTES:
                self._was_saved = True
                self._checkpoints.save(checkpoint, self._fingerprint)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.join()
