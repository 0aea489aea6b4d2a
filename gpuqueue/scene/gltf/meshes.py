"""Meshes: the triangles of their primitives, with a material each (glTF 2.0, section 3.7.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Flags, Geometry, Object
from gpuqueue.scene.gltf.accessors import floats, indices
from gpuqueue.scene.gltf.asset import Asset
from gpuqueue.scene.gltf.item import Item
from gpuqueue.scene.statements.mesh import check_coordinates, merge_geometry

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_SHOWN = Flags(visible=True, trace=True, shadow=True)
#: Vertices of all meshes together: accessors may be used again and again.
MAX_VERTICES = 1 << 27


class Meshes:
    """Objects of the document, one for each mesh that has triangles."""

    def __init__(self, asset: Asset, document: Document, materials: Sequence[str]) -> None:
        self._asset = asset
        self._document = document
        self._materials = materials
        self._vertices = 0

    def define(self, mesh: Item, name: str) -> bool:
        """Keep a mesh as an object; False if nothing of it can be rendered."""
        found = [self._primitive(p) for p in mesh.children("primitives")]
        pieces = [piece for piece in found if piece is not None]
        if pieces:
            self._document.define(Object(name, mesh.at, _SHOWN, False, merge_geometry(pieces)))
        return bool(pieces)

    def _primitive(self, primitive: Item) -> Geometry | None:
        mode = primitive.integer("mode", _TRIANGLES, high=6)
        attributes = primitive.child("attributes")
        if mode < _TRIANGLES or not attributes.has("POSITION"):
            self._document.warnings("points and lines are not rendered", primitive.at)
            return None
        self._warn_of_what_is_left_out(primitive, attributes)
        positions = self._attribute(attributes, "POSITION", 3)
        self._count(primitive, len(positions))
        triangles = _triangles(self._corners(primitive, len(positions)), mode)
        return Geometry(
            positions,
            self._optional(attributes, "NORMAL", 3, len(positions)),
            _upright(self._optional(attributes, "TEXCOORD_0", 2, len(positions))),
            triangles.astype(np.int32),
            np.zeros(len(triangles), np.int32),
            (self._material(primitive),),
        )

    def _warn_of_what_is_left_out(self, primitive: Item, attributes: Item) -> None:
        for name, what in (("COLOR_0", "colours of vertices"), ("JOINTS_0", "skins")):
            if attributes.has(name):
                self._document.warnings(f"{what} are not rendered", primitive.at, what)
        if primitive.has("targets"):
            self._document.warnings("morph targets are not rendered", primitive.at, "targets")

    def _count(self, primitive: Item, vertices: int) -> None:
        self._vertices += vertices
        if self._vertices > MAX_VERTICES:
            raise primitive.at.error(f"the meshes have more than {MAX_VERTICES} vertices in all")

    def _attribute(self, attributes: Item, name: str, width: int) -> NDArray[np.float32]:
        accessor = self._asset.entry(attributes, name, "accessors")
        if accessor is None:
            raise attributes.error(name, "an accessor")
        return check_coordinates(floats(self._asset, accessor, width), accessor.at)

    def _optional(
        self, attributes: Item, name: str, width: int, count: int
    ) -> NDArray[np.float32] | None:
        if not attributes.has(name):
            return None
        values = self._attribute(attributes, name, width)
        if len(values) != count:
            raise attributes.error(name, f"an accessor of {count} elements, as many as POSITION's")
        return values

    def _corners(self, primitive: Item, count: int) -> NDArray[np.int64]:
        accessor = self._asset.entry(primitive, "indices", "accessors")
        return np.arange(count) if accessor is None else indices(self._asset, accessor, count)

    def _material(self, primitive: Item) -> str:
        """The last name is that of the default material."""
        index = primitive.index("material", len(self._materials) - 1, "material")
        return self._materials[-1 if index is None else index]


def _upright(uvs: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """In glTF v points down from the upper left corner of an image, here up from the lower."""
    return None if uvs is None else np.column_stack([uvs[:, 0], 1 - uvs[:, 1]])


def _triangles(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """Corners ``[T, 3]`` of a list, strip or fan; what is left over makes no triangle."""
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    first, second, third = corners[:-2], corners[1:-1], corners[2:]
    if mode == _FAN:
        return np.column_stack([np.broadcast_to(corners[:1], second.shape), second, third])
    rows = np.column_stack([first, second, third])
    rows[1::2] = rows[1::2, [1, 0, 2]]
    return rows
