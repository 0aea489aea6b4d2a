"""The device that a section measures, opened as a listener would, but without caches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.options import Options
from benchmarks.timing import CPU, WALL, Clock
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Device, choose_device


def settings_of(options: Options) -> RenderSettings:
    """Loading a scene builds it each time: no acceleration structure comes from a cache."""
    return RenderSettings(
        device=options.device,  # type: ignore[arg-type]  # the command line offers these alone
        threads=options.threads,
        bvh_cache_bytes=0,
    )


@contextmanager
def open_device(options: Options) -> Iterator[Device]:
    """The device, while the block runs. Raises ConfigError where it cannot be used."""
    device = choose_device(settings_of(options))
    try:
        yield device
    finally:
        device.close()


def clock_of(device: Device, options: Options) -> Clock:
    """Processor time for one thread, so that other processes do not count; else the wall's."""
    return CPU if device.name == "cpu" and options.threads == 1 else WALL
