"""A document to a scene: what `render` shows, with names looked up and the graph flattened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuqueue.errors import SceneError
from gpuqueue.scene.camera import resolve_camera
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Camera as CameraEntity
from gpuqueue.scene.entities import Instance, InstanceGroup, Options, Render, Texture
from gpuqueue.scene.environment import resolve_environment
from gpuqueue.scene.flatten import Flattener, Placed
from gpuqueue.scene.model import (
    Matrix,
    Scene,
)
from gpuqueue.scene.motion import MAX_KEYS, Shutter, World, keys_between
from gpuqueue.scene.placement import Builder
from gpuqueue.scene.render_options import resolve_options
from gpuqueue.scene.source import Place, SourceFile

#: World coordinates beyond this would overflow in 32-bit products.
MAX_WORLD = 1e15


def resolve(document: Document, name: str, sources: tuple[SourceFile, ...]) -> Scene:
    """Return the scene that the document's last `render` shows. Raises SceneError."""
    render = document.render or _guess_render(document, name)
    root = document.find(InstanceGroup, render.root, render.at, "instance group")
    options = resolve_options(document, render)
    flattener = Flattener(document, blurs=options.shutter != Shutter())
    placed = flattener.flatten(root)
    world = _world(document, placed, options.shutter, root.at)
    builder = Builder(document, flattener, placed, world)
    builder.add_objects()
    lights = builder.add_lights(options.light_scale)
    camera = resolve_camera(
        document, render, *_camera_matrices(document, render, flattener, placed, world)
    )
    return Scene(
        name=name,
        camera=camera,
        options=options,
        meshes=tuple(builder.meshes),
        instances=builder.instances(),
        materials=tuple(builder.materials),
        material_lists=tuple(builder.lists),
        lights=lights,
        environment=resolve_environment(document, render),
        textures=tuple(
            document.images.use(t) for t in document.entities.values() if isinstance(t, Texture)
        ),
        images=tuple(document.images.images),
        sources=(*sources, *document.images.files.values()),
        warnings=document.warnings.all(),
    )


def _guess_render(document: Document, name: str) -> Render:
    """Without ``render``: the last group that holds a camera's instance, and the last options."""
    entities = document.entities
    for group in reversed([e for e in entities.values() if isinstance(e, InstanceGroup)]):
        for member, at in group.members:
            instance = entities.get(member)
            if isinstance(instance, Instance) and isinstance(
                entities.get(instance.element or ""), CameraEntity
            ):
                options = [e.name for e in entities.values() if isinstance(e, Options)]
                return Render(group.name, member, options[-1] if options else "", at)
    raise SceneError(
        f"{name}: there is no 'render' statement and no instance group with a camera;"
        " expected: render root-group camera-instance options"
    )


def _world(document: Document, placed: Placed, shutter: Shutter, at: Place) -> World:
    """World from element while the shutter is open."""
    first = _world_matrices(placed.matrix, at)
    if placed.moved is None:
        if not shutter.blurs and any(
            isinstance(e, Instance) and e.motion is not None for e in document.entities.values()
        ):
            document.warnings("without a shutter in the options nothing moves", at)
        return World(first)
    moving = np.flatnonzero((placed.moved != placed.matrix).any(axis=(1, 2)))
    if len(moving) * (shutter.steps + 1) > MAX_KEYS:
        raise at.error(f"{len(moving)} instances move; at most {MAX_KEYS} matrices are kept")
    second = _world_matrices(placed.moved[moving], at)
    keys = keys_between(first[moving], second, shutter)
    _check_invertible(keys, at)
    opened = first.copy()
    opened[moving] = keys[:, 0]
    return World(opened, moving, keys) if shutter.blurs else World(opened)


def _world_matrices(matrix: Matrix, at: Place) -> NDArray[np.float64]:
    """The inverse, for column vectors."""
    with np.errstate(all="ignore"):
        try:
            world = _inverse(matrix).transpose(0, 2, 1)
        except np.linalg.LinAlgError:
            raise at.error("the transforms below this group cannot be inverted") from None
        usable = np.isfinite(world).all() and (abs(world) <= MAX_WORLD).all()
        if not usable or not (abs(matrix) <= MAX_WORLD).all():
            raise at.error(f"the transforms below this group exceed {MAX_WORLD:g}")
    return world


def _check_invertible(keys: Matrix, at: Place) -> None:
    """Refuse motion that flattens something just where the shutter opens or closes."""
    linear = keys[..., :3, :3]
    size = abs(linear).max(axis=(-1, -2))
    flat = abs(np.linalg.det(linear)) <= 1e-9 * size**3
    if flat.any():
        raise at.error("a motion transform below this group flattens what it moves")


def _camera_matrices(
    document: Document, render: Render, flattener: Flattener, placed: Placed, world: World
) -> tuple[Matrix, Matrix | None]:
    """World from camera where the shutter opens and, if the camera moves, where it closes."""
    named = [i for i, leaf in enumerate(flattener.instances) if leaf.name == render.camera]
    rows = np.flatnonzero(np.isin(placed.instance, named))
    if len(rows):
        row = int(rows[0])
        found: Matrix = world.matrix[row]
        keys = world.keys_of(row)
        return found, None if keys is None else keys[-1]
    instance = document.find(Instance, render.camera, render.at, "instance")
    document.warnings(
        f"camera instance '{render.camera}' is not below '{render.root}'; it is taken alone",
        render.at,
    )
    matrix: Matrix = np.eye(4) if instance.matrix is None else instance.matrix
    return _inverse(matrix).T, None


def _inverse(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.inv(matrix), np.float64)
