"""The device that runs the kernels, whatever they are compiled for.

A driver is the little that differs between processors: memory, and launching one kernel. All
else, the filling of the kernel's job record above all, is here once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from gpuqueue.device import native
from gpuqueue.device.base import FILM_PIXEL_BYTES, Memory, Work, require_memory

if TYPE_CHECKING:
    from gpuqueue.scene import SceneBuffers

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True)
class Buffer:
    """Memory of a device, given back when the last reference to its owner goes."""

    address: int
    nbytes: int
    owner: Any


class Driver(Protocol):
    """A processor's memory and its `render` kernel. Raises as `Device` does."""

    name: str
    description: str
    #: Node layout that suits the processor: ``float8`` or ``compressed8``.
    layout: str
    #: Threads for building the acceleration structure on the host; 0 is one per core.
    build_threads: int
    #: Whether `upload` takes device memory; on the host the arrays stay where they are.
    copies: bool

    def memory(self) -> Memory:
        """Bytes in all, and bytes free now."""

    def upload(self, array: AnyArray) -> Buffer:
        """The bytes of a C-contiguous array, on the device."""

    def zeros(self, nbytes: int) -> Buffer:
        """Device memory filled with zeros."""

    def download(self, buffer: Buffer) -> npt.NDArray[np.uint8]:
        """The bytes of a buffer, on the host."""

    def launch(self, job: AnyArray) -> None:
        """Run the kernel on a job, one element of layout RenderJob; returns when it is done."""

    def close(self) -> None:
        """Give the processor back."""


@dataclass(frozen=True)
class UploadedScene:
    """A job record that lacks only film and work, and the buffers that its pointers lead to."""

    job: AnyArray
    buffers: tuple[Buffer, ...]


@dataclass(frozen=True)
class UploadedFilm:
    """A film on the device."""

    width: int
    height: int
    buffer: Buffer


class KernelDevice:
    """A `Device` on a driver."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.name = driver.name
        self.description = driver.description

    def memory(self) -> Memory:
        """Bytes in all, and bytes free now."""
        return self._driver.memory()

    def upload(self, scene: SceneBuffers) -> UploadedScene:
        """Build the acceleration structure, upload all, and fill what is fixed of the job."""
        job = np.zeros(1, native.layouts()["RenderJob"])
        values = self._values(scene, job.dtype.names or ())
        if self._driver.copies:
            require_memory(self, _array_bytes(values), "the scene")
        buffers: list[Buffer] = []
        self._fill(job[0], values, buffers)
        return UploadedScene(job, tuple(buffers))

    def new_film(self, width: int, height: int) -> UploadedFilm:
        """A film without samples."""
        nbytes = width * height * FILM_PIXEL_BYTES
        require_memory(self, nbytes, f"a film of {width} x {height} pixels")
        return UploadedFilm(width, height, self._driver.zeros(nbytes))

    def render(self, scene: UploadedScene, film: UploadedFilm, work: Work) -> None:
        """Add samples to the film."""
        job = scene.job.copy()
        record = job[0]
        record["film"] = film.buffer.address
        record["width"], record["height"] = film.width, film.height
        record["first_item"], record["item_count"] = work.first_pixel, work.pixel_count
        record["first_sample"], record["sample_count"] = work.first_sample, work.sample_count
        record["seed"], record["max_depth"] = work.seed, work.max_depth
        self._driver.launch(job)

    def read(self, film: UploadedFilm) -> npt.NDArray[np.float32]:
        """The film [H, W, 4]."""
        pixels = self._driver.download(film.buffer).view(np.float32)
        return pixels.reshape(film.height, film.width, 4)

    def close(self) -> None:
        """Give the driver's resources back."""
        self._driver.close()

    def _values(self, scene: SceneBuffers, names: Sequence[str]) -> dict[str, Any]:
        """What the job's fields of these names are to hold, but for film and work."""
        values = {name: getattr(scene, name) for name in names if hasattr(scene, name)}
        return values | {
            "light_count": len(scene.lights),
            "accelerator": native.kernels().build_accelerator(
                scene.positions,
                scene.triangles,
                scene.meshes,
                scene.instances,
                layout=self._driver.layout,
                threads=self._driver.build_threads,
            ),
        }

    def _fill(self, record: Any, values: Mapping[str, Any], buffers: list[Buffer]) -> None:
        """Set fields of a record. A pointer becomes the address of its array on the device."""
        for name, value in values.items():
            if isinstance(value, Mapping):
                self._fill(record[name], value, buffers)
            elif record.dtype[name] == np.uint64 and isinstance(value, np.ndarray):
                buffers.append(self._driver.upload(np.ascontiguousarray(value)))
                record[name] = buffers[-1].address
            else:
                record[name] = value


def _array_bytes(values: Mapping[str, Any]) -> int:
    """Bytes of all arrays, those of nested records too."""
    return sum(
        _array_bytes(value) if isinstance(value, Mapping) else getattr(value, "nbytes", 0)
        for value in values.values()
    )
