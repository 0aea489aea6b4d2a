"""gpuqueue: a render queue for GPU servers."""

__version__ = "0.1.0"
