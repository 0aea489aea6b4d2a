"""A scene on a device, ready for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.race import MAX_DEPTH
from benchmarks.pictures import Picture
from gpuqueue.device import Device
from gpuqueue.render.progressive import Position, Stand, render_film
from gpuqueue.render.request import Plan
from gpuqueue.scene import SceneBuffers

#: Sums of red, green, blue, and the number of samples, float32 [H, W, 4].
Film = NDArray[np.float32]


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

    def new_film(self, pixels: Film | None = None) -> Any:
        """A film without samples, or with those of `pixels`."""
        return self.device.new_film(self.camera, self.size, self.size, pixels)

    def add(self, film: Any, seed: int, first: int, until: int) -> None:
        """Add samples `first` to `until` - 1 of each pixel, in the launches that a job takes."""
        plan = Plan(self.size, self.size, until, MAX_DEPTH, seed, time_limit_s=None)
        start = Stand(Position(first))
        render_film(self.device, self.handle, film, plan, lambda *_: None, start)

    def picture(self, seed: int, samples: int) -> Picture:
        """A new picture."""
        film = self.new_film()
        self.add(film, seed, 0, samples)
        return mean_of(self.device.read(film))


def mean_of(film: Film) -> Picture:
    """Means of the samples [H, W, 3]."""
    picture: Picture = film[..., :3] / film[..., 3:]
    return picture
