"""``trilist``: vertices and triangles as two flat lists, in text or binary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.source import decode
from gpuqueue.scene.statements.approximation import parse_approximation
from gpuqueue.scene.statements.mesh import (
    MAX_TRIANGLES,
    SlotTable,
    check_coordinates,
    check_indices,
    parse_index,
)
from gpuqueue.scene.tokens import Kind, Tokens

#: Corners [T, 3], slots of triangles [T], the material of every slot.
_Triangles: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], tuple[str | int | None, ...]]

#: Floats of a vertex field; of the others the words that follow tell.
_FIXED = {"n": 3, "d": 6, "d2": 9}


@dataclass(frozen=True)
class _Layout:
    """Where the fields of a vertex line start, and how many floats it has."""

    size: int
    normal: int | None
    uv: int | None


def parse_trilist(tokens: Tokens, *, tagged: bool) -> Geometry:
    """trilist = "trilist" "vertex" N "p" { field } "triangle" T ["border" B] ["data" INT INT]
    ( "[" N*size numbers "]" | "scalar" BINARY ) triangles [borders] [data] [topology]
    "end" "trilist" [approximation]."""
    if tokens.at_word("vector"):
        raise tokens.fail("the old 'trilist vector' form is not supported; write 'trilist vertex'")
    tokens.expect_word("vertex")
    vertex_count = tokens.integer("the number of vertices", 0, MAX_TRIANGLES)
    layout = _parse_layout(tokens)
    triangle_count, border_count, data_sizes = _parse_counts(tokens)
    at = tokens.peek().place
    vertices = _parse_vertices(tokens, vertex_count, layout)
    triangles, slots, materials = _parse_triangles(
        tokens, triangle_count, vertex_count, tagged=tagged
    )
    if border_count:
        _parse_triangles(tokens, border_count, vertex_count, tagged=tagged)
    _skip_rest(tokens, triangle_count, data_sizes)

    def columns(first: int, count: int) -> NDArray[np.float32]:
        return check_coordinates(np.ascontiguousarray(vertices[:, first : first + count]), at)

    return Geometry(
        columns(0, 3),
        None if layout.normal is None else columns(layout.normal, 3),
        None if layout.uv is None else columns(layout.uv, 2),
        triangles,
        slots,
        materials,
    )


def _parse_layout(tokens: Tokens) -> _Layout:
    """layout = "p" { "n" | "d" | "d2" | "m" [k] | "b" [k] | ("t" | "u") dim {dim} }."""
    tokens.expect_word("p")
    size, normal, uv = 3, None, None
    while field := tokens.accept_word("n", "d", "d2", "m", "b", "t", "u"):
        numbers = []
        while tokens.at_integer():
            numbers.append(tokens.integer("the size of a vertex field", 0, 256))
        if field == "n":
            normal = size
        if field == "t" and uv is None and numbers and numbers[0] >= 2:
            uv = size
        if field in ("m", "b"):
            size += 3 * (numbers[0] if numbers else 1)
        else:
            size += _FIXED.get(field, sum(numbers))
        if size > 1024:
            raise tokens.fail("a vertex has more than 1024 numbers")
    return _Layout(size, normal, uv)


def _parse_counts(tokens: Tokens) -> tuple[int, int, tuple[int, int]]:
    tokens.expect_word("triangle")
    triangles = tokens.integer("the number of triangles", 0, MAX_TRIANGLES)
    border = tokens.integer(low=0, high=MAX_TRIANGLES) if tokens.accept_word("border") else 0
    data = (0, 0)
    if tokens.accept_word("data"):
        data = (tokens.integer(low=0, high=1024), tokens.integer(low=0, high=1024))
    return triangles, border, data


def _parse_vertices(tokens: Tokens, count: int, layout: _Layout) -> NDArray[np.float32]:
    """vertices = "[" numbers "]" | "scalar" BINARY; an array [N, size]."""
    if tokens.accept_word("scalar"):
        return tokens.binary_floats(count * layout.size).reshape(count, layout.size)
    tokens.expect_mark("[")
    what = f"{layout.size} numbers for each of {count} vertices"
    values = tokens.floats(count * layout.size, what).reshape(count, layout.size)
    if not tokens.accept_mark("]"):
        raise tokens.expected(f"']' after {what}")
    return values


def _parse_triangles(tokens: Tokens, count: int, vertex_count: int, *, tagged: bool) -> _Triangles:
    """triangles = "[" { [material] a b c } "]"  (tagged: "[" { label a b c } "]")
    | "integer" BINARY ["integer" BINARY]. Returns corners [T, 3], slots of triangles, slots."""
    if tokens.at_word("integer"):
        return _parse_binary_triangles(tokens, count, vertex_count, tagged=tagged)
    tokens.expect_mark("[")
    tokens.check_room(3 * count, 6)  # with the slots
    corners, slots = np.empty((count, 3), np.int32), np.empty(count, np.int32)
    table = SlotTable()
    done = 0
    while True:
        rest = slots[done:]
        found, materials = tokens.triangle_rows(corners[done:], rest, vertex_count, tagged=tagged)
        table.renumber(rest[:found], materials)
        done += found
        if done == count:
            break
        if tokens.at_mark("]"):
            raise tokens.fail(f"expected {count} triangles, found {done}")
        corners[done] = _parse_row(tokens, table, vertex_count, tagged=tagged)
        slots[done] = table.number()
        done += 1
    if not tokens.accept_mark("]"):
        raise tokens.expected(f"']' after {count} triangles")
    return corners, slots, table.materials


def _parse_row(tokens: Tokens, table: SlotTable, vertex_count: int, *, tagged: bool) -> list[int]:
    """[material] a b c, or label a b c. A name holds for the triangles after it; "" is the
    instance's own material."""
    if tagged:
        table.current = tokens.integer("the label of a triangle", 0)
    elif tokens.peek().kind in (Kind.STRING, Kind.SYMBOL):
        table.current = decode(tokens.take().text) or None
    return [parse_index(tokens, vertex_count, "3 vertices of a triangle or ']'") for _ in range(3)]


def _parse_binary_triangles(
    tokens: Tokens, count: int, vertex_count: int, *, tagged: bool
) -> _Triangles:
    tokens.expect_word("integer")
    at = tokens.peek().place
    corners = tokens.binary_indices(3 * count, vertex_count)
    check_indices(corners, vertex_count, "vertex", at)
    if not tagged:
        return corners.reshape(count, 3), np.zeros(count, np.int32), (None,)
    tokens.expect_word("integer")
    known, slots = np.unique(tokens.binary_indices(count, 1 << 16), return_inverse=True)
    return corners.reshape(count, 3), slots.reshape(-1).astype(np.int32), tuple(known.tolist())


def _skip_rest(tokens: Tokens, triangles: int, data: tuple[int, int]) -> None:
    """Triangle data and topology, the end, and an approximation."""
    if tokens.accept_word("triangle"):
        tokens.expect_word("data")
        for count in (data[0], triangles * data[1]):
            _skip_integers(tokens, count)
    if tokens.accept_word("topology"):
        _skip_integers(tokens, 3 * triangles)
    tokens.expect_end("trilist")
    while tokens.at_word("approximate"):
        parse_approximation(tokens)


def _skip_integers(tokens: Tokens, count: int) -> None:
    if tokens.accept_word("integer"):
        tokens.skip_binary(4 * count)
    else:
        tokens.expect_mark("[")
        tokens.number_run()
        tokens.expect_mark("]")
