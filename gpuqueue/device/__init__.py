"""Devices: what renders. ``auto`` takes the first of `PREFERRED` that can be opened."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from gpuqueue.device.base import Device, Snapshot, Work
from gpuqueue.device.memory import Memory
from gpuqueue.errors import ConfigError
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.registry import Registry

if TYPE_CHECKING:
    from gpuqueue.config.settings import RenderSettings

__all__ = [
    "DEVICES",
    "PREFERRED",
    "Device",
    "Memory",
    "Snapshot",
    "Work",
    "choose_device",
    "why_not",
]

#: Each opens the device, or raises ConfigError with the reason why it cannot be used.
DEVICES: Registry[Callable[[RenderSettings], Device]] = Registry(
    "device",
    cpu="gpuqueue.device.cpu:open_cpu",
    cupy="gpuqueue.device.cuda_cupy:open_cupy",
    null="gpuqueue.device.null:NullDevice",
    pycuda="gpuqueue.device.cuda_pycuda:open_pycuda",
)

#: The order in which ``auto`` tries.
PREFERRED = ("cupy", "pycuda", "cpu")

_log = EventLogger(Category.RENDER)


def choose_device(settings: RenderSettings) -> Device:
    """Open the device that the settings name; say in one log line which it is and why.

    Raises ConfigError if it, or for ``auto`` none of `PREFERRED`, can be used.
    """
    names = PREFERRED if settings.device == "auto" else (settings.device,)
    reasons: list[str] = []
    for name in names:
        try:
            device = DEVICES.load(name)(settings)
        except ConfigError as error:
            reasons.append(f"not {name}: {error}")
            continue
        _announce(device, reasons)
        return device
    raise ConfigError(f"no device can be used; {'; '.join(reasons)}")


def why_not(name: str, settings: RenderSettings) -> str | None:
    """The reason why a device cannot be used here, or None if it can."""
    try:
        DEVICES.load(name)(settings).close()
    except ConfigError as error:
        return str(error)
    return None


def _announce(device: Device, reasons: list[str]) -> None:
    message = f"Rendering on device {device.name}: {device.description}."
    if reasons:
        message += f" ({'; '.join(reasons)})"
    _log.event(
        Event.DEVICE_CHOSEN,
        message,
        level=logging.INFO,
        device=device.name,
        description=device.description,
        reasons=reasons,
    )
