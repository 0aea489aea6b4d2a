"""A device that renders nothing at once: black pictures, to test all that surrounds a renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device.base import Progress, Work
from gpuqueue.device.film import Film, empty_film, sums
from gpuqueue.device.memory import Memory

if TYPE_CHECKING:
    from gpuqueue.scene import SceneBuffers


@dataclass(frozen=True)
class NullSnapshot:
    """A film as it was."""

    content: Film

    def film(self) -> Film:
        """The film [H, W]."""
        return self.content


class NullDevice:
    """Counts samples and adds no light."""

    name = "null"
    description = "no device (black pictures)"

    def __init__(self, settings: RenderSettings) -> None:
        del settings

    def memory(self) -> Memory:
        """More than any film needs."""
        return Memory(1 << 50, 1 << 50)

    def upload(
        self,
        scene: SceneBuffers,
        progress: Progress | None = None,
        film_size: tuple[int, int] | None = None,
    ) -> None:
        """Forget the scene."""
        del scene, progress, film_size

    def new_film(self, camera: np.void, width: int, height: int, start: Film | None = None) -> Film:
        """A film without samples, or with those of `start`."""
        del camera
        return empty_film(width, height) if start is None else start.copy()

    def render(self, scene: None, film: Film, work: Work) -> float:
        """Count the samples."""
        del scene
        pixels = film.reshape(-1)[work.first_pixel :][: work.pixel_count]
        pixels["count"] += work.sample_count
        return 0.0

    def read(self, film: Film) -> npt.NDArray[np.float32]:
        """Sums and number of samples [H, W, 4]."""
        return sums(film)

    def read_exact(self, film: Film) -> Film:
        """The film [H, W]."""
        return film

    def snapshot(self, film: Film) -> NullSnapshot:
        """A copy."""
        return NullSnapshot(film.copy())

    def close(self) -> None:
        """Nothing is held."""
