"""A document to a scene: what `render` shows, with names looked up and the graph flattened."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gpuqueue.errors import SceneError
from gpuqueue.scene.camera import resolve_camera
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Camera as CameraEntity
from gpuqueue.scene.entities import Instance, InstanceGroup, Object, Options, Render, Texture
from gpuqueue.scene.entities import Light as LightEntity
from gpuqueue.scene.environment import resolve_environment
from gpuqueue.scene.flatten import Flattener, Placed
from gpuqueue.scene.lights import AreaLight, resolve_light
from gpuqueue.scene.materials import GREY, resolve_material
from gpuqueue.scene.model import (
    Instances,
    Light,
    Material,
    Matrix,
    Mesh,
    RenderOptions,
    Scene,
    Visibility,
)
from gpuqueue.scene.source import Place, SourceFile

#: World coordinates beyond this would overflow in 32-bit products.
MAX_WORLD = 1e15


def resolve(document: Document, name: str, sources: tuple[SourceFile, ...]) -> Scene:
    """Return the scene that the document's last `render` shows. Raises SceneError."""
    render = document.render or _guess_render(document, name)
    root = document.find(InstanceGroup, render.root, render.at, "instance group")
    flattener = Flattener(document)
    placed = flattener.flatten(root)
    options = _options(document, render)
    world = _world_matrices(placed, root.at)
    builder = _Builder(document, flattener, placed, world)
    builder.add_objects()
    lights = builder.add_lights(options.light_scale)
    camera = resolve_camera(
        document, render, _camera_matrix(document, render, flattener, placed, world)
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
            t.file or t.name for t in document.entities.values() if isinstance(t, Texture)
        ),
        sources=sources,
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


def _options(document: Document, render: Render) -> RenderOptions:
    if not render.options:
        return RenderOptions()
    options = document.find(Options, render.options, render.at, "options")
    said: Mapping[str, tuple[object, ...]] = {**options.keywords, **options.strings}

    def number(name: str) -> float | None:
        values = said.get(name, ())
        value = values[-1] if values else None
        return (
            float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        )

    depth = [int(v) for v in said.get("trace depth", ()) if isinstance(v, int)]
    scale = number("light relative scale")
    if scale is not None and not 0 <= scale <= 1e6:
        raise options.at.error(f'"light relative scale" is {scale:g}; expected 0 to 1e6')
    return RenderOptions(
        max_depth=(depth[2] if len(depth) == 3 else sum(depth)) if depth else None,
        samples=_samples(said, number("samples max")),
        gamma=number("gamma"),
        light_scale=1.0 if scale is None else scale,
        stated=said,
    )


def _samples(said: Mapping[str, tuple[object, ...]], maximum: float | None) -> int | None:
    """Samples a pixel: "samples max", else 4^max of ``samples min max``."""
    if maximum is not None:
        return int(min(max(maximum, 1.0), 1 << 20))
    exponents = [int(v) for v in said.get("samples", ()) if isinstance(v, int)]
    if not exponents:
        return None
    highest = exponents[min(1, len(exponents) - 1)]
    return 1 << 2 * min(max(highest, 0), 10)


def _world_matrices(placed: Placed, at: Place) -> NDArray[np.float64]:
    """World from element, for column vectors."""
    with np.errstate(all="ignore"):
        try:
            world = _inverse(placed.matrix).transpose(0, 2, 1)
        except np.linalg.LinAlgError:
            raise at.error("the transforms below this group cannot be inverted") from None
        usable = np.isfinite(world).all() and (abs(world) <= MAX_WORLD).all()
        if not usable or not (abs(placed.matrix) <= MAX_WORLD).all():
            raise at.error(f"the transforms below this group exceed {MAX_WORLD:g}")
    return world


def _camera_matrix(
    document: Document,
    render: Render,
    flattener: Flattener,
    placed: Placed,
    world: NDArray[np.float64],
) -> NDArray[np.float64]:
    for row, index in enumerate(placed.instance):
        if flattener.instances[index].name == render.camera:
            found: Matrix = world[row]
            return found
    instance = document.find(Instance, render.camera, render.at, "instance")
    document.warnings(
        f"camera instance '{render.camera}' is not below '{render.root}'; it is taken alone",
        render.at,
    )
    matrix: Matrix = np.eye(4) if instance.matrix is None else instance.matrix
    return _inverse(matrix).T


def _inverse(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.inv(matrix), np.float64)


