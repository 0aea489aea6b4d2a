"""Rays a second of one thread beside Embree 4: ``python -m benchmarks.rays``.

`rays` is the section: it takes Options and yields Rows, as the other sections do.
"""

from benchmarks.rays.section import rays

__all__ = ["rays"]
