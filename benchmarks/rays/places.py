"""The scenes that rays are traced through and trees are built of, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.options import Options
from benchmarks.rays.scenes import View, grove, spheres
from tests.kernels.ray_scenes import RayScene


@dataclass(frozen=True)
class Place:
    """A scene and its number of triangles."""

    make: Callable[[int], tuple[RayScene, View]]
    triangles: int

    def scaled(self, options: Options) -> tuple[RayScene, View]:
        """As large as was asked for, never without detail."""
        return self.make(max(2000, round(self.triangles * options.detail)))


PLACES = {
    "spheres-100k": Place(spheres, 100_000),
    "spheres-1M": Place(spheres, 1_000_000),
    "spheres-5M": Place(spheres, 5_000_000),
    "grove": Place(grove, 300_000),
}
OURS, ROBUST, FAST = "gpuqueue", "Embree robust", "Embree fast"
