"""What both CUDA drivers share: the launch's shape, and what an error of CUDA means for a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gpuqueue.device.memory import Memory
from gpuqueue.errors import ConfigError, DeviceLost, GpuqueueError, OutOfMemory

#: ``__launch_bounds__`` of the kernels (kernels/portability.cuh).
BLOCK_THREADS = 128
#: Share of all memory that stays for the driver: it rounds each allocation up, and keeps its own.
RESERVED = 0.02


def blocks(item_count: int) -> int:
    """Blocks of threads that cover so many work items."""
    return -(-item_count // BLOCK_THREADS)


def memory_of(free: int, total: int, stack_bytes: int) -> Memory:
    """A GPU's memory. The driver takes the stacks, those of all threads that can be resident, with
    the first launch, and keeps them.
    """
    return Memory(total, free, stack_bytes + int(total * RESERVED))


@contextmanager
def opening(library: str, install: str) -> Iterator[None]:
    """Turn whatever goes wrong while a library opens a GPU into ConfigError with the reason."""
    try:
        yield
    except GpuqueueError:
        raise
    except ModuleNotFoundError as error:
        raise ConfigError(f"{library} is not installed ({install})") from error
    except Exception as error:
        raise ConfigError(f"{library} finds no usable GPU: {_line(error)}") from error


@contextmanager
def running(description: str, is_out_of_memory: Callable[[Exception], bool]) -> Iterator[None]:
    """Turn errors of a GPU at work: out of memory is OutOfMemory, all others are DeviceLost.

    Most errors of CUDA spoil the process's context for good, and few can be told from those
    with certainty; a new process costs a second.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or is_out_of_memory(error):
            raise OutOfMemory(f"{description} is out of memory: {_line(error)}") from error
        raise DeviceLost(f"{description} failed: {_line(error)}") from error


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
