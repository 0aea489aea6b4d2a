"""Lights of a scene: those without a surface, and area lights as emissive meshes.

A base light shader returns a colour c at any distance, and Lambert multiplies it by the cosine
without 1/pi; with the normalised BRDF of a path tracer the same picture needs the irradiance
``pi c``, times the option "light relative scale". `physical_light` is a flux: ``c / (4 pi r^2)``
from a point, and from a surface of area A the radiance ``c / (pi A)``, cosine-distributed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.arguments import Arguments, find_shader
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Area, Instance, Object, ShaderCall, ShaderName
from gpuqueue.scene.entities import Light as LightEntity
from gpuqueue.scene.model import BLACK, Color, Falloff, Light, LightKind, Material, Mesh
from gpuqueue.scene.shapes import cylinder, disc, mesh_of, rectangle, sphere

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Emission:
    """What a light shader says: a colour in its own unit, and how it is meant."""

    color: Color
    #: Flux in watts, else a legacy colour at every distance.
    is_flux: bool = False
    cos_inner: float | None = None
    fade: tuple[float, float] | None = None
    #: Radiance of an area light, where the shader gives it directly.
    is_radiance: bool = False


@dataclass(frozen=True)
class AreaLight:
    """An area light: a mesh in world space, its material, and whether the camera sees it."""

    mesh: Mesh
    material: Material
    visible: bool


def _color(a: Arguments) -> Emission:
    return Emission(a.color("color"))


def _point(a: Arguments) -> Emission:
    fade = (a.scalar("start"), a.scalar("stop")) if a.boolean("atten") else None
    return Emission(a.color("color"), fade=fade)


def _spot(a: Arguments) -> Emission:
    return replace(_point(a), cos_inner=a.scalar("cone"))


def _physical(a: Arguments) -> Emission:
    cone = a.scalar("cone") if a.has("cone") else None
    return Emission(a.color("color"), is_flux=True, cos_inner=cone)


def _multiplied(parameter: str) -> Callable[[Arguments], Emission]:
    def build(a: Arguments) -> Emission:
        r, g, b = a.color("color")
        scale = max(a.scalar(parameter), 0.0)
        return Emission((r * scale, g * scale, b * scale))

    return build


def _one_color(a: Arguments) -> Emission:
    return Emission(a.color("color"), is_radiance=True)


def _sun(a: Arguments) -> Emission:
    """A clear noon sun of about 100,000 lux, slightly warm, in the scene's own unit."""
    scale = a.scalar("multiplier") * (a.boolean("on") or not a.has("on"))
    r, g, b = a.color("rgb_unit_conversion")
    lux = 1e5 * scale / math.pi  # a legacy colour: the irradiance is pi times it
    a.document.warnings("'mia_physicalsun' is a plain directional light, without haze", a.call.at)
    return Emission((r * lux, g * lux * 0.93, b * lux * 0.82))


LIGHT_SHADERS: dict[str, Callable[[Arguments], Emission]] = {
    "mib_light_infinite": _color,
    "mib_light_point": _point,
    "mib_light_spot": _spot,
    "physical_light": _physical,
    "one_color": _one_color,
    "mia_physicalsun": _sun,
    "adskMayaDirectionalLight": _multiplied("intensity"),
    "max_DefaultLight": _multiplied("multiplier"),
}


def _emission(document: Document, light: LightEntity) -> Emission | None:
    shader = light.shaders[-1] if light.shaders else None
    call = find_shader(document, shader.name) if isinstance(shader, ShaderName) else shader
    if not isinstance(call, ShaderCall):
        document.warnings(f"light '{light.name}' has no shader that is known; it is dark", light.at)
        return None
    arguments = Arguments(call, document)
    build = LIGHT_SHADERS.get(call.type)
    if build is None:
        topic = f"shader {call.type}"
        document.warnings(
            f"unknown light shader '{call.type}': its \"color\", or white, is used", call.at, topic
        )
        return Emission(arguments.color("color", (1.0, 1.0, 1.0)))
    arguments.check_names()
    return build(arguments)


def resolve_light(
    document: Document, light: LightEntity, world_from_light: Matrix, scale: float
) -> Light | AreaLight | None:
    """Return a light in world space; None if it is dark.

    `world_from_light` is ``[4, 4]`` for column vectors, `scale` the "light relative scale".
    """
    emission = _emission(document, light)
    if emission is None or max(emission.color) <= 0:
        return None
    if light.area is not None:
        if emission.is_flux or emission.is_radiance:
            return _area_light(document, light, light.area, emission, world_from_light)
        document.warnings(
            f"light '{light.name}' has an area, but its shader has no distance falloff;"
            ' it is a point (use "physical_light")',
            light.at,
        )
    return _plain_light(light, emission, world_from_light, scale)


