"""A picture of a scene: load, upload, render, develop, encode."""

from __future__ import annotations

import hashlib
import math
import time
from pathlib import Path

import numpy as np

from gpuqueue.binary import Binary
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Device, choose_device, native
from gpuqueue.device.kernel_image import sources_hash
from gpuqueue.errors import Interrupted, JobFailed
from gpuqueue.image import Pixels, develop, encode
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.render.checkpoint import Checkpoints, Keeper
from gpuqueue.render.progressive import Rendered, Report, render_film
from gpuqueue.render.request import Plan, RenderRequest, plan_render
from gpuqueue.render.scene_cache import LoadedScene, SceneCache
from gpuqueue.scene import load_scene, pack
from gpuqueue.scene.buffers import camera_record

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
        report(0.0, f"Loading {request.scene_file}")
        scene = self._scenes.get(request.scene_file, lambda: self._load(request.scene_file, report))
        plan = plan_render(request, scene.camera, scene.options, self._settings)
        film = self._render_film(scene, plan, report, checkpoints)
        report(1.0, f"Writing {request.format}")
        exposure = total_exposure(request.exposure, scene.camera.exposure)
        return encode(develop(film), request.format, exposure=exposure, quality=request.quality)

    def _load(self, name: str, report: Report) -> LoadedScene:
        """Read a scene's files and put it on the device."""
        start = time.monotonic()
        max_bytes = self._settings.max_scene_bytes
        scene = load_scene(Path(name), self._content_root, max_bytes=max_bytes)
        for warning in scene.warnings:
            _scene_log.event(Event.SCENE_WARNING, warning, scene=name)
        buffers = pack(scene, native.layouts(), native.kernels().shaders())
        triangles = len(buffers.triangles)
        handle = self.device.upload(
            buffers,
            lambda share: report(0.0, f"Building {name}: {share:.0%} of {triangles} triangles"),
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

    def _render_film(
        self, scene: LoadedScene, plan: Plan, report: Report, checkpoints: Checkpoints | None
    ) -> Pixels:
        """The plan's film [H, W, 4], checked."""
        camera = camera_record(scene.camera, native.layouts(), plan.width, plan.height)
        found, keeper = None, None
        if checkpoints is not None:
            fingerprint = fingerprint_of(scene, plan, camera.tobytes(), self.device)
            keeper = Keeper(checkpoints, fingerprint, lambda: self.device.read_exact(film))
            found = keeper.load(plan.samples)
        film = self.device.new_film(
            camera, plan.width, plan.height, None if found is None else found.film
        )
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
        pixels = self.device.read(film)
        check_film(pixels, rendered)
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
        return pixels


def fingerprint_of(scene: LoadedScene, plan: Plan, camera: bytes, device: Device) -> str:
    """Names everything that decides the bits of a film, but how many samples it has."""
    sources = [source.sha256 for source in scene.sources]
    picture = (plan.width, plan.height, plan.seed, plan.max_depth, camera)
    # All CPUs give the same bits; of a GPU its model and its library say which code it runs.
    processor = device.description if device.name in ("cupy", "pycuda") else device.name
    told = repr((sources, picture, processor, sources_hash()))
    return hashlib.sha256(told.encode()).hexdigest()


def total_exposure(asked: float, gain: float) -> float:
    """EV of the request and of the camera's gain, within what a float32 can scale by."""
    return min(max(asked + math.log2(max(gain, 1e-30)), -126.0), 126.0)


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
