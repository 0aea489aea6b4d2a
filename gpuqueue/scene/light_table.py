"""Everything that a path may connect to, and how often each is chosen.

The chance of a light is its share of the scene's power: of an emissive triangle pi times
luminance times area in the world; of a point or spot its flux where it fades with the square of
distance; of a light whose irradiance does not fade, that irradiance times the disc of the
scene's extent. So the chance of a triangle is emission_density times luminance times area, as
the kernels demand (Light in scene_types.cuh).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.errors import SceneError
from gpuqueue.scene.model import Falloff, Instances, Light, LightKind, Mesh, Scene

#: Luminance of linear Rec. 709 colours.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
MAX_LIGHTS = 1 << 22
_POINTS_OF_ROW = 64

_KINDS = {LightKind.POINT: 1, LightKind.SPOT: 2, LightKind.DIRECTIONAL: 3}
_FALLOFFS = {Falloff.INVERSE_SQUARE: 0, Falloff.NONE: 1, Falloff.LINEAR: 2}


@dataclass(frozen=True, eq=False)
class LightTable:
    """Columns of the kernels' Light records, L lights; chances sum to 1."""

    columns: Mapping[str, NDArray[Any]]
    probability: NDArray[np.float64]
    cdf: NDArray[np.float32]
    emission_density: float


@dataclass(frozen=True, eq=False)
class _Emitters:
    """Emissive triangles: instance, triangle of its mesh, radiance [N, 3], area in the world."""

    instance: NDArray[np.int64]
    triangle: NDArray[np.int64]
    color: NDArray[np.float64]
    area: NDArray[np.float64]


def light_table(scene: Scene) -> LightTable:
    """Return the lights of a scene, dark ones left out. Raises SceneError beyond MAX_LIGHTS."""
    emitters = _emitters(scene)
    radius = scene_radius(scene)
    lights = [light for light in scene.lights if _power(light, radius) > 0]
    powers = np.concatenate(
        [
            math.pi * (emitters.color @ LUMINANCE) * emitters.area,
            [_power(light, radius) for light in lights],
        ]
    )
    total = powers.sum()
    if not len(powers) or not 0 < total < math.inf:
        return LightTable(_columns(_no_emitters(), []), np.zeros(0), np.zeros(0, np.float32), 0.0)
    probability = powers / total
    cdf = np.cumsum(probability).astype(np.float32)
    cdf[-1] = 1.0
    return LightTable(_columns(emitters, lights), probability, cdf, float(math.pi / total))


def _power(light: Light, radius: float) -> float:
    """Luminous power, in the same unit as that of a triangle."""
    brightness = float(np.array(light.color) @ LUMINANCE)
    if light.falloff is not Falloff.INVERSE_SQUARE or light.kind is LightKind.DIRECTIONAL:
        return brightness * math.pi * radius**2
    cone = 1 - (light.cos_inner + light.cos_outer) / 2 if light.kind is LightKind.SPOT else 2.0
    return brightness * 2 * math.pi * cone


