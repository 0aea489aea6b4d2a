"""The graph of instance groups to a flat list of placed elements.

A group that is used more than once is flattened once and its arrays are repeated, so that the
cost is that of the result. The result's size is known before anything is allocated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Camera, Instance, InstanceGroup, Light, Object, Opaque
from gpuqueue.scene.source import Place

MAX_PLACED = 1 << 21
#: Elements of all groups together, which bounds memory where groups are nested deeply.
MAX_WORK = 4 * MAX_PLACED

Element = Camera | Light | Object


@dataclass(frozen=True, eq=False)
class Placed:
    """N elements below one node. `matrix` ``[N, 4, 4]`` maps row vectors of the node's space to
    the element's; the other columns ``[N]`` index the tables of `Flattener`; -1 is none."""

    matrix: NDArray[np.float64]
    #: The same at time 1; None where nothing moves.
    moved: NDArray[np.float64] | None
    #: Whether what moves the node leaves the element where it is.
    stays: NDArray[np.bool_]
    element: NDArray[np.int64]
    instance: NDArray[np.int64]
    materials: NDArray[np.int64]
    #: Whether `materials` replaces even those that the object's polygons name.
    is_final: NDArray[np.bool_]
    #: visible, trace, shadow: 1 on, 0 off, -1 nothing said. [N, 3]
    flags: NDArray[np.int8]


def _concatenate(parts: list[Placed]) -> Placed:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        none = np.zeros(0, np.int64)
        false = none.astype(bool)
        return Placed(
            np.zeros((0, 4, 4)), None, false, none, none, none, false, np.zeros((0, 3), np.int8)
        )
    moves = any(p.moved is not None for p in parts)
    return Placed(
        np.concatenate([p.matrix for p in parts]),
        np.concatenate([p.matrix if p.moved is None else p.moved for p in parts])
        if moves
        else None,
        np.concatenate([p.stays for p in parts]),
        np.concatenate([p.element for p in parts]),
        np.concatenate([p.instance for p in parts]),
        np.concatenate([p.materials for p in parts]),
        np.concatenate([p.is_final for p in parts]),
        np.concatenate([p.flags for p in parts]),
    )


class Flattener:
    """Tables of the elements, instances and material lists that placed elements refer to.

    Unless it `blurs`, motion is left out.
    """

    def __init__(self, document: Document, *, blurs: bool = False) -> None:
        self.document = document
        self.blurs = blurs
        self.elements: list[Element] = []
        self.instances: list[Instance] = []
        self.materials: list[tuple[tuple[str, ...], Place]] = []
        self._element_ids: dict[str, int] = {}
        self._material_ids: dict[tuple[str, ...], int] = {}
        self._groups: dict[str, Placed] = {}
        self._counts: dict[str, int] = {}
        self._work = 0

    def flatten(self, root: InstanceGroup) -> Placed:
        """Return everything below a group. Raises SceneError for a cycle, an unknown name, or
        more than `MAX_PLACED` elements."""
        order = self._order(root)
        for group in order:
            self._count(group)
        for done, group in enumerate(order):
            self.document.watch("Placing groups", done / len(order))
            self._groups[group.name] = _concatenate(
                [self._place(instance) for instance in self._members(group)]
            )
        return self._groups[root.name]

    def _members(self, group: InstanceGroup) -> list[Instance]:
        members = (self.document.find(Instance, name, at, "instance") for name, at in group.members)
        return [member for member in members if not member.hide and member.element is not None]

    def _order(self, root: InstanceGroup) -> list[InstanceGroup]:
        """Groups below `root`, each after the groups that it contains; no recursion."""
        done: dict[str, InstanceGroup] = {}
        path: dict[str, InstanceGroup] = {}
        stack = [(root, iter(self._members(root)))]
        path[root.name] = root
        while stack:
            group, members = stack[-1]
            child = next((m for m in members if self._group(m) is not None), None)
            if child is None:
                done[group.name] = path.pop(group.name)
                stack.pop()
                continue
            inner = self._group(child)
            if inner is None or inner.name in done:
                continue
            if inner.name in path:
                names = [*list(path)[list(path).index(inner.name) :], inner.name]
                shown = names if len(names) < 10 else [*names[:8], "...", names[-1]]
                raise child.at.error(f"instance groups contain each other: {' -> '.join(shown)}")
            path[inner.name] = inner
            stack.append((inner, iter(self._members(inner))))
        return list(done.values())

    def _group(self, instance: Instance) -> InstanceGroup | None:
        element = self.document.entities.get(instance.element or "")
        return element if isinstance(element, InstanceGroup) else None

    def _count(self, group: InstanceGroup) -> None:
        total = sum(
            self._counts.get(instance.element or "", 1) for instance in self._members(group)
        )
        if total > MAX_PLACED:
            raise group.at.error(
                f"'{group.name}' holds {total} instances; at most {MAX_PLACED} are possible"
            )
        self._counts[group.name] = total
        self._work += total
        if self._work > MAX_WORK:
            raise group.at.error(f"the instance groups hold more than {MAX_WORK} instances in all")

    def _place(self, instance: Instance) -> Placed:
        below = self._groups.get(instance.element or "")
        below = self._leaf(instance) if below is None else below
        matrix = below.matrix if instance.matrix is None else instance.matrix @ below.matrix
        moved, stays = self._moved(instance, below), below.stays | instance.stays
        materials, is_final = below.materials, below.is_final
        if instance.materials:
            mine = self._material_id(instance)
            # The nearest material wins, unless an upper one overrides it.
            materials = np.where((materials < 0) | instance.override, mine, materials)
            is_final = is_final | instance.override
        said = np.array([-1 if f is None else f for f in _flags(instance)], np.int8)
        flags = np.where(below.flags < 0, said, below.flags)
        return Placed(
            matrix, moved, stays, below.element, below.instance, materials, is_final, flags
        )

    def _moved(self, instance: Instance, below: Placed) -> NDArray[np.float64] | None:
        """The matrices at time 1."""
        if not self.blurs or (instance.motion is None and below.moved is None):
            return None
        still = np.eye(4) if instance.matrix is None else instance.matrix
        own = still if instance.motion is None else instance.motion
        mine = np.where(below.stays[:, None, None], still, own)
        return mine @ (below.matrix if below.moved is None else below.moved)

    def _leaf(self, instance: Instance) -> Placed:
        element = self._element_id(instance)
        self.instances.append(instance)
        if element < 0:
            return _concatenate([])
        return Placed(
            np.eye(4)[None],
            None,
            np.array([False]),
            np.array([element]),
            np.array([len(self.instances) - 1]),
            np.array([-1]),
            np.array([False]),
            np.full((1, 3), -1, np.int8),
        )

    def _element_id(self, instance: Instance) -> int:
        name = instance.element or ""
        if name not in self._element_ids:
            entity = self.document.entities.get(name)
            if isinstance(entity, Opaque):
                return -1
            if not isinstance(entity, Camera | Light | Object):
                self.document.find(Object, name, instance.at, "object, light, camera or instgroup")
                raise AssertionError("find raises: the entity is no object")
            self._element_ids[name] = len(self.elements)
            self.elements.append(entity)
        return self._element_ids[name]

    def _material_id(self, instance: Instance) -> int:
        names = instance.materials or ()
        if names not in self._material_ids:
            self._material_ids[names] = len(self.materials)
            self.materials.append((names, instance.at))
        return self._material_ids[names]


def _flags(instance: Instance) -> tuple[bool | None, bool | None, bool | None]:
    return instance.flags.visible, instance.flags.trace, instance.flags.shadow
