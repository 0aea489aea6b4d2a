"""A scene on a device, ready for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers.race import MAX_DEPTH
from benchmarks.pictures import Picture
from gpuqueue.device import Device
from gpuqueue.device.film import Film, sums
from gpuqueue.render.progressive import Position, Stand, render_film
from gpuqueue.render.request import Plan
from gpuqueue.scene import SceneBuffers


@dataclass(frozen=True)
class Stage:
    """`handle` is what the device made of the buffers; pictures are `size` x `size`."""

    device: Device
    handle: Any
    camera: np.void
    size: int

    @staticmethod
    def of(device: Device, buffers: SceneBuffers, size: int) -> Stage:
        """Build the scene on the device."""
        return Stage(device, device.upload(buffers), buffers.camera, size)

    def new_film(self, start: Film | None = None) -> Any:
        """A film without samples, or with those of `start`."""
        return self.device.new_film(self.camera, self.size, self.size, start)

    def add(self, film: Any, seed: int, first: int, until: int) -> None:
        """Add samples `first` to `until` - 1 of each pixel, in the launches that a job takes."""
        plan = Plan(self.size, self.size, until, MAX_DEPTH, seed, time_limit_s=None)
        start = Stand(Position(first))
        render_film(self.device, self.handle, film, plan, lambda *_: None, start)

    def picture(self, seed: int, samples: int) -> Picture:
        """A new picture."""
        film = self.new_film()
        self.add(film, seed, 0, samples)
        return mean_of(self.device.read_exact(film))


def mean_of(film: Film) -> Picture:
    """Means of the samples [H, W, 3]."""
    totals = sums(film)
    picture: Picture = totals[..., :3] / totals[..., 3:]
    return picture
