"""What a scene holds, as plain data for people and programs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpuqueue.scene.light_table import scene_bounds
from gpuqueue.scene.model import BLACK, Color, Scene
from gpuqueue.scene.textures.image_library import TextureUse


@dataclass(frozen=True)
class CameraSummary:
    """The camera: where it is, its direction, its horizontal angle in degrees, its picture."""

    name: str
    position: Color
    direction: Color
    field_of_view: float
    resolution: tuple[int, int]


@dataclass(frozen=True)
class MaterialSummary:
    """A material: the scene's shader, what it became, and what was left out."""

    name: str
    shader: str
    kind: str
    emits: bool
    note: str


@dataclass(frozen=True)
class LightSummary:
    """A light without a surface. Emissive surfaces are counted by `SceneSummary`."""

    name: str
    kind: str
    falloff: str
    color: Color


@dataclass(frozen=True)
class SceneSummary:
    """Counts, extent, and everything by name. `warnings` tells what is not rendered as written.

    `triangles` and `vertices` are stored once for each mesh; `placed_triangles` counts every
    instance.
    """

    name: str
    source_files: int
    source_bytes: int
    meshes: int
    vertices: int
    triangles: int
    instances: int
    placed_triangles: int
    emissive_instances: int
    lowest: Color
    highest: Color
    camera: CameraSummary
    materials: tuple[MaterialSummary, ...]
    lights: tuple[LightSummary, ...]
    environment: Color
    textures: tuple[TextureUse, ...]
    warnings: tuple[str, ...]


def summarise(scene: Scene) -> SceneSummary:
    """Return a summary of a scene."""
    triangles = np.array([len(mesh.triangles) for mesh in scene.meshes], np.int64)
    vertices = sum(len(mesh.positions) for mesh in scene.meshes)
    low, high = scene_bounds(scene)
    emits = [material.emission != BLACK for material in scene.materials]
    bright_lists = np.array(
        [any(emits[m] for m in materials) for materials in scene.material_lists], bool
    )
    count = len(scene.instances)
    return SceneSummary(
        name=scene.name,
        source_files=len(scene.sources),
        source_bytes=sum(file.size for file in scene.sources),
        meshes=len(scene.meshes),
        vertices=vertices,
        triangles=int(triangles.sum()),
        instances=count,
        placed_triangles=int(triangles[scene.instances.mesh].sum()),
        emissive_instances=int(bright_lists[scene.instances.material_list].sum()),
        lowest=_triple(low),
        highest=_triple(high),
        camera=_camera(scene),
        materials=tuple(
            MaterialSummary(m.name, m.shader, m.kind, m.emission != BLACK, m.note)
            for m in scene.materials
        ),
        lights=tuple(
            LightSummary(light.name, light.kind.value, light.falloff.value, light.color)
            for light in scene.lights
        ),
        environment=scene.environment,
        textures=scene.textures,
        warnings=scene.warnings,
    )


def _camera(scene: Scene) -> CameraSummary:
    camera = scene.camera
    forward = -camera.world_from_camera[:3, 2]
    return CameraSummary(
        name=camera.name,
        position=_triple(camera.world_from_camera[:3, 3]),
        direction=_triple(forward / (np.linalg.norm(forward) or 1.0)),
        field_of_view=float(np.degrees(2 * np.arctan(camera.plane[0] / 2))),
        resolution=camera.resolution,
    )


def _triple(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Color:
    x, y, z = (float(value) for value in values)
    return x, y, z
