"""The section `peers`: a race on every scene, with whoever is installed."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.options import Options
from benchmarks.peers.race import Course, race
from benchmarks.rows import Row


def peers(options: Options) -> Iterator[Row]:
    """Rows of our cpu device and of the others, one thread each. Raises CheckFailed."""
    for scene in options.scenes:
        course = Course(
            scene,
            options.detail,
            size=min(options.size, 64) if options.quick else options.size,
            rounds=2 if options.quick else max(2, options.rounds),
            seconds=0.1 if options.quick else options.seconds,
        )
        yield from race(course, options.peers, options.cache)