def scene_bounds(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest corner of all instances' boxes in the world, wherever they move; zeros if
    there are none."""
    if not len(scene.instances):
        return np.zeros(3), np.zeros(3)
    low = np.array([_along_columns(np.min, mesh) for mesh in scene.meshes], np.float64)
    high = np.array([_along_columns(np.max, mesh) for mesh in scene.meshes], np.float64)
    matrix, mesh = _all_places(scene.instances)
    centre, half = ((low + high) / 2)[mesh], ((high - low) / 2)[mesh]
    middle = np.einsum("nij,nj->ni", matrix[:, :3, :3], centre) + matrix[:, :3, 3]
    reach = np.einsum("nij,nj->ni", abs(matrix[:, :3, :3]), half)
    return (middle - reach).min(axis=0), (middle + reach).max(axis=0)


def _along_columns(reduce: Callable[..., Any], mesh: Mesh) -> NDArray[np.float32]:
    """The least or greatest x, y and z of a mesh. Many points are one long row, because short rows
    are reduced slowly."""
    points = mesh.positions
    whole = len(points) - len(points) % _POINTS_OF_ROW
    wide = points[:whole].reshape(-1, 3 * _POINTS_OF_ROW)
    rows = reduce(wide, axis=0).reshape(-1, 3) if whole else points[:0]
    found: NDArray[np.float32] = reduce(np.concatenate([rows, points[whole:]]), axis=0)
    return found


def _all_places(instances: Instances) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Matrices and meshes of all instances, those that move at every key."""
    matrix, mesh, motion = instances.world_from_object, instances.mesh, instances.motion
    if motion is None:
        return matrix, mesh
    keys = motion.keys.reshape(-1, 4, 4)
    steps = len(keys) // len(motion.instance)
    return np.concatenate([matrix, keys]), np.concatenate(
        [mesh, np.repeat(mesh[motion.instance], steps)]
    )


def scene_radius(scene: Scene) -> float:
    """Half the diagonal of the scene's box; 1 for an empty scene."""
    low, high = scene_bounds(scene)
    return float(np.linalg.norm(high - low)) / 2 or 1.0


def _emitters(scene: Scene) -> _Emitters:
    emission = np.array([material.emission for material in scene.materials]).reshape(-1, 3)
    is_bright = [bool((emission[list(m)] > 0).any()) for m in scene.material_lists]
    parts = [_no_emitters()]
    count = 0
    for index in np.flatnonzero(np.array(is_bright, bool)[scene.instances.material_list]):
        part = _emitters_of(scene, int(index), emission)
        count += len(part.triangle)
        if count > MAX_LIGHTS:
            raise SceneError(f"{scene.name}: more than {MAX_LIGHTS} emissive triangles")
        parts.append(part)
    return _Emitters(
        np.concatenate([p.instance for p in parts]),
        np.concatenate([p.triangle for p in parts]),
        np.concatenate([p.color for p in parts]),
        np.concatenate([p.area for p in parts]),
    )


def _no_emitters() -> _Emitters:
    none = np.zeros(0, np.int64)
    return _Emitters(none, none, np.zeros((0, 3)), np.zeros(0))


def _emitters_of(scene: Scene, index: int, emission: NDArray[np.float64]) -> _Emitters:
    mesh = scene.meshes[scene.instances.mesh[index]]
    materials = np.array(scene.material_lists[scene.instances.material_list[index]])
    color = emission[materials[mesh.slots]]
    area = world_areas(mesh, scene.instances.world_from_object[index])
    bright = np.flatnonzero((color > 0).any(axis=1) & (area > 0))
    return _Emitters(np.full(len(bright), index), bright, color[bright], area[bright])


def world_areas(mesh: Mesh, world_from_object: NDArray[np.float64]) -> NDArray[np.float64]:
    """Areas ``[T]`` of a mesh's triangles in the world."""
    points = mesh.positions @ world_from_object[:3, :3].T
    a, b, c = (points[mesh.triangles[:, corner]] for corner in range(3))
    areas: NDArray[np.float64] = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return areas


def _columns(emitters: _Emitters, lights: list[Light]) -> dict[str, NDArray[Any]]:
    """Triangles first, then the lights without a surface."""
    count = len(emitters.triangle)

    def column(value: Any, of_lights: list[Any]) -> NDArray[Any]:
        blank = np.broadcast_to(np.array(value), (count, *np.shape(value)))
        return np.concatenate([blank, np.array(of_lights).reshape(-1, *np.shape(value))])

    return {
        "kind": column(0, [_KINDS[light.kind] for light in lights]),
        "falloff": column(0, [_FALLOFFS[light.falloff] for light in lights]),
        "position": column([0.0] * 3, [light.position for light in lights]),
        "direction": column([0.0] * 3, [light.direction for light in lights]),
        "color": np.concatenate(
            [emitters.color, np.array([light.color for light in lights]).reshape(-1, 3)]
        ),
        "cos_inner": column(0.0, [light.cos_inner for light in lights]),
        "cos_outer": column(0.0, [light.cos_outer for light in lights]),
        "fade_start": column(0.0, [light.fade[0] for light in lights]),
        "fade_stop": column(0.0, [light.fade[1] for light in lights]),
        "instance": np.concatenate([emitters.instance, np.zeros(len(lights), np.int64)]),
        "triangle": np.concatenate([emitters.triangle, np.zeros(len(lights), np.int64)]),
    }
