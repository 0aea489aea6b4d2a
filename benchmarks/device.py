"""The device that a section measures, opened as a listener would, but without caches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from benchmarks.options import Options
from benchmarks.timing import CPU, WALL, Clock
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Device, choose_device
from gpuqueue.device.kernel_device import KernelDevice

#: The setting that names a GPU's schedule.
SCHEDULE = "gpu_schedule"


def settings_of(options: Options, schedule: str = "") -> RenderSettings:
    """Loading a scene builds it each time: no acceleration structure comes from a cache."""
    asked = {"device": options.device, "threads": options.threads, "bvh_cache_bytes": 0}
    return RenderSettings.model_validate(asked | ({SCHEDULE: schedule} if schedule else {}))


def schedules_of(device: str) -> tuple[str, ...]:
    """The ways in which a GPU's threads can be given their samples, to be measured each; the CPU
    has one, which has no name: ``("",)``."""
    if device not in ("cupy", "pycuda"):
        return ("",)
    known = get_args(RenderSettings.model_fields[SCHEDULE].annotation)
    return tuple(name for name in known if name != "auto")


def runs(device: Device, schedule: str) -> bool:
    """Whether it does as it was told: a schedule that finds no room gives way to another."""
    return not schedule or (isinstance(device, KernelDevice) and device.schedule == schedule)


@contextmanager
def open_device(options: Options, schedule: str = "") -> Iterator[Device]:
    """The device, while the block runs. Raises ConfigError where it cannot be used."""
    device = choose_device(settings_of(options, schedule))
    try:
        yield device
    finally:
        device.close()


def clock_of(device: Device, options: Options) -> Clock:
    """Processor time for one thread, so that other processes do not count; else the wall's."""
    return CPU if device.name == "cpu" and options.threads == 1 else WALL
