"""gpuqueue: a render queue for GPU servers."""

__version__ = "0.1.0"

#: Counts releases, and when this one was made.
RELEASE_NUMBER = 1
RELEASE_DATE = "24 Nov 2026"
