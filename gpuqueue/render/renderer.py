"""A picture of a scene: load, upload, render, develop, encode."""

from __future__ import annotations

import hashlib
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from gpuqueue.binary import Binary
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Device, choose_device, native
from gpuqueue.device.film import Film, sums
from gpuqueue.device.kernel_image import sources_hash
from gpuqueue.errors import Interrupted, JobFailed, OutOfMemory
from gpuqueue.image import Pixels, develop, encode
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.render.checkpoint import Checkpoints, Keeper
from gpuqueue.render.progressive import Rendered, Report, render_film
from gpuqueue.render.request import Plan, RenderRequest, plan_render
from gpuqueue.render.scene_cache import LoadedScene, SceneCache
from gpuqueue.scene import load_scene, pack
from gpuqueue.scene.buffers import camera_record, film_size

_scene_log = EventLogger(Category.SCENE)
_render_log = EventLogger(Category.RENDER)

#: Share of samples that may be missing, dropped as not finite, before a picture is refused.
MAX_DROPPED = 0.001


class Renderer:
    """Renders scenes below one folder on one device, one picture at a time."""

    def __init__(self, settings: RenderSettings, content_root: Path) -> None:
        self._settings = settings
        self._content_root = content_root
        self.device: Device = choose_device(settings)
        self._scenes = SceneCache(self.device)

    def render(
        self, request: RenderRequest, report: Report, checkpoints: Checkpoints | None = None
    ) -> Binary:
        """Render one picture, from the checkpoint on that an earlier try left.

        `report` is told of progress, and ends the render by raising. Raises InvalidJob for a
        scene or a request that cannot be rendered, JobFailed and DeviceLost as devices do.
        """
        scene, plan = self.prepare(request, report)
        film, rendered = self.film_of(scene, plan, report, checkpoints)
        return self.picture(request, scene, film, rendered, report)

    def prepare(self, request: RenderRequest, report: Report) -> tuple[LoadedScene, Plan]:
        """The scene, on the device, and what is to be rendered of it. Raises InvalidJob."""
        name = request.scene_file
        report(0.0, f"Loading {name}")
        scene = self._scenes.get(name, lambda: self._load(request, report))
        return scene, plan_render(request, scene.camera, scene.options, self._settings)

    def picture(
        self,
        request: RenderRequest,
        scene: LoadedScene,
        film: Film,
        rendered: Rendered,
        report: Report,
    ) -> Binary:
        """The image file of a film. Raises JobFailed if the film is no picture."""
        pixels = sums(film)
        check_film(pixels, rendered)
        if self.device.name != "null" and not request.allow_black:
            check_light(pixels)
        report(1.0, f"Writing {request.format}")
        exposure = total_exposure(request.exposure, scene.camera.exposure)
        return encode(develop(pixels), request.format, exposure=exposure, quality=request.quality)

    def _load(self, request: RenderRequest, report: Report) -> LoadedScene:
        """Read a scene's files and put it on the device, if the film fits beside it."""
        name, start = request.scene_file, time.monotonic()
        scene = load_scene(
            Path(name),
            self._content_root,
            max_bytes=self._settings.max_scene_bytes,
            max_memory_bytes=self._settings.max_scene_memory_bytes,
            max_seconds=self._settings.max_scene_load_s,
            report=lambda what, share: report(0.0, f"{what}: {share:.0%}"),
        )
        for warning in scene.warnings:
            _scene_log.event(Event.SCENE_WARNING, warning, scene=name)
        buffers = pack(scene, native.layouts(), native.kernels().shaders())
        triangles = len(buffers.triangles)
        handle = self.device.upload(
            buffers,
            lambda share: report(0.0, f"Building {name}: {share:.0%} of {triangles} triangles"),
            film_size(scene.camera, request.width, request.height),
        )
        seconds = time.monotonic() - start
        _scene_log.event(
            Event.SCENE_LOADED,
            f"Loaded {name}: {triangles} triangles, {len(buffers.instances)} "
            f"instances, {len(buffers.lights)} lights, {seconds:.2f} s.",
            scene=name,
            triangles=triangles,
            instances=len(buffers.instances),
            seconds=seconds,
        )
        return LoadedScene(handle, scene.camera, scene.options, scene.sources)

    def film_of(
        self, scene: LoadedScene, plan: Plan, report: Report, checkpoints: Checkpoints | None = None
    ) -> tuple[Film, Rendered]:
        """The plan's film, from the checkpoint on that an earlier try left."""
        camera = camera_record(scene.camera, native.layouts(), plan.width, plan.height)
        found, keeper = None, None
        if checkpoints is not None:
            fingerprint = fingerprint_of(scene, plan, processor_of(self.device))
            keeper = Keeper(checkpoints, fingerprint, lambda: self.device.snapshot(film))
            found = keeper.load(plan.samples)
        start = None if found is None else found.film
        film = self._new_film(scene, camera, plan, start)
        try:
            rendered = render_film(
                self.device,
                scene.handle,
                film,
                plan,
                report,
                None if found is None else found.stand,
                None if keeper is None else keeper.after_launch,
            )
        except Interrupted:
            if keeper is not None:
                keeper.interrupted()
            raise
        if keeper is not None:
            keeper.done()
        samples = rendered.samples / plan.pixels
        _render_log.event(
            Event.RENDERED,
            f"Rendered {plan.width} x {plan.height} pixels, {samples:.4g} samples each, in "
            f"{rendered.seconds:.2f} s: {rendered.samples_per_s / 1e6:.2f} million samples/s.",
            width=plan.width,
            height=plan.height,
            samples=samples,
            seconds=rendered.seconds,
        )
        return self.device.read_exact(film), rendered

    def _new_film(self, scene: LoadedScene, camera: np.void, plan: Plan, start: Film | None) -> Any:
        """A film; where memory does not suffice, other scenes give theirs back."""
        try:
            return self.device.new_film(camera, plan.width, plan.height, start)
        except OutOfMemory:
            if not self._scenes.keep_only(scene):
                raise
        return self.device.new_film(camera, plan.width, plan.height, start)