class _Builder:
    """Meshes, materials and instances as they are found; equal ones are kept once."""

    def __init__(
        self, document: Document, flattener: Flattener, placed: Placed, world: NDArray[np.float64]
    ) -> None:
        self.document = document
        self.flattener = flattener
        self.placed = placed
        self.world = world
        self.meshes: list[Mesh] = []
        self.materials: list[Material] = []
        self.lists: list[tuple[int, ...]] = []
        self._material_ids: dict[str, int] = {}
        self._list_ids: dict[tuple[int, ...], int] = {}
        self._parts: list[Instances] = []

    def add_objects(self) -> None:
        """Instances of every object that has triangles, object by object."""
        for index, element in enumerate(self.flattener.elements):
            if isinstance(element, Object) and element.geometry is not None:
                rows = np.flatnonzero(self.placed.element == index)
                if len(rows) and len(element.geometry.triangles):
                    self._add_object(element, rows)

    def _add_object(self, element: Object, rows: NDArray[np.int64]) -> None:
        geometry = element.geometry
        if geometry is None:
            return
        g = geometry
        self.meshes.append(
            Mesh(
                element.name,
                g.positions,
                g.normals,
                g.uvs,
                g.triangles,
                g.triangle_slots,
                len(g.slots),
            )
        )
        keys = np.stack([self.placed.materials[rows], self.placed.is_final[rows]], axis=1)
        unique, places = np.unique(keys, axis=0, return_inverse=True)
        lists = [self._material_list(element, int(m), is_final=bool(f)) for m, f in unique]
        visibility = _visibility(element, self.placed.flags[rows])
        seen = visibility != 0
        self._add(rows[seen], np.array(lists, np.int64)[places.reshape(-1)][seen], visibility[seen])

    def _add(
        self, rows: NDArray[np.int64], lists: NDArray[np.int64], visibility: NDArray[np.uint32]
    ) -> None:
        mesh = np.full(len(rows), len(self.meshes) - 1, np.int64)
        self._parts.append(Instances(self.world[rows], mesh, lists, visibility))

    def _material_list(self, element: Object, given: int, *, is_final: bool) -> int:
        """The materials of an object's slots where an instance gives the list `given`."""
        names, at = self.flattener.materials[given] if given >= 0 else ((), element.at)
        slots = element.geometry.slots if element.geometry else ()
        return self._list_id(
            tuple(self._slot(element, slot, names, at, is_final) for slot in slots)
        )

    def _slot(
        self,
        element: Object,
        slot: str | int | None,
        names: tuple[str, ...],
        at: Place,
        is_final: bool,
    ) -> int:
        if isinstance(slot, str) and not (is_final and names):
            return self._material(slot, element.at)
        if not names:
            self.document.warnings(
                f"object '{element.name}' has no material; it is grey", element.at, "no material"
            )
            return self._add_material(GREY)
        label = slot if isinstance(slot, int) else 0
        if label >= len(names) > 1:
            self.document.warnings(
                f"label {label} of object '{element.name}' is beyond the instance's"
                f" {len(names)} materials; the last is used",
                at,
            )
        return self._material(names[min(label, len(names) - 1)], at)

    def _material(self, name: str, at: Place) -> int:
        if name not in self._material_ids:
            self._material_ids[name] = len(self.materials)
            self.materials.append(resolve_material(self.document, name, at))
        return self._material_ids[name]

    def _add_material(self, material: Material) -> int:
        if material not in self.materials:
            self.materials.append(material)
        return self.materials.index(material)

    def _list_id(self, materials: tuple[int, ...]) -> int:
        if materials not in self._list_ids:
            self._list_ids[materials] = len(self.lists)
            self.lists.append(materials)
        return self._list_ids[materials]

    def add_lights(self, scale: float) -> tuple[Light, ...]:
        """Return lights without a surface; area lights become meshes and instances."""
        lights = []
        for row, index in enumerate(self.placed.element):
            element = self.flattener.elements[index]
            if not isinstance(element, LightEntity):
                continue
            light = resolve_light(self.document, element, self.world[row], scale)
            if isinstance(light, Light):
                lights.append(light)
            elif isinstance(light, AreaLight):
                self._add_area_light(light)
        return tuple(lights)

    def _add_area_light(self, light: AreaLight) -> None:
        """Its mesh is in world space. A lamp is an obstacle: paths and shadow rays must agree."""
        self.meshes.append(light.mesh)
        self.materials.append(light.material)
        seen = Visibility.ALL if light.visible else Visibility.PATHS | Visibility.SHADOW
        self._parts.append(
            Instances(
                np.eye(4)[None],
                np.array([len(self.meshes) - 1]),
                np.array([self._list_id((len(self.materials) - 1,))]),
                np.array([seen], np.uint32),
            )
        )

    def instances(self) -> Instances:
        """Return all instances so far."""
        parts = [
            Instances(np.zeros((0, 4, 4)), *(np.zeros(0, np.int64),) * 2, np.zeros(0, np.uint32))
        ]
        parts += self._parts
        return Instances(
            np.concatenate([p.world_from_object for p in parts]),
            np.concatenate([p.mesh for p in parts]),
            np.concatenate([p.material_list for p in parts]),
            np.concatenate([p.visibility for p in parts]),
        )


def _visibility(element: Object, flags: NDArray[np.int8]) -> NDArray[np.uint32]:
    """An instance's flags go before the object's own."""
    own = (element.flags.visible, element.flags.trace, element.flags.shadow)
    merged = np.where(flags < 0, np.array([value is not False for value in own]), flags > 0)
    bits = np.array([Visibility.CAMERA, Visibility.PATHS, Visibility.SHADOW], np.uint32)
    visibility: NDArray[np.uint32] = (merged * bits).sum(axis=1).astype(np.uint32)
    return visibility
