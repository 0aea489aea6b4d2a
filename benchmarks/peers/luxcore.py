"""LuxCore as a worker. https://wiki.luxcorerender.org documents its properties."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyluxcore
from numpy.typing import NDArray

from benchmarks.peers.ply import write_ply
from benchmarks.peers.renderer import ROULETTE_DEPTH
from benchmarks.scenes import Scene
from benchmarks.scenes.description import Surface, View

#: How often a session is asked whether it has its samples.
POLL_S = 0.002


class LuxCore:
    """A `Renderer`: path tracing on the CPU with the Sobol sampler and lights by power."""

    def __init__(self) -> None:
        pyluxcore.Init(lambda _: None)

    def version(self) -> str:
        """LuxCore's version."""
        return str(pyluxcore.Version())

    def load(self, scene: Scene, size: int, max_depth: int) -> None:
        """Parse the scene; its meshes travel as files."""
        self._size, self._max_depth = size, max_depth
        self._scene = pyluxcore.Scene()
        with tempfile.TemporaryDirectory() as folder:
            self._scene.Parse(properties(camera(scene.view, size) | objects(scene, Path(folder))))
        self.prepare(1, 0)
        self._session.Stop()

    def prepare(self, samples: int, seed: int) -> None:
        """A session of its own for each picture, for its seed; it builds its hierarchy anew."""
        table = settings(self._size, self._max_depth, samples, seed)
        config = pyluxcore.RenderConfig(properties(table), self._scene)
        self._session = pyluxcore.RenderSession(config)
        self._session.Start()

    def render(self, samples: int, seed: int) -> None:  # noqa: ARG002 - prepare took them
        """Wait until the session has its samples."""
        while not self._session.HasDone():
            time.sleep(POLL_S)
            self._session.UpdateStats()
        self._session.Stop()

    def picture(self) -> NDArray[np.float32]:
        """The picture; its rows start below."""
        film = np.zeros((self._size, self._size, 3), np.float32)
        output = pyluxcore.FilmOutputType.RGB
        self._session.GetFilm().GetOutputFloat(output, film.reshape(-1), 0, True)
        return np.ascontiguousarray(film[::-1])


def properties(values: dict[str, Any]) -> Any:
    """LuxCore's own table."""
    made = pyluxcore.Properties()
    for name, value in values.items():
        made.Set(pyluxcore.Property(name, value))
    return made


def settings(size: int, max_depth: int, samples: int, seed: int) -> dict[str, Any]:
    """One thread, so many samples, nothing clamped."""
    depths = {f"path.pathdepth.{kind}": max_depth for kind in ("total", "diffuse", "glossy")}
    return depths | {
        "path.pathdepth.specular": max_depth,
        "path.russianroulette.depth": ROULETTE_DEPTH,
        "path.clamping.variance.maxvalue": 0.0,
        "renderengine.type": "PATHCPU",
        "renderengine.seed": 1 + seed,
        "native.threads.count": 1,
        "sampler.type": "SOBOL",
        "sampler.sobol.adaptive.strength": 0.0,
        "lightstrategy.type": "LOG_POWER",
        "film.width": size,
        "film.height": size,
        "film.filter.type": "NONE",
        "batch.haltspp": [samples, 0],
    }


def camera(view: View, size: int) -> dict[str, Any]:
    """The pinhole. LuxCore's film sits a row off, which the window shifts back."""
    row = 2.0 / size
    return {
        "scene.camera.type": "perspective",
        "scene.camera.lookat.orig": list(view.eye),
        "scene.camera.lookat.target": list(view.target),
        "scene.camera.up": [0.0, 1.0, 0.0],
        "scene.camera.fieldofview": view.degrees,
        "scene.camera.screenwindow": [-1.0, 1.0, -1.0 - row, 1.0 - row],
        "scene.camera.autofocus.enable": 0,
        "scene.camera.cliphither": 1e-3,
        "scene.camera.clipyon": 1e5,
    }


def objects(scene: Scene, folder: Path) -> dict[str, Any]:
    """Sky, materials, shapes and where they stand."""
    result: dict[str, Any] = {}
    if any(scene.sky):
        result |= {"scene.lights.sky.type": "constantinfinite"}
        result |= {"scene.lights.sky.color": list(scene.sky), "scene.lights.sky.gain": [1.0] * 3}
    for number, surface in enumerate(scene.surfaces):
        for name, value in material(surface).items():
            result[f"scene.materials.m{number}.{name}"] = value
    for number, mesh in enumerate(scene.meshes):
        path = folder / f"{number}.ply"
        write_ply(path, mesh)
        result |= {f"scene.shapes.s{number}.type": "mesh", f"scene.shapes.s{number}.ply": str(path)}
    for number, (index, matrix) in enumerate(zip(scene.placed, scene.matrices, strict=True)):
        key = f"scene.objects.o{number}"
        result[f"{key}.shape"] = f"s{index}"
        result[f"{key}.material"] = f"m{scene.meshes[index].surface}"
        if not np.array_equal(matrix, np.eye(4)):
            result[f"{key}.transformation"] = matrix.T.ravel().tolist()
    return result


def material(surface: Surface) -> dict[str, Any]:
    """The closest of LuxCore's. No metal of it is plain GGX without Fresnel: Disney's comes
    within two per cent."""
    if surface.kind == "glass":
        return {"type": "glass", "kr": [1.0] * 3, "kt": [1.0] * 3, "interiorior": surface.ior}
    if surface.kind == "metal":
        return {
            "type": "disney",
            "basecolor": list(surface.color),
            "metallic": 1.0,
            "roughness": surface.alpha**0.5,
        }
    result: dict[str, Any] = {"type": "matte", "kd": list(surface.color)}
    if any(surface.emission):
        result |= {"emission": list(surface.emission), "emission.gain": [1.0] * 3}
    return result


def open_renderer() -> LuxCore:
    """The renderer."""
    return LuxCore()
