"""Rays and builds of one thread beside Embree 4: ``python -m benchmarks.rays``.

`rows` is the section: it takes Options and yields Rows, as the other sections do.
"""

from collections.abc import Iterator

from benchmarks.options import Options
from benchmarks.rays.build import builds
from benchmarks.rays.section import rays
from benchmarks.rows import Row


def rows(options: Options) -> Iterator[Row]:
    """Of all places. Raises CheckFailed where hits are wrong."""
    yield from rays(options)
    yield from builds(options)


__all__ = ["rows"]