def _plain_light(light: LightEntity, emission: Emission, matrix: Matrix, scale: float) -> Light:
    """The kind follows from what is given: origin, direction, spread."""
    directional = light.direction is not None and (light.origin is None or light.spread is None)
    spot = light.direction is not None and not directional
    position = matrix[:3, :3] @ np.array(light.origin or BLACK) + matrix[:3, 3]
    given = light.direction if any(light.direction or BLACK) else None
    direction = _unit(matrix[:3, :3] @ _unit(np.array(given or (0.0, 0.0, -1.0))))
    falloff, color = Falloff.NONE, emission.color
    if emission.is_flux and not directional:
        falloff, unit = Falloff.INVERSE_SQUARE, 1 / (4 * math.pi)
    else:
        unit = 1.0 if emission.is_flux else math.pi * scale
    if emission.fade is not None and falloff is Falloff.NONE and not directional:
        falloff = Falloff.LINEAR
    kind = LightKind.DIRECTIONAL if directional else LightKind.SPOT if spot else LightKind.POINT
    outer = min(max(light.spread or 0.0, -1.0), 1.0) if spot else -1.0
    inner = min(max(emission.cos_inner if emission.cos_inner is not None else outer, outer), 1.0)
    start, stop = emission.fade or (0.0, 0.0)
    return Light(
        name=light.name,
        kind=kind,
        color=(color[0] * unit, color[1] * unit, color[2] * unit),
        position=_triple(position),
        direction=_triple(direction),
        falloff=falloff,
        cos_inner=inner if spot else 1.0,
        cos_outer=outer,
        fade=(max(start, 0.0), max(stop, start, 0.0)),
    )


def _unit(vector: Matrix) -> Matrix:
    """Scaled first, so that squares neither vanish nor overflow."""
    scaled = vector / abs(vector).max()
    return np.asarray(scaled / np.linalg.norm(scaled), np.float64)


def _triple(values: Matrix) -> Color:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _area_light(
    document: Document, light: LightEntity, area: Area, emission: Emission, matrix: Matrix
) -> AreaLight | None:
    shape = _shape(document, light, area)
    if shape is None:
        return None
    points, triangles = shape
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    if np.linalg.det(matrix[:3, :3]) < 0:  # a mirror turns the faces in
        triangles = triangles[:, ::-1]
    a, b, c = (points[triangles[:, i]] for i in range(3))
    surface = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
    if not 1e-20 < surface < 1e30:
        document.warnings(f"area light '{light.name}' has no area; it is dark", light.at)
        return None
    unit = 1.0 if emission.is_radiance else 1 / (math.pi * surface)
    r, g, b_ = (min(value * unit, 1e30) for value in emission.color)
    material = Material(light.name, "lambert", {"reflectance": BLACK}, (r, g, b_), "area light")
    return AreaLight(mesh_of(light.name, points, triangles), material, light.visible)


def _shape(
    document: Document, light: LightEntity, area: Area
) -> tuple[Matrix, NDArray[np.int64]] | None:
    """Points and triangles in light space; None for a degenerate shape."""
    centre = np.array(light.origin or BLACK)
    vectors = [np.array(v) for v in area.vectors]
    lengths = [float(np.linalg.norm(v)) for v in vectors]
    if area.shape == "object":
        return _object_shape(document, light, area)
    if any(not 1e-15 < n < 1e15 for n in lengths) or not (
        area.shape == "rectangle" or 1e-15 < area.radius < 1e15
    ):
        document.warnings(f"area light '{light.name}' has no area; it is dark", light.at)
        return None
    if area.shape == "rectangle":
        u, v = vectors
        if light.direction is not None and np.cross(u, v) @ np.array(light.direction) < 0:
            u, v = v, u
        return rectangle(centre, u, v)
    if area.shape == "disc":
        return disc(centre, vectors[0], area.radius)
    if area.shape == "cylinder":
        return cylinder(centre, vectors[0], area.radius)
    return sphere(centre, area.radius)


def _object_shape(
    document: Document, light: LightEntity, area: Area
) -> tuple[Matrix, NDArray[np.int64]] | None:
    """The triangles of an instance's object, placed by that instance in light space."""
    instance = document.find(Instance, area.instance, light.at, "instance")
    element = document.find(Object, instance.element or "", instance.at, "object")
    if element.geometry is None:
        document.warnings(f"area light '{light.name}' has no triangles; it is dark", light.at)
        return None
    points = element.geometry.positions.astype(np.float64)
    triangles = element.geometry.triangles.astype(np.int64)
    if instance.matrix is not None:
        inverse = np.linalg.inv(instance.matrix)
        points = points @ inverse[:3, :3] + inverse[3, :3]
        if np.linalg.det(inverse[:3, :3]) < 0:
            triangles = triangles[:, ::-1]
    return points, triangles
