"""A benchmark scene as this project's own model and buffers."""

from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.scenes import build
from benchmarks.scenes.description import Mesh, Scene, Surface, View
from gpuqueue.device.native import kernels, layouts
from gpuqueue.scene import Camera, RenderOptions, SceneBuffers, pack
from gpuqueue.scene import Scene as Model
from gpuqueue.scene import model as parts


def to_model(scene: Scene, size: int = 256) -> Model:
    """The scene's model, for pictures of `size` x `size` pixels."""
    count = len(scene.placed)
    return Model(
        name=scene.name,
        camera=_camera(scene.view, size),
        options=RenderOptions(),
        meshes=tuple(_mesh(scene.name, mesh) for mesh in scene.meshes),
        instances=parts.Instances(
            world_from_object=scene.matrices,
            mesh=scene.placed,
            material_list=np.array([scene.meshes[m].surface for m in scene.placed], np.int64),
            visibility=np.full(count, parts.Visibility.ALL, np.uint32),
        ),
        materials=tuple(_material(surface) for surface in scene.surfaces),
        material_lists=tuple((index,) for index in range(len(scene.surfaces))),
        lights=(),
        environment=scene.sky,
        textures=(),
        images=(),
        sources=(),
        warnings=(),
    )


def to_buffers(scene: Scene, size: int = 256) -> SceneBuffers:
    """The scene in the layouts of the compiled kernels."""
    return pack(to_model(scene, size), layouts(), kernels().shaders())


@cache
def buffers_of(name: str, detail: float = 1.0, size: int = 256) -> SceneBuffers:
    """The buffers of a scene by its name, made once in a process."""
    return to_buffers(build(name, detail), size)


def _camera(view: View, size: int) -> Camera:
    width = 2 * np.tan(np.radians(view.degrees) / 2)
    return Camera("view", view.world_from_camera, (width, width), (size, size), (0, 0, size, size))


def _mesh(name: str, mesh: Mesh) -> parts.Mesh:
    triangles = mesh.triangles.astype(np.int64)
    slots = np.zeros(len(triangles), np.int64)
    return parts.Mesh(name, mesh.positions, None, None, triangles, slots, 1)


def _material(surface: Surface) -> parts.Material:
    parameters: dict[str, parts.Parameter]
    if surface.kind == "diffuse":
        kind, parameters = "lambert", {"reflectance": surface.color}
    elif surface.kind == "metal":
        kind = "conductor"
        parameters = {"f0": surface.color, "f90": surface.color, "alpha": surface.alpha}
    else:
        white = (1.0, 1.0, 1.0)
        kind, parameters = (
            "glass",
            {
                "ior": surface.ior,
                "reflection": white,
                "transmission": white,
                "absorption": parts.BLACK,
            },
        )
    return parts.Material(surface.kind, kind, parameters, surface.emission)
