"""The free-form geometry of one group, from its statements to triangles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.freeform.approximation import DEFAULT, Approximation
from gpuqueue.scene.freeform.bases import Basis
from gpuqueue.scene.freeform.tessellate import Patch, Triangles, tessellate
from gpuqueue.scene.freeform.trim import CrossingOutlines, Outline, outline
from gpuqueue.scene.statements.approximation import ApproximationStatement
from gpuqueue.scene.statements.free_form import parse_curve, parse_surface
from gpuqueue.scene.statements.free_form_shapes import CurveStatement, SurfaceStatement
from gpuqueue.scene.statements.mesh import check_coordinates
from gpuqueue.scene.tokens import Kind, Tokens

#: The words with which these statements begin.
FREE_FORM = ("surface", "curve", "space", "connect")


@dataclass
class FreeForm:
    """Bases that the object defines, and what has been read of a group."""

    bases: Mapping[str, Basis]
    tagged: bool
    curves: dict[str, CurveStatement] = field(default_factory=dict)
    surfaces: list[SurfaceStatement] = field(default_factory=list)
    approximations: dict[str, Approximation] = field(default_factory=dict)

    def parse(self, tokens: Tokens, document: Document, vertex_count: int) -> None:
        """Read a statement that begins with one of `FREE_FORM`."""
        if tokens.at_word("surface"):
            surface = parse_surface(
                tokens, self.bases, self.curves, vertex_count, tagged=self.tagged
            )
            self.surfaces.append(surface)
        elif tokens.at_word("curve"):
            curve = parse_curve(tokens, self.bases, vertex_count)
            self.curves[curve.name] = curve
        elif tokens.at_word("connect"):
            document.warnings("surfaces are not connected; there may be gaps", tokens.peek().place)
            _skip_parts(tokens)
        else:  # a space curve draws nothing of its own
            _skip_parts(tokens)

    def geometries(self, positions: NDArray[np.float32], document: Document) -> list[Geometry]:
        """Return the triangles of every surface; control points are vertices at `positions`."""
        return [self._geometry(surface, positions, document) for surface in self.surfaces]

    def approximate(self, statement: ApproximationStatement, document: Document) -> None:
        """Note how finely surfaces are cut."""
        if statement.what != "surface":
            return
        known = {surface.name for surface in self.surfaces}
        for name, at in statement.names:
            if name not in known:
                raise at.error(f"surface '{name}' is not defined before this in the group")
            self.approximations[name] = statement.usable(DEFAULT, document.warnings, at)

    def _geometry(
        self, statement: SurfaceStatement, positions: NDArray[np.float32], document: Document
    ) -> Geometry:
        shape = statement.shape.surface(positions)
        texture = statement.texture.surface(positions) if statement.texture else None
        patch = Patch(shape, statement.ranges, texture, _outlines(statement, positions))
        cut = self._cut(statement, patch, document)
        document.count_surface_points(len(cut.points), statement.at)
        return Geometry(
            check_coordinates(cut.points, statement.at),
            cut.normals.astype(np.float32),
            check_coordinates(cut.uvs, statement.at),
            cut.corners.astype(np.int32),
            np.zeros(len(cut.corners), np.int32),
            (statement.material,),
        )

    def _cut(self, statement: SurfaceStatement, patch: Patch, document: Document) -> Triangles:
        how = self.approximations.get(statement.name, DEFAULT)
        try:
            try:
                return tessellate(patch, how)
            except CrossingOutlines as error:
                document.warnings(f"{error}; the surface is not trimmed", statement.at)
                return tessellate(replace(patch, outlines=()), how)
        except ValueError as error:
            raise statement.at.error(str(error)) from None


def _outlines(statement: SurfaceStatement, positions: NDArray[np.float32]) -> tuple[Outline, ...]:
    """The closed lines of trims and holes; control points of curves have u and v as x and y."""
    outlines = []
    for is_hole, pieces in statement.trims:
        parts = [(piece.curve.shape(positions), *piece.bounds) for piece in pieces]
        try:
            outlines.append(outline(parts, is_hole=is_hole))
        except ValueError as error:
            raise pieces[0].at.error(str(error)) from None
    return tuple(outlines)


def _skip_parts(tokens: Tokens) -> None:
    """["space"] ("curve" | "connect") { name | number }."""
    tokens.accept_word("space")
    tokens.expect_word("curve", "connect")
    while tokens.peek().kind in (Kind.STRING, Kind.INTEGER, Kind.FLOAT):
        tokens.take()
