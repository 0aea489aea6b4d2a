"""A camera entity and its place in the world to the pinhole camera of the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.arguments import Arguments, find_shader
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Camera as CameraEntity
from gpuqueue.scene.entities import Instance, Render, ShaderCall, ShaderList, ShaderName
from gpuqueue.scene.model import Camera

#: How far an orthographic camera is moved back, in widths of its picture, to be a pinhole.
TELEPHOTO = 50.0


def camera_entity(document: Document, render: Render) -> CameraEntity:
    """Return the camera that `render` names. Raises SceneError."""
    instance = document.find(Instance, render.camera, render.at, "camera instance")
    return document.find(CameraEntity, instance.element or "", instance.at, "camera")


def resolve_camera(
    document: Document,
    render: Render,
    world_from_camera: NDArray[np.float64],
    at_end: NDArray[np.float64] | None = None,
) -> Camera:
    """Return the model's camera; the matrices, where the shutter opens and closes, are ``[4, 4]``
    for column vectors."""
    entity = camera_entity(document, render)
    focal, aperture = entity.focal, entity.aperture
    if focal is None:
        document.warnings("orthographic cameras are rendered as a distant telephoto", entity.at)
        focal = TELEPHOTO * aperture
        back = _moved_back(focal)
        world_from_camera = world_from_camera @ back
        at_end = None if at_end is None else at_end @ back
    width = aperture / focal
    return Camera(
        name=render.camera,
        world_from_camera=world_from_camera,
        plane=(width, width / entity.aspect),
        raster=entity.resolution,
        window=_window(entity),
        offset=entity.offset,
        exposure=_exposure(document, entity.lens),
        world_from_camera_at_end=at_end,
    )


def _moved_back(distance: float) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[2, 3] = distance
    return matrix


def _window(entity: CameraEntity) -> tuple[int, int, int, int]:
    """x, y, width, height from the upper left; the entity counts from the lower left, inclusive."""
    width, height = entity.resolution
    if entity.window is None:
        return 0, 0, width, height
    x0, y0, x1, y1 = entity.window
    x0, x1 = max(x0, 0), min(x1, width - 1)
    y0, y1 = max(y0, 0), min(y1, height - 1)
    if x0 > x1 or y0 > y1:
        raise entity.at.error(f"the window of camera '{entity.name}' holds no pixel")
    return x0, height - 1 - y1, x1 - x0 + 1, y1 - y0 + 1


def _exposure(document: Document, lens: ShaderList) -> float:
    """The gain of an exposure shader, and a warning for every lens shader."""
    gain = 1.0
    for shader in lens:
        call = find_shader(document, shader.name) if isinstance(shader, ShaderName) else shader
        if isinstance(call, ShaderCall) and call.type == "mia_exposure_simple":
            gain *= min(max(Arguments(call, document).scalar("gain", 1.0), 1e-6), 1e6)
            document.warnings("of 'mia_exposure_simple' only the gain is used", call.at)
        else:
            name = call.type if isinstance(call, ShaderCall) else "unknown"
            document.warnings(f"lens shader '{name}' is not applied", shader.at)
    return gain
