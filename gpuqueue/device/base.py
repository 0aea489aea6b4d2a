"""What a device provides: it takes a scene and adds samples of it to a film."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from gpuqueue.device.film import Film
from gpuqueue.device.memory import Memory

if TYPE_CHECKING:
    from gpuqueue.scene import SceneBuffers

#: Told the share that is done, 0 to 1, many times a second.
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Work:
    """Samples for a run of pixels, in the kernels' order: tile by tile (kernels/film.cuh)."""

    first_pixel: int
    pixel_count: int
    first_sample: int
    sample_count: int
    seed: int
    #: Edges of the longest path: 1 sees emitters alone, 2 direct light on surfaces.
    max_depth: int

    @property
    def samples(self) -> int:
        """Paths to trace."""
        return self.pixel_count * self.sample_count


class Snapshot(Protocol):
    """A film as it was, on its way to the host."""

    def film(self) -> Film:
        """The film [H, W], once it is there. Any thread may ask, while others use the device."""


class Device(Protocol):
    """A processor that renders. One thread uses it at a time.

    Every verb raises OutOfMemory where memory does not suffice, and DeviceLost where the device
    cannot be used any more by this process; `upload` raises InvalidJob for a scene that no
    device can take.
    """

    name: str
    #: One line for people: what it is and how much of it.
    description: str

    def memory(self) -> Memory:
        """Bytes in all, and bytes free now."""

    def upload(
        self,
        scene: SceneBuffers,
        progress: Progress | None = None,
        film_size: tuple[int, int] | None = None,
    ) -> Any:
        """Build the acceleration structure and put all on the device; the handle keeps it there.

        `progress` is told how much of it is done; what it raises ends it. The scene's own camera
        and size are not looked at: those are the film's. Nothing is uploaded unless all of it
        fits, beside a film of `film_size` (width, height) if that is given.
        """

    def new_film(
        self,
        camera: np.void,
        width: int,
        height: int,
        start: Film | None = None,
    ) -> Any:
        """A handle for a film of what the camera (layout Camera) sees.

        It is without samples, or has those of `start` [H, W], a copy of which it goes on from.
        """

    def render(self, scene: Any, film: Any, work: Work) -> float:
        """Add samples to the film; returns when they are there, the seconds that the device took.

        A sample is a function of the scene, the seed, its pixel and its number, and sums are exact:
        any split into works, in any order, gives the same bits. Keep one work below a second, so
        that who waits can stop between two.
        """

    def read(self, film: Any) -> npt.NDArray[np.float32]:
        """Sums of red, green and blue radiance and number of samples, [H, W, 4], rounded."""

    def read_exact(self, film: Any) -> Film:
        """The film itself [H, W]; it may be the memory that further works add to."""

    def snapshot(self, film: Any) -> Snapshot:
        """Begin to read the film as it is now; works that come do not wait for it."""

    def close(self) -> None:
        """Give everything back; the device and its handles cannot be used afterwards."""