def processor_of(device: Device) -> str:
    """Names what runs the kernels: all CPUs give the same bits; of a GPU its model and its library
    say which code it runs.
    """
    return device.description if device.name in ("cupy", "pycuda") else device.name


def fingerprint_of(scene: LoadedScene, plan: Plan, processor: str) -> str:
    """Names everything that decides the bits of a film, but how many samples it has."""
    sources = [source.sha256 for source in scene.sources]
    camera = camera_record(scene.camera, native.layouts(), plan.width, plan.height).tobytes()
    picture = (plan.width, plan.height, plan.seed, plan.max_depth, plan.first_sample, camera)
    told = repr((sources, picture, processor, sources_hash()))
    return hashlib.sha256(told.encode()).hexdigest()


def total_exposure(asked: float, gain: float) -> float:
    """EV of the request and of the camera's gain, within what a float32 can scale by."""
    return min(max(asked + math.log2(max(gain, 1e-30)), -126.0), 126.0)


def check_light(film: Pixels) -> None:
    """Raise JobFailed for a film without any light: what a lost lamp or a broken device makes."""
    if not film[..., :3].any():
        raise JobFailed(
            "the picture is all black: look for lights that are missing, or turned away, or a "
            "camera inside of something; if it is meant to be, set allow_black"
        )


def check_film(film: Pixels, rendered: Rendered) -> None:
    """Raise JobFailed for a film that is no picture: infinite sums, or too many samples missing.

    The kernels drop a sample that is not finite. A few come of unlucky roundings; many are a
    fault of the kernels, or of a scene with numbers beyond all measure.
    """
    total = film.sum(axis=(0, 1), dtype=np.float64)
    missing = rendered.samples - total[3]
    if not np.isfinite(total).all() or missing > MAX_DROPPED * rendered.samples:
        raise JobFailed(
            f"the picture is not finite: {missing:.0f} of {rendered.samples} samples were dropped, "
            f"the film's sums are {total[:3].tolist()}; look for absurd numbers in the scene "
            f"(emission, transforms, indices of refraction)"
        )
