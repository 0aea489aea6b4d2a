"""``group``: vectors, vertices that refer to them, and polygons of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.freeform.bases import Basis
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.binary import floats
from gpuqueue.scene.statements.free_form_group import FREE_FORM, FreeForm
from gpuqueue.scene.statements.group_rows import polygon_rows, vertex_rows
from gpuqueue.scene.statements.mesh import check_coordinates, check_indices
from gpuqueue.scene.statements.surfaces import skip_block
from gpuqueue.scene.tokens import Kind, Tokens
from gpuqueue.scene.triangulate import Polygon, triangulate


@dataclass
class _Group:
    """What has been read of a group: indices into its vectors, and polygons of vertices."""

    vectors: NDArray[np.float32]
    at: Place
    free_form: FreeForm
    positions: list[int] = field(default_factory=list)
    normals: list[int] = field(default_factory=list)
    uvs: list[int] = field(default_factory=list)
    polygons: list[Polygon] = field(default_factory=list)
    polygon_slots: list[int] = field(default_factory=list)
    slots: dict[str | int | None, int] = field(default_factory=dict)
    material: str | int | None = None

    def add(self, polygon: Polygon) -> None:
        """Keep a polygon of the current material."""
        self.polygons.append(polygon)
        self.polygon_slots.append(self.slots.setdefault(self.material, len(self.slots)))


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
    group = _Group(vectors, at, FreeForm(bases, tagged=tagged))
    while tokens.at_word("v"):
        _read_vertex_rows(tokens, group)
        if tokens.at_word("v"):
            _parse_vertex(tokens, group)
    while not tokens.at_word("end"):
        _read_polygon_rows(tokens, group, tagged=tagged)
        if not tokens.at_word("end"):
            _parse_geometry(tokens, document, group, tagged=tagged)
    tokens.expect_end("group")
    polygons = [_geometry(group)] if group.polygons else []
    return polygons + group.free_form.geometries(vectors[group.positions], document)


def _parse_vectors(tokens: Tokens) -> NDArray[np.float64]:
    """vectors = { x y z | BINARY }; an array [N, 3]."""
    runs = [np.zeros((0, 3))]
    while tokens.at_number() or tokens.peek().kind is Kind.BINARY:
        if tokens.at_number():
            run = tokens.number_run()
            if len(run) % 3:
                raise tokens.fail(f"{len(run)} numbers do not make whole vectors of three")
            runs.append(run.reshape(-1, 3))
        else:
            runs.append(floats(tokens.binary(12)).reshape(1, 3))
    return np.concatenate(runs)


def _read_vertex_rows(tokens: Tokens, group: _Group) -> None:
    for position, normal, uv in vertex_rows(tokens, len(group.vectors)):
        group.positions.append(position)
        group.normals.append(normal)
        group.uvs.append(uv)


def _read_polygon_rows(tokens: Tokens, group: _Group, *, tagged: bool) -> None:
    for row in polygon_rows(tokens, len(group.positions), tagged=tagged):
        if tagged:
            group.material = row.numbers[0]
        elif row.material is not None:
            group.material = row.material or None
        group.add(Polygon([row.numbers[1:] if tagged else row.numbers], row.at))


def _parse_vertex(tokens: Tokens, group: _Group) -> None:
    """vertex = "v" i ["n" i] ["d" i i [i [i i]]] { "t" i [i i] } { "m" i } { "u" i } [corner]."""
    tokens.expect_word("v")
    last = len(group.vectors) - 1
    what = "the index of a vector"
    group.positions.append(tokens.integer(what, 0, last))
    normal = uv = -1
    while word := tokens.accept_word(
        "n", "t", "d", "m", "u", "cusp", "conic", "corner", "dart", "level"
    ):
        if word in ("cusp", "conic", "corner", "dart"):
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
    group.normals.append(normal)
    group.uvs.append(uv)


def _parse_geometry(tokens: Tokens, document: Document, group: _Group, *, tagged: bool) -> None:
    at = tokens.peek().place
    if tokens.at_word("p", "c", "cp", "strip", "fan"):
        _parse_polygon(tokens, group, tagged=tagged)
    elif tokens.at_word(*FREE_FORM):
        group.free_form.parse(tokens, document, len(group.positions))
    elif tokens.at_word("subdivision"):
        skip_block(tokens, "subdivision", "surface")
        document.warnings("subdivision surfaces are not rendered", at)
    elif tokens.at_word("ccmesh"):
        skip_block(tokens, "ccmesh")
        document.warnings("ccmesh surfaces are not rendered", at)
    elif not tokens.accept_word("visible", "trace", "shadow", "caustic", "globillum"):
        raise tokens.expected("a polygon ('p', 'c', 'strip', 'fan'), a surface or 'end group'")


def _parse_polygon(tokens: Tokens, group: _Group, *, tagged: bool) -> None:
    """polygon = ("p" | "c" | "cp") [material | label] INT+ { "hole" INT+ }
    | ("strip" | "fan") [material | label] INT+."""
    word = tokens.take().text
    at = tokens.peek().place
    if tagged:
        group.material = tokens.integer("the label of a tagged polygon", 0)
    elif tokens.at_string():
        group.material = tokens.string() or None
    loops = [_parse_loop(tokens, len(group.positions))]
    while word in ("p", "c", "cp") and tokens.accept_word("hole"):
        loops.append(_parse_loop(tokens, len(group.positions)))
    for polygon in _pieces(word, loops, at):
        group.add(polygon)


def _parse_loop(tokens: Tokens, vertex_count: int) -> list[int]:
    at = tokens.peek().place
    loop = tokens.index_run("the vertices of a polygon")
    check_indices(loop, vertex_count, "vertex", at)
    if len(loop) < 3:
        raise at.error(f"a polygon needs 3 vertices, this one has {len(loop)}")
    indices: list[int] = loop.tolist()
    return indices


def _pieces(word: str, loops: list[list[int]], at: Place) -> list[Polygon]:
    outer = loops[0]
    if word == "strip":  # every second triangle of a strip is turned round
        return [
            Polygon([[a, b, c] if i % 2 == 0 else [b, a, c]], at)
            for i, (a, b, c) in enumerate(zip(outer, outer[1:], outer[2:], strict=False))
        ]
    return [Polygon(loops, at, convex=word == "fan")]


def _geometry(group: _Group) -> Geometry:
    positions = group.vectors[group.positions]
    triangles, owners = triangulate(positions, group.polygons)
    return Geometry(
        positions,
        _gather(group.vectors, group.normals),
        _gather_uvs(group),
        triangles,
        np.array(group.polygon_slots, np.int64)[owners],
        tuple(group.slots),
    )


def _gather(vectors: NDArray[np.float32], indices: list[int]) -> NDArray[np.float32] | None:
    """The vectors of these indices, zero for -1; None if all are."""
    chosen = np.array(indices, np.int64)
    if (chosen < 0).all():
        return None
    return np.where(chosen[:, None] < 0, np.float32(0), vectors[chosen])


def _gather_uvs(group: _Group) -> NDArray[np.float32] | None:
    uvs = _gather(group.vectors, group.uvs)
    return None if uvs is None else uvs[:, :2]
