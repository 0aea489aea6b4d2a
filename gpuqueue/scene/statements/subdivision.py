"""``subdivision surface`` and ``ccmesh``: a mesh that controls a smooth surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.freeform.approximation import Approximation
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.approximation import ApproximationStatement
from gpuqueue.scene.statements.mesh import SlotTable, check_indices
from gpuqueue.scene.subdivision.polygons import SHARP, Polygons
from gpuqueue.scene.subdivision.surface import DEFAULT, refine
from gpuqueue.scene.tokens import Tokens

#: What `ApproximationStatement.what` says of such surfaces.
APPROXIMATED = ("subdivision surface", "ccmesh")
#: Sharpness in steps of a crease just below 1, which is sharp for ever.
STEPS_OF_CREASE = 5.0
MAX_POLYGON = 1 << 12
MAX_BITS = 30


@dataclass
class _Control:
    """A mesh as it is read: vertices of the group, polygon by polygon."""

    name: str
    at: Place
    table: SlotTable = field(default_factory=SlotTable)
    polygons: list[NDArray[np.int32]] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    creases: list[tuple[int, int]] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)


class Subdivisions:
    """The subdivision surfaces of a group of `vertex_count` vertices."""

    def __init__(self, vertex_count: int, *, tagged: bool) -> None:
        self._vertex_count = vertex_count
        self._tagged = tagged
        self._controls: list[_Control] = []
        self._approximations: dict[str, Approximation] = {}

    def parse(self, tokens: Tokens, document: Document) -> None:
        """Read one. Raises SceneError."""
        if tokens.accept_word("ccmesh"):
            self._parse_ccmesh(tokens)
        else:
            self._parse_surface(tokens, document)

    def approximate(self, statement: ApproximationStatement, document: Document) -> None:
        """Note how finely surfaces are refined."""
        known = {control.name for control in self._controls}
        for name, at in statement.names:
            if name not in known:
                raise at.error(f"'{name}' is no subdivision surface or ccmesh before this")
            self._approximations[name] = statement.usable(DEFAULT, document.warnings, at)

    def _parse_ccmesh(self, tokens: Tokens) -> None:
        """ccmesh = "ccmesh" name "polygon" INT "vertex" INT { polygon ["crease" f*] }
        { derivative } "end" "ccmesh"."""
        control = self._begin(tokens)
        tokens.expect_word("polygon")
        count = tokens.integer("the number of polygons", 0)
        tokens.expect_word("vertex")
        tokens.integer("the number of vertices", 0)
        while tokens.at_word("p"):
            corners = self._parse_polygon(tokens, control)
            if tokens.accept_word("crease"):
                _note_creases(control, corners, range(len(corners)), _numbers(tokens))
        if len(control.polygons) != count:
            raise tokens.fail(f"expected {count} polygons, found {len(control.polygons)}")
        self._end(tokens, "ccmesh")

    def _parse_surface(self, tokens: Tokens, document: Document) -> None:
        """surface = "subdivision" "surface" name ["polygon" INT*] ["texture" "space" list]
        { polygon { "{" hierarchy "}" | "crease" mask f* | "trim" mask } } { derivative }
        "end" "subdivision" "surface"."""
        tokens.expect_word("subdivision")
        tokens.expect_word("surface")
        control = self._begin(tokens)
        if tokens.accept_word("polygon"):
            _numbers(tokens)
        if tokens.accept_word("texture"):
            tokens.expect_word("space")
            tokens.skip_balanced("[", "]")
        while tokens.at_word("p"):
            corners = self._parse_polygon(tokens, control)
            self._parse_details(tokens, document, control, corners)
        self._end(tokens, "subdivision", "surface")

    def _begin(self, tokens: Tokens) -> _Control:
        at = tokens.peek().place
        self._controls.append(_Control(tokens.name("the name of the surface"), at))
        return self._controls[-1]

    def _end(self, tokens: Tokens, *words: str) -> None:
        while tokens.accept_word("derivative", "space"):
            tokens.integer()
        tokens.expect_end(*words)

    def _parse_polygon(self, tokens: Tokens, control: _Control) -> NDArray[np.int32]:
        """polygon = "p" [material | label] INT+."""
        tokens.expect_word("p")
        if self._tagged:
            control.table.current = tokens.integer("the label of a tagged polygon", 0)
        elif tokens.at_string():
            control.table.current = tokens.string() or None
        at = tokens.peek().place
        corners = tokens.integer_run("the vertices of a polygon")
        check_indices(corners, self._vertex_count, "vertex", at)
        if not 3 <= len(corners) <= MAX_POLYGON or len(np.unique(corners)) != len(corners):
            raise at.error(f"expected 3 to {MAX_POLYGON} vertices, each once")
        control.polygons.append(corners)
        control.slots.append(control.table.number())
        return corners

    def _parse_details(
        self, tokens: Tokens, document: Document, control: _Control, corners: NDArray[np.int32]
    ) -> None:
        while True:
            at = tokens.peek().place
            if tokens.at_mark("{"):
                tokens.skip_balanced("{", "}")
                document.warnings("details of subdivision surfaces are not rendered", at)
            elif tokens.accept_word("crease"):
                mask = tokens.integer("a mask of edges", 0)
                _note_creases(control, corners, _bits(mask, len(corners)), _numbers(tokens))
            elif tokens.accept_word("trim"):
                tokens.integer("a mask of edges", 0)
                document.warnings("trims of subdivision surfaces are not rendered", at)
            else:
                return

    def geometries(
        self,
        positions: NDArray[np.float32],
        vertices: NDArray[np.int32],
        uvs: NDArray[np.float32] | None,
        sharp: NDArray[np.int64],
        document: Document,
    ) -> Iterator[Geometry]:
        """Yield the triangles of every surface.

        `vertices` ``[V]`` numbers points: those of one number are one point of the surface, and
        may differ in `uvs` ``[V, 2]``. `sharp` vertices do not move.
        """
        points, where, names = np.unique(vertices, return_index=True, return_inverse=True)
        corner_sharpness = np.zeros(len(points))
        corner_sharpness[names[sharp]] = SHARP
        for control in self._controls:
            if not control.polygons:
                continue
            corners = np.concatenate(control.polygons)
            creases = np.array(control.creases, np.int64).reshape(-1, 2)
            mesh = Polygons(
                positions[where].astype(np.float64),
                names[corners],
                np.array([len(p) for p in control.polygons]),
                None if uvs is None else uvs[corners].astype(np.float64),
                names[creases],
                np.array(control.sharpness, np.float64),
                corner_sharpness,
                np.arange(len(control.polygons)),
            )
            yield self._geometry(control, mesh, document)

    def _geometry(self, control: _Control, mesh: Polygons, document: Document) -> Geometry:
        found = refine(mesh, self._approximations.get(control.name, DEFAULT))
        document.count_surface_points(len(found.points), control.at)
        return Geometry(
            found.points.astype(np.float32),
            found.normals.astype(np.float32),
            None if found.uvs is None else found.uvs.astype(np.float32),
            found.triangles.astype(np.int32),
            np.array(control.slots, np.int32)[found.origin],
            control.table.materials,
        )


def _numbers(tokens: Tokens) -> list[float]:
    found = []
    while tokens.at_number():
        found.append(tokens.number())
    return found


def _bits(mask: int, count: int) -> list[int]:
    return [bit for bit in range(min(count, MAX_BITS)) if mask >> bit & 1]


def _note_creases(
    control: _Control, corners: NDArray[np.int32], edges: range | list[int], values: list[float]
) -> None:
    """Note the edges from these corners on: a value of 1 is sharp, as is one that is not given."""
    for place, edge in enumerate(edges):
        value = values[place] if place < len(values) else 1.0
        if value > 0:
            following = corners[(edge + 1) % len(corners)]
            control.creases.append((int(corners[edge]), int(following)))
            control.sharpness.append(SHARP if value >= 1 else value * STEPS_OF_CREASE)
