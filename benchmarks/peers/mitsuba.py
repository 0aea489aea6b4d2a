"""Mitsuba 3 as a worker. https://mitsuba.readthedocs.io documents the plug-ins used here."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import drjit
import mitsuba
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.ply import write_ply
from benchmarks.peers.renderer import ROULETTE_DEPTH
from benchmarks.scenes import Scene
from benchmarks.scenes.description import Color, Surface, View


class Mitsuba:
    """A `Renderer`: the path integrator of one variant."""

    def __init__(self, variant: str, sampler: str) -> None:
        drjit.set_thread_count(1)
        mitsuba.set_variant(variant)
        self._sampler = sampler

    def version(self) -> str:
        """Mitsuba's version."""
        return str(mitsuba.__version__)

    def load(self, scene: Scene, size: int, max_depth: int) -> None:
        """Load the scene; its meshes travel as files."""
        with tempfile.TemporaryDirectory() as folder:
            described = described_scene(scene, Path(folder))
            described["sensor"] = sensor(scene.view, size, self._sampler)
            described["integrator"] = {
                "type": "path",
                "max_depth": max_depth,
                "rr_depth": ROULETTE_DEPTH,
            }
            self._scene = mitsuba.load_dict(described, parallel=False)

    def prepare(self, samples: int, seed: int) -> None:
        """Nothing: the scene stays built."""

    def render(self, samples: int, seed: int) -> None:
        """One pass over the picture."""
        self._picture = np.array(mitsuba.render(self._scene, spp=samples, seed=seed))

    def picture(self) -> NDArray[np.float32]:
        """The picture."""
        return self._picture


def sensor(view: View, size: int, sampler: str) -> dict[str, Any]:
    """The pinhole and its film."""
    look = mitsuba.ScalarTransform4f().look_at(
        origin=list(view.eye), target=list(view.target), up=[0, 1, 0]
    )
    return {
        "type": "perspective",
        "fov": view.degrees,
        "near_clip": 1e-3,
        "far_clip": 1e5,
        "to_world": look,
        "sampler": {"type": sampler},
        "film": {
            "type": "hdrfilm",
            "width": size,
            "height": size,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
            "component_format": "float32",
        },
    }


def described_scene(scene: Scene, folder: Path) -> dict[str, Any]:
    """All but sensor and integrator."""
    result: dict[str, Any] = {"type": "scene"}
    if any(scene.sky):
        result["sky"] = {"type": "constant", "radiance": rgb(scene.sky)}
    groups: dict[int, dict[str, Any]] = {}
    for number, (mesh, matrix) in enumerate(zip(scene.placed, scene.matrices, strict=True)):
        if np.array_equal(matrix, np.eye(4)):
            result[f"mesh{number}"] = shape(scene, mesh, folder)
            continue
        if mesh not in groups:
            group = {"type": "shapegroup", "shape": shape(scene, mesh, folder)}
            groups[mesh] = result[f"group{mesh}"] = group
        place = mitsuba.ScalarTransform4f(matrix)
        reference = {"type": "ref", "id": f"group{mesh}"}
        result[f"instance{number}"] = {"type": "instance", "group": reference, "to_world": place}
    return result


def shape(scene: Scene, mesh: int, folder: Path) -> dict[str, Any]:
    """A mesh with its surface and, where it emits, its light."""
    path = folder / f"{mesh}.ply"
    write_ply(path, scene.meshes[mesh])
    surface = scene.surfaces[scene.meshes[mesh].surface]
    result = {"type": "ply", "filename": str(path), "face_normals": True, "bsdf": bsdf(surface)}
    if any(surface.emission):
        result["emitter"] = {"type": "area", "radiance": rgb(surface.emission)}
    return result


def bsdf(surface: Surface) -> dict[str, Any]:
    """The plug-in of a surface."""
    if surface.kind == "glass":
        return {"type": "dielectric", "int_ior": surface.ior, "ext_ior": 1.0}
    if surface.kind == "diffuse":
        one_side = {"type": "diffuse", "reflectance": rgb(surface.color)}
    else:
        one_side = {
            "type": "roughconductor",
            "material": "none",  # no Fresnel
            "distribution": "ggx",
            "alpha": surface.alpha,
            "specular_reflectance": rgb(surface.color),
        }
    return {"type": "twosided", "bsdf": one_side}


def rgb(color: Color) -> dict[str, Any]:
    """A linear colour."""
    return {"type": "rgb", "value": list(color)}


def open_renderer(variant: str, sampler: str = "independent") -> Mitsuba:
    """The renderer."""
    return Mitsuba(variant, sampler)
