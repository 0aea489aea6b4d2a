"""``group``: vectors, vertices that refer to them, and polygons of any size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.freeform.bases import Basis
from gpuqueue.scene.statements.approximation import parse_approximation
from gpuqueue.scene.statements.free_form_group import FREE_FORM, FreeForm
from gpuqueue.scene.statements.mesh import check_coordinates
from gpuqueue.scene.statements.polygons import PolygonReader
from gpuqueue.scene.statements.subdivision import APPROXIMATED, Subdivisions
from gpuqueue.scene.tokens import Kind, Tokens, joined

#: What a vertex of a subdivision surface may be; the sharp ones stay where they are.
_SHARP = ("corner", "cusp")
_CORNERS = (*_SHARP, "conic", "dart")


def parse_group(
    tokens: Tokens, document: Document, bases: Mapping[str, Basis], *, tagged: bool
) -> list[Geometry]:
    """group = "group" [name] ["merge" f] { vector } { vertex } { geometry } "end" "group"."""
    if tokens.at_string():
        tokens.string()
    if tokens.accept_word("merge"):
        tokens.number()
    at = tokens.peek().place
    vectors = check_coordinates(_parse_vectors(tokens), at)
    vertices, sharp = _parse_vertices(tokens, len(vectors))
    polygons = PolygonReader(len(vertices), tagged=tagged)
    free_form = FreeForm(bases, tagged=tagged)
    subdivisions = Subdivisions(len(vertices), tagged=tagged)
    while not tokens.at_word("end"):
        polygons.parse(tokens)
        if not tokens.at_word("end"):
            _parse_geometry(tokens, document, free_form, subdivisions, len(vertices))
    tokens.expect_end("group")
    positions = vectors[vertices[:, 0]]
    normals, uvs = (_gather(vectors, vertices[:, column]) for column in (1, 2))
    uvs = None if uvs is None else np.ascontiguousarray(uvs[:, :2])
    pieces = free_form.geometries(positions, document)
    pieces += subdivisions.geometries(positions, vertices[:, 0], uvs, sharp, document)
    if polygons.is_empty:
        return pieces
    triangles, slots = polygons.triangles(positions, document)
    return [Geometry(positions, normals, uvs, triangles, slots, polygons.table.materials), *pieces]


def _parse_vectors(tokens: Tokens) -> NDArray[np.float32]:
    """vectors = { x y z | BINARY }; an array [N, 3]."""
    runs = []
    while tokens.at_number() or tokens.peek().kind is Kind.BINARY:
        if tokens.at_number():
            run = tokens.number_run()
            if len(run) % 3:
                raise tokens.fail(f"{len(run)} numbers do not make whole vectors of three")
            runs.append(run.reshape(-1, 3))
        else:
            runs += [tokens.binary_vectors(), *_parse_binary_vector(tokens)]
    return joined(runs or [np.zeros((0, 3), np.float32)])


def _parse_binary_vector(tokens: Tokens) -> list[NDArray[np.float32]]:
    """One that compiled code left, if there is one: it raises."""
    return [tokens.binary_floats(3)[None]] if tokens.peek().kind is Kind.BINARY else []


def _parse_vertices(
    tokens: Tokens, vector_count: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return position, normal and texture of every vertex ``[N, 3]``, -1 for none; and which are
    sharp in subdivision surfaces."""
    runs: list[NDArray[np.int32]] = []
    sharp: list[int] = []
    count = 0
    while tokens.at_word("v"):
        runs.append(tokens.vertex_rows(vector_count))
        count += len(runs[-1])
        if tokens.at_word("v"):
            row, is_sharp = _parse_vertex(tokens, vector_count - 1)
            sharp += [count] * is_sharp
            runs.append(row)
            count += 1
    return joined(runs or [np.zeros((0, 3), np.int32)]), np.array(sharp, np.int64)


def _parse_vertex(tokens: Tokens, last: int) -> tuple[NDArray[np.int32], bool]:
    """vertex = "v" i ["n" i] ["d" i i [i [i i]]] { "t" i [i i] } { "m" i } { "u" i } [corner]."""
    tokens.expect_word("v")
    what = "the index of a vector"
    position = tokens.integer(what, 0, last)
    normal = uv = -1
    is_sharp = False
    while word := tokens.accept_word("n", "t", "d", "m", "u", "level", *_CORNERS):
        if word in _CORNERS:
            is_sharp |= word in _SHARP
            continue
        if word == "level":
            tokens.integer("a level", 0)
            continue
        index = tokens.integer(what, 0, last)
        if word == "n":
            normal = index
        elif word == "t" and uv < 0:
            uv = index
        while tokens.at_integer() and word in ("t", "d"):
            tokens.integer(what, 0, last)
    return np.array([[position, normal, uv]], np.int32), is_sharp


def _parse_geometry(
    tokens: Tokens,
    document: Document,
    free_form: FreeForm,
    subdivisions: Subdivisions,
    vertex_count: int,
) -> None:
    if tokens.at_word(*FREE_FORM):
        free_form.parse(tokens, document, vertex_count)
    elif tokens.at_word("subdivision", "ccmesh"):
        subdivisions.parse(tokens, document)
    elif tokens.at_word("approximate"):
        statement = parse_approximation(tokens)
        surfaces = subdivisions if statement.what in APPROXIMATED else free_form
        surfaces.approximate(statement, document)
    elif not tokens.accept_word("visible", "trace", "shadow", "caustic", "globillum"):
        raise tokens.expected("a polygon ('p', 'c', 'strip', 'fan'), a surface or 'end group'")


def _gather(vectors: NDArray[np.float32], indices: NDArray[np.int32]) -> NDArray[np.float32] | None:
    """The vectors of these indices, zero for -1; None if all are."""
    missing = indices < 0
    if missing.all():
        return None
    found = vectors[indices]
    found[missing] = 0
    return found
