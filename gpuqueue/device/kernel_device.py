"""The device that runs the kernels, whatever they are compiled for.

A driver (driver.py) is the little that differs between processors: memory, and launching kernels.
All else, the filling of the kernels' job record above all, is here once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device import native
from gpuqueue.device.accelerator_cache import MIN_TRIANGLES, AcceleratorCache, key_of
from gpuqueue.device.base import Progress, Work
from gpuqueue.device.driver import AnyArray, Buffer, Bytes, Driver
from gpuqueue.device.film import Film, sums
from gpuqueue.device.memory import Memory, Needs, film_needs, require, scene_needs
from gpuqueue.device.schedules import Loop, Schedule
from gpuqueue.errors import InvalidJob, OutOfMemory
from gpuqueue.scene.light_guide import light_guide

if TYPE_CHECKING:
    from gpuqueue.scene import SceneBuffers

#: Fields of RenderJob that SceneBuffers has under the same name.
SCENE_FIELDS = (
    "normals",
    "uvs",
    "triangles",
    "meshes",
    "instances",
    "material_slots",
    "materials",
    "parameters",
    "images",
    "texels",
    "linear_of_srgb",
    "texture_steps",
    "lights",
    "light_cdf",
    "emission_density",
    "environment",
)


#: How much of the work of a build is in its acceleration structure; the rest makes the faces.
_ACCELERATOR_SHARE = 0.8


@dataclass(frozen=True)
class UploadedScene:
    """A job record that lacks film and work, and the buffers that its pointers lead to."""

    job: AnyArray
    buffers: tuple[Buffer, ...]
    mark: Any


@dataclass(frozen=True)
class UploadedFilm:
    """A film on the device and the camera that looks at it."""

    camera: np.void
    width: int
    height: int
    buffer: Buffer
    mark: Any


@dataclass(frozen=True)
class FilmSnapshot:
    """A film as it was."""

    width: int
    height: int
    content: Callable[[], Bytes]

    def film(self) -> Film:
        """The film [H, W]."""
        pixels = self.content().view(np.uint8).view(native.layouts()["FilmPixel"])
        return pixels.reshape(self.height, self.width)


class KernelDevice:
    """A `Device` on a driver."""

    def __init__(
        self,
        driver: Driver,
        cache: AcceleratorCache | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self._driver = driver
        self._schedule = schedule or Loop(driver)
        self._cache = cache
        self.name = driver.name
        self.description = driver.description

    @property
    def driver(self) -> Driver:
        """What it runs on, for launches that are not pictures."""
        return self._driver

    @property
    def schedule(self) -> str:
        """Name of the way in which threads are given their samples."""
        return self._schedule.name

    def memory(self) -> Memory:
        """Bytes in all, and bytes free now."""
        return self._driver.memory()

    def upload(
        self,
        scene: SceneBuffers,
        progress: Progress | None = None,
        film_size: tuple[int, int] | None = None,
    ) -> UploadedScene:
        """Build the acceleration structure, upload all, and fill what is fixed of the job."""
        film = film_needs(*film_size) if film_size else ()
        if self._driver.copies:  # what is certain, before minutes of building
            given = {name: getattr(scene, name) for name in SCENE_FIELDS}
            self._require((*scene_needs(given), *film), "the scene, not counting what is built,")
        job = np.zeros(1, native.layouts()["RenderJob"])
        values = self._values(scene, progress)
        if self._driver.copies:
            self._require((*scene_needs(values), *film), "the scene")
        buffers: list[Buffer] = []
        self._fill(job[0], values, buffers)
        return UploadedScene(job, tuple(buffers), self._driver.mark())

    def new_film(
        self,
        camera: np.void,
        width: int,
        height: int,
        start: Film | None = None,
    ) -> UploadedFilm:
        """A film without samples, or with those of `start` [H, W]."""
        needs = film_needs(width, height)
        self._require(needs, f"a film of {width} x {height} pixels")
        if start is None:
            buffer = self._driver.zeros(needs[0].nbytes)
        else:
            # A copy: a device without memory of its own adds samples to what it is given.
            buffer = self._driver.upload(start.reshape(-1).view(np.uint64).copy())
        return UploadedFilm(camera, width, height, buffer, self._driver.mark())

    def render(self, scene: UploadedScene, film: UploadedFilm, work: Work) -> float:
        """Add samples to the film; the seconds that it took."""
        job = scene.job.copy()
        values = {
            "film": film.buffer.address,
            "camera": film.camera,
            "width": film.width,
            "height": film.height,
            "first_item": work.first_pixel,
            "item_count": work.pixel_count,
            "first_sample": work.first_sample,
            "sample_count": work.sample_count,
            "seed": work.seed,
            "max_depth": work.max_depth,
            "is_varying": bool(scene.job["is_varying"][0]) or _moves(film.camera),
        }
        for name, value in values.items():
            job[name] = value
        # Textures have one entry point, that of the loop.
        schedule = Loop(self._driver) if job["is_textured"][0] else self._schedule
        schedule.run(self._driver, job, (scene.mark, film.mark))
        return self._driver.finish()

    def read(self, film: UploadedFilm) -> npt.NDArray[np.float32]:
        """Sums and number of samples [H, W, 4], rounded."""
        return sums(self.read_exact(film))

    def read_exact(self, film: UploadedFilm) -> Film:
        """The film [H, W]."""
        content = self._driver.download(film.buffer, (film.mark,))
        return FilmSnapshot(film.width, film.height, lambda: content).film()

    def snapshot(self, film: UploadedFilm) -> FilmSnapshot:
        """The film as it is now, to be had while the next launch is on its way."""
        content = self._driver.snapshot(film.buffer, (film.mark,))
        return FilmSnapshot(film.width, film.height, content)

    def close(self) -> None:
        """Give the driver's resources back, the schedule's memory first."""
        self._schedule = Loop(self._driver)
        self._driver.close()

    def _require(self, needs: Needs, purpose: str) -> None:
        require(needs, self.memory(), purpose, self.description)

    def _values(self, scene: SceneBuffers, progress: Progress | None) -> dict[str, Any]:
        """The fields of the job that the scene gives."""
        return {
            **self._built(scene, progress),
            "light_count": len(scene.lights),
            "is_varying": len(scene.keys) > 0 or bool(scene.cut.any()),
            "is_textured": len(scene.texture_steps) > 1,
            **light_guide(scene.light_cdf),
            **{name: getattr(scene, name) for name in SCENE_FIELDS},
        }

    def _built(self, scene: SceneBuffers, progress: Progress | None) -> Mapping[str, Any]:
        """The acceleration structure and the faces."""
        try:
            accelerator = self._accelerator(scene, _part_of(progress, 0.0, _ACCELERATOR_SHARE))
            faces = native.kernels().build_faces(
                *_geometry(scene),
                scene.lights,
                keys=scene.keys,
                threads=self._driver.build_threads,
                progress=_part_of(progress, _ACCELERATOR_SHARE, 1.0),
            )
            return {"accelerator": accelerator, **faces}
        except ValueError as error:
            raise InvalidJob(f"the kernels cannot take the scene: {error}") from error
        except MemoryError as error:
            raise OutOfMemory(
                "the host has no memory to build the scene's acceleration structure"
            ) from error

    def _accelerator(self, scene: SceneBuffers, progress: Progress | None) -> dict[str, Any]:
        """From the cache, or built and kept there."""
        layout, cache = self._driver.layout, self._cache
        if cache is None or len(scene.triangles) < MIN_TRIANGLES:
            return self._build_accelerator(scene, progress)
        key = key_of(layout, (*_geometry(scene), scene.keys, scene.cut), progress)
        found = cache.load(key, progress)
        if found is not None:
            return found
        built = self._build_accelerator(scene, progress)
        cache.keep(key, built, _part_of(progress, 1.0, 1.0))
        return built

    def _build_accelerator(self, scene: SceneBuffers, progress: Progress | None) -> dict[str, Any]:
        built: dict[str, Any] = native.kernels().build_accelerator(
            *_geometry(scene),
            layout=self._driver.layout,
            threads=self._driver.build_threads,
            keys=scene.keys,
            cut=scene.cut,
            progress=progress,
        )
        return built

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


def _geometry(scene: SceneBuffers) -> tuple[AnyArray, ...]:
    return scene.positions, scene.triangles, scene.meshes, scene.instances


def _part_of(progress: Progress | None, start: float, end: float) -> Progress | None:
    """What a part of the work is to tell of itself, which stands for the shares start to end."""
    if progress is None:
        return None
    return lambda share: progress(start + share * (end - start))


def _moves(camera: np.void) -> bool:
    """Whether it stands elsewhere when the shutter closes."""
    names = [name for name in camera.dtype.names or () if name.endswith("_change")]
    return any(np.any(camera[name]) for name in names)
