"""Our own renderer as a worker: the cpu device on one thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes import Scene
from benchmarks.scenes.to_gpuqueue import to_buffers
from gpuqueue import __version__
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Work
from gpuqueue.device.cpu import open_cpu


class Gpuqueue:
    """A `Renderer`."""

    def __init__(self) -> None:
        # Without a cache: loading is building.
        self._device = open_cpu(RenderSettings(threads=1, bvh_cache_bytes=0))

    def version(self) -> str:
        """The package's version."""
        return __version__

    def load(self, scene: Scene, size: int, max_depth: int) -> None:
        """Pack the scene and build what rays are traced through."""
        buffers = to_buffers(scene, size)
        self._camera, self._size, self._max_depth = buffers.camera, size, max_depth
        self._scene = self._device.upload(buffers)

    def prepare(self, samples: int, seed: int) -> None:
        """Nothing: the scene stays built."""

    def render(self, samples: int, seed: int) -> None:
        """One launch for the whole picture."""
        self._film = self._device.new_film(self._camera, self._size, self._size)
        work = Work(0, self._size**2, 0, samples, seed, self._max_depth)
        self._device.render(self._scene, self._film, work)

    def picture(self) -> NDArray[np.float32]:
        """Means of the samples."""
        film = self._device.read(self._film)
        picture: NDArray[np.float32] = film[..., :3] / film[..., 3:]
        return picture


def open_renderer() -> Gpuqueue:
    """The renderer."""
    return Gpuqueue()
