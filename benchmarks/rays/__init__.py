"""Rays a second of one thread beside Embree 4: ``python -m benchmarks.rays``.

`rows` is the section: it takes Options and yields Rows, as the other sections do.
"""

from benchmarks.rays.section import rays as rows

__all__ = ["rows"]
