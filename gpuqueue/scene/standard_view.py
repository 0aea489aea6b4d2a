"""A camera and light for scenes that come without: seen from the front, in white surroundings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import (
    Camera,
    Connection,
    Instance,
    InstanceGroup,
    Light,
    Material,
    Object,
    Options,
    Render,
    ShaderCall,
)
from gpuqueue.scene.flatten import Flattener
from gpuqueue.scene.source import Place

#: From the middle of what is seen to the camera: a little from the right and from above.
_TOWARDS = np.array([0.5, 0.4, 1.0])
_ANGLE = math.radians(40)
_RESOLUTION = (960, 720)


def show(
    document: Document, root: InstanceGroup, camera: str, free_name: Callable[[str, str], str]
) -> None:
    """Have a root group rendered through the instance of a camera, or "" for a new one.

    `free_name` makes names that nothing in the document has, of a name and a kind.
    """
    if not camera:
        camera = _add_camera(document, root, free_name)
    if not _has_light(document):
        _light_evenly(document, root.at)
    options = free_name("options", "options")
    document.define(Options(options, root.at))
    document.render = Render(root.name, camera, options, root.at)


def _add_camera(
    document: Document, root: InstanceGroup, free_name: Callable[[str, str], str]
) -> str:
    low, high = _extent(document, root)
    centre, radius = (low + high) / 2, max(float(np.linalg.norm(high - low)) / 2, 1e-6)
    back = _TOWARDS / np.linalg.norm(_TOWARDS)
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    world = np.eye(4)
    world[:3, :3] = np.column_stack([right, np.cross(back, right), back])
    world[:3, 3] = centre + back * radius / math.sin(_ANGLE / 2)
    width, height = _RESOLUTION
    aspect = width / height
    name, instance = free_name("camera", "camera"), free_name("camera instance", "instance")
    document.define(
        Camera(name, root.at, 1.0, 2 * math.tan(_ANGLE / 2) * aspect, aspect, _RESOLUTION)
    )
    matrix = np.asarray(np.linalg.inv(world).T, np.float64)
    document.define(Instance(instance, root.at, name, matrix))
    document.entities[root.name] = replace(root, members=(*root.members, (instance, root.at)))
    return instance


def _extent(document: Document, root: InstanceGroup) -> tuple[NDArray[np.float64], ...]:
    """The least and greatest coordinates below a group; a unit cube if there is nothing."""
    flattener = Flattener(document)
    placed = flattener.flatten(root)
    found = []
    for index, element in enumerate(flattener.elements):
        if not isinstance(element, Object) or element.geometry is None:
            continue
        points = element.geometry.positions.astype(np.float64)
        box = np.stack([points.min(axis=0), points.max(axis=0)])
        corners = np.stack(np.meshgrid(*box.T), axis=-1).reshape(-1, 3)
        world = np.linalg.inv(placed.matrix[placed.element == index])
        found.append((corners @ world[:, :3, :3] + world[:, 3:, :3]).reshape(-1, 3))
    points = np.concatenate(found) if found else np.array([[-0.5] * 3, [0.5] * 3])
    return points.min(axis=0), points.max(axis=0)


def _has_light(document: Document) -> bool:
    return any(
        isinstance(entity, Light) or (isinstance(entity, Material) and _emits(entity))
        for entity in document.entities.values()
    )


def _emits(material: Material) -> bool:
    colors = [
        shader.arguments.get("additional_color")
        for shader in material.shaders
        if isinstance(shader, ShaderCall)
    ]
    return any(
        isinstance(color, Connection) or (isinstance(color, tuple) and any(color))
        for color in colors
    )


def _light_evenly(document: Document, at: Place) -> None:
    white = ShaderCall("one_color", {"color": (1.0, 1.0, 1.0)}, at)
    for entity in list(document.entities.values()):
        if isinstance(entity, Camera):
            document.entities[entity.name] = replace(entity, environment=(white,))
