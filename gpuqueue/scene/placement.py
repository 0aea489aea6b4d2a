"""Placed elements to the model's meshes, instances, materials and lights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry, Object
from gpuqueue.scene.entities import Light as LightEntity
from gpuqueue.scene.flatten import Element, Flattener, Placed
from gpuqueue.scene.lights import AreaLight, resolve_light
from gpuqueue.scene.materials import GREY, resolve_material
from gpuqueue.scene.model import Instances, Light, Material, Mesh, Motion, Visibility
from gpuqueue.scene.motion import World
from gpuqueue.scene.source import Place


@dataclass(frozen=True)
class _Given:
    """Materials that instances give to an object, and whether they override its own."""

    names: tuple[str, ...]
    at: Place | None
    is_final: bool


class Builder:
    """Meshes, materials and instances as they are found; equal ones are kept once."""

    def __init__(
        self, document: Document, flattener: Flattener, placed: Placed, world: World
    ) -> None:
        self.document = document
        self.flattener = flattener
        self.placed = placed
        self.world = world
        self.meshes: list[Mesh] = []
        self.materials: list[Material] = []
        self.lists: list[tuple[int, ...]] = []
        self._material_ids: dict[str | None, int] = {}
        self._list_ids: dict[tuple[int, ...], int] = {}
        self._parts: list[Instances] = []
        self._count = 0

    def add_objects(self) -> None:
        """Instances of every object that has triangles, object by object."""
        for element, rows in self._by_element():
            if isinstance(element, Object) and element.geometry is not None:
                self._add_object(element, element.geometry, rows)

    def _by_element(self) -> Iterator[tuple[Element, NDArray[np.int64]]]:
        """Each element and the rows of `Placed` where it stands."""
        order = self.placed.element.argsort(kind="stable")
        ordered = self.placed.element[order]
        starts = np.searchsorted(ordered, np.arange(len(self.flattener.elements) + 1))
        for element, first, last in zip(
            self.flattener.elements, starts[:-1], starts[1:], strict=True
        ):
            self.document.watch("Placing elements", int(last) / len(order))
            yield element, order[first:last]

    def _add_object(self, element: Object, g: Geometry, rows: NDArray[np.int64]) -> None:
        visibility = _visibility(element, self.placed.flags[rows])
        rows, visibility = rows[visibility != 0], visibility[visibility != 0]
        if not len(rows) or not len(g.triangles):
            return
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
        lists = [self._material_list(element, self._given(int(m), bool(f))) for m, f in unique]
        mesh = np.full(len(rows), len(self.meshes) - 1, np.int64)
        chosen = np.array(lists, np.int64)[places.reshape(-1)]
        moves = np.isin(rows, self.world.moving)
        keys = self.world.keys[np.searchsorted(self.world.moving, rows[moves])]
        motion = Motion(np.flatnonzero(moves) + self._count, keys)
        self._add(Instances(self.world.matrix[rows], mesh, chosen, visibility, motion))

    def _add(self, part: Instances) -> None:
        self._parts.append(part)
        self._count += len(part)

    def _given(self, index: int, is_final: bool) -> _Given:
        names, at = self.flattener.materials[index] if index >= 0 else ((), None)
        return _Given(names, at, is_final)

    def _material_list(self, element: Object, given: _Given) -> int:
        geometry = element.geometry
        slots = geometry.slots if geometry else ()
        chosen = tuple(self._slot(element, slot, given) for slot in slots)
        if geometry and geometry.uvs is None and any(self.materials[m].is_textured for m in chosen):
            self.document.warnings(
                f"object '{element.name}' has no texture coordinates: of a texture it shows the"
                " lower left corner",
                element.at,
            )
        return self._list_id(chosen)

    def _slot(self, element: Object, slot: str | int | None, given: _Given) -> int:
        """The material of a slot: its own name, else the instances', by the label if they are
        several."""
        names, at = given.names, given.at or element.at
        if isinstance(slot, str) and not (given.is_final and names):
            return self._material(slot, element.at)
        if not names:
            self.document.warnings(
                f"object '{element.name}' has no material; it is grey", element.at, "no material"
            )
            return self._material(None, at)
        label = slot if isinstance(slot, int) else 0
        if label >= len(names) > 1:
            self.document.warnings(
                f"label {label} of object '{element.name}' is beyond the instance's"
                f" {len(names)} materials; the last is used",
                at,
            )
        return self._material(names[min(label, len(names) - 1)], at)

    def _material(self, name: str | None, at: Place) -> int:
        """The index of a material; None is the grey of what has none."""
        if name not in self._material_ids:
            material = GREY if name is None else resolve_material(self.document, name, at)
            self._material_ids[name] = len(self.materials)
            self.materials.append(material)
        return self._material_ids[name]

    def _list_id(self, materials: tuple[int, ...]) -> int:
        if materials not in self._list_ids:
            self._list_ids[materials] = len(self.lists)
            self.lists.append(materials)
        return self._list_ids[materials]

    def add_lights(self, scale: float) -> tuple[Light, ...]:
        """Return lights without a surface; area lights become meshes and instances."""
        lights = []
        for element, rows in self._by_element():
            if not isinstance(element, LightEntity):
                continue
            for row in rows.tolist():
                light = resolve_light(self.document, element, self.world.matrix[row], scale)
                keys = self.world.keys_of(row)
                if isinstance(light, Light):
                    lights.append(light)
                    if keys is not None:
                        self.document.warnings(
                            f"light '{element.name}' has no surface: it stands where the shutter"
                            " opens",
                            element.at,
                        )
                elif isinstance(light, AreaLight):
                    self._add_area_light(light, keys)
        return tuple(lights)

    def _add_area_light(self, light: AreaLight, keys: NDArray[np.float64] | None) -> None:
        """Its mesh is in world space, as the shutter opens. A lamp is an obstacle: paths and shadow
        rays must agree."""
        self.meshes.append(light.mesh)
        self.materials.append(light.material)
        seen = Visibility.ALL if light.visible else Visibility.PATHS | Visibility.SHADOW
        motion = None
        if keys is not None:
            from_open = keys @ np.linalg.inv(keys[0])
            from_open[0] = np.eye(4)
            motion = Motion(np.array([self._count]), from_open[None])
        self._add(
            Instances(
                np.eye(4)[None],
                np.array([len(self.meshes) - 1]),
                np.array([self._list_id((len(self.materials) - 1,))]),
                np.array([seen], np.uint32),
                motion,
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
            self._motion(),
        )

    def _motion(self) -> Motion | None:
        motions = [p.motion for p in self._parts if p.motion is not None and len(p.motion.instance)]
        if not motions:
            return None
        return Motion(
            np.concatenate([m.instance for m in motions]), np.concatenate([m.keys for m in motions])
        )


def _visibility(element: Object, flags: NDArray[np.int8]) -> NDArray[np.uint32]:
    """An instance's flags go before the object's own."""
    own = (element.flags.visible, element.flags.trace, element.flags.shadow)
    merged = np.where(flags < 0, np.array([value is not False for value in own]), flags > 0)
    bits = np.array([Visibility.CAMERA, Visibility.PATHS, Visibility.SHADOW], np.uint32)
    visibility: NDArray[np.uint32] = (merged * bits).sum(axis=1).astype(np.uint32)
    return visibility
