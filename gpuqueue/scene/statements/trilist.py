"""``trilist``: vertices and triangles as two flat lists, in text or binary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.source import decode
from gpuqueue.scene.statements.approximation import parse_approximation
from gpuqueue.scene.statements.binary import floats, indices
from gpuqueue.scene.statements.mesh import MAX_TRIANGLES, check_coordinates, check_indices
from gpuqueue.scene.tokens import Kind, Tokens

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
    place = tokens.peek().place
    triangles, labels, slots = _parse_triangles(tokens, triangle_count, vertex_count, tagged=tagged)
    check_indices(triangles, vertex_count, "vertex", place)
    if border_count:
        _parse_triangles(tokens, border_count, vertex_count, tagged=tagged)
    _skip_rest(tokens, triangle_count, data_sizes)

    def columns(first: int, count: int) -> NDArray[np.float32]:
        return check_coordinates(vertices[:, first : first + count], at)

    return Geometry(
        columns(0, 3),
        None if layout.normal is None else columns(layout.normal, 3),
        None if layout.uv is None else columns(layout.uv, 2),
        triangles.reshape(-1, 3),
        labels,
        slots,
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


def _parse_vertices(tokens: Tokens, count: int, layout: _Layout) -> NDArray[np.float64]:
    """vertices = "[" numbers "]" | "scalar" BINARY; an array [N, size]."""
    if tokens.accept_word("scalar"):
        return floats(tokens.binary(4 * count * layout.size)).reshape(count, layout.size)
    tokens.expect_mark("[")
    what = f"{layout.size} numbers for each of {count} vertices"
    values = tokens.numbers(count * layout.size, what).reshape(count, layout.size)
    if not tokens.accept_mark("]"):
        raise tokens.expected(f"']' after {what}")
    return values


def _parse_triangles(
    tokens: Tokens, count: int, vertex_count: int, *, tagged: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str | int | None, ...]]:
    """triangles = "[" { [material] a b c } "]"  (tagged: "[" { label a b c } "]")
    | "integer" BINARY ["integer" BINARY]. Returns corners [T, 3], slots of triangles, slots."""
    if tokens.accept_word("integer"):
        corners = indices(tokens.binary(12 * count), vertex_count).reshape(count, 3)
        labels = np.zeros(count, np.int64)
        if tagged:
            tokens.expect_word("integer")
            labels = indices(tokens.binary(4 * count), 1 << 16)
        return (corners, *_slots_of(labels if tagged else None, count))
    tokens.expect_mark("[")
    if tagged:
        values = tokens.integers(4 * count, f"a label and 3 vertices for each of {count} triangles")
        tokens.expect_mark("]")
        rows = values.reshape(count, 4)
        return (rows[:, 1:], *_slots_of(rows[:, 0], count))
    return _parse_named_triangles(tokens, count)


def _slots_of(
    labels: NDArray[np.int64] | None, count: int
) -> tuple[NDArray[np.int64], tuple[int | None, ...]]:
    if labels is None:
        return np.zeros(count, np.int64), (None,)
    known, places = np.unique(labels, return_inverse=True)
    return places.astype(np.int64).reshape(-1), tuple(int(label) for label in known)


def _parse_named_triangles(
    tokens: Tokens, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str | None, ...]]:
    """Triangles with a material's name before the first that has it; "" is the instance's own."""
    slots: dict[str | None, int] = {}
    runs: list[NDArray[np.int64]] = []
    run_slots: list[int] = []
    name: str | None = None
    while not tokens.at_mark("]"):
        if tokens.peek().kind in (Kind.STRING, Kind.SYMBOL):
            name = decode(tokens.take().text) or None
        run = tokens.index_run("3 vertices of a triangle or ']'")
        if len(run) % 3:
            raise tokens.fail(f"{len(run)} vertices do not make whole triangles")
        runs.append(run)
        run_slots.append(slots.setdefault(name, len(slots)))
    lengths = [len(run) // 3 for run in runs]
    if sum(lengths) != count:
        raise tokens.fail(f"expected {count} triangles, found {sum(lengths)}")
    tokens.expect_mark("]")
    corners = np.concatenate(runs) if runs else np.zeros(0, np.int64)
    return corners.reshape(-1, 3), np.repeat(run_slots, lengths).astype(np.int64), tuple(slots)


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
        tokens.binary(4 * count)
    else:
        tokens.skip_balanced("[", "]")
