"""``hair``: many curves with a radius, as one list of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.mesh import MAX_COORDINATE, check_coordinates, merge_geometry
from gpuqueue.scene.tokens import Tokens
from gpuqueue.scene.tubes import SIDES, bezier_samples, tubes

MAX_NUMBERS = 1 << 30
MAX_FIELD = 256
#: Cuts of a curved piece where the hair does not say how many.
_CUTS = 4
MAX_CUTS = 64


@dataclass
class _Fields:
    """Numbers of a hair or of one of its vertices: how many, and where what is used begins."""

    size: int = 0
    radius: int | None = None
    texture: int | None = None

    def parse(self, tokens: Tokens) -> None:
        """field = "n" | "radius" | ("m" | "t" | "u") INT."""
        word = tokens.expect_word("n", "radius", "m", "t", "u")
        if word == "n":
            self.size += 3
        elif word == "radius":
            self.radius = self.size
            self.size += 1
        else:
            count = tokens.integer("the size of a field", 0, MAX_FIELD)
            if word == "t" and self.texture is None and count >= 2:
                self.texture = self.size
            self.size += 3 * count if word == "m" else count
        if self.size > MAX_FIELD:
            raise tokens.fail(f"more than {MAX_FIELD} numbers")


@dataclass
class _Hair:
    at: Place
    material: str | int | None = None
    radius: float = 0.0
    cuts: int | None = None
    degree: int = 1
    own: _Fields = field(default_factory=_Fields)
    vertex: _Fields = field(default_factory=lambda: _Fields(3))


def parse_hair(tokens: Tokens, document: Document, *, tagged: bool) -> list[Geometry]:
    """hair = { item } "scalar" list "hair" list "end" "hair"; the word is already taken.

    Return one geometry of tubes, or none if the hairs have no width.
    """
    hair = _Hair(tokens.peek().place)
    while not tokens.at_word("scalar"):
        _parse_item(tokens, hair)
    tokens.take()
    numbers = _parse_scalars(tokens)
    at = tokens.peek().place
    tokens.expect_word("hair")
    starts = _parse_starts(tokens)
    tokens.expect_end("hair")
    if (np.diff(starts) < 0).any() or not len(starts) or starts[0] < 0 or starts[-1] > len(numbers):
        raise at.error(f"expected ascending places in the {len(numbers)} numbers")
    slot = hair.material if tagged == isinstance(hair.material, int) else None
    pieces = list(_geometries(hair, numbers, starts, at, slot, document))
    if not pieces and len(starts) > 1:
        document.warnings("hair without a radius or length is not rendered", hair.at)
    return [merge_geometry(pieces)] if pieces else []


def _parse_item(tokens: Tokens, hair: _Hair) -> None:
    """item = "material" (INT | name) | "radius" f | "approximate" INT | "degree" INT
    | "max" ("size" | "depth") INT | ("hair" | "vertex") field."""
    word = tokens.expect_word(
        "material", "radius", "approximate", "degree", "max", "hair", "vertex"
    )
    if word == "material":
        hair.material = tokens.string() if tokens.at_string() else tokens.integer("a label", 0)
    elif word == "radius":
        at = tokens.peek().place
        hair.radius = tokens.number("a radius")
        _check_radii(np.array([hair.radius]), at)
    elif word == "approximate":
        hair.cuts = max(tokens.integer("the number of cuts", 0, MAX_CUTS), 1)
    elif word == "degree":
        hair.degree = tokens.integer("the degree of hair", 1, 3)
    elif word == "max":
        tokens.expect_word("size", "depth")
        tokens.integer()
    else:
        (hair.own if word == "hair" else hair.vertex).parse(tokens)


def _parse_count(tokens: Tokens) -> int:
    tokens.expect_mark("[")
    count = tokens.integer("the length of the list", 0, MAX_NUMBERS)
    tokens.expect_mark("]")
    return count


def _parse_scalars(tokens: Tokens) -> NDArray[np.float32]:
    """scalars = "[" INT "]" ( numbers | "binary" BINARY )."""
    count = _parse_count(tokens)
    if tokens.accept_word("binary"):
        return tokens.binary_floats(count)
    return tokens.floats(count, f"{count} numbers of hair")


def _parse_starts(tokens: Tokens) -> NDArray[np.int32]:
    """starts = "[" INT "]" ( INT+ | "binary" BINARY ): where hairs start, and where the last ends,
    which the count may leave out."""
    count = _parse_count(tokens)
    if tokens.accept_word("binary"):
        count += not tokens.binary_ends_after(4 * count)
        return tokens.binary_indices(count, MAX_NUMBERS)
    at = tokens.peek().place
    starts = tokens.integer_run("where the hairs start")
    if len(starts) not in (count, count + 1):
        raise at.error(f"expected {count + 1} places, found {len(starts)}")
    return starts


def _geometries(
    hair: _Hair,
    numbers: NDArray[np.float32],
    starts: NDArray[np.int32],
    at: Place,
    slot: str | int | None,
    document: Document,
) -> Iterator[Geometry]:
    """Yield tubes for all hairs of one length at a time."""
    lengths = np.diff(starts)
    for length in np.unique(lengths).tolist():
        first = starts[:-1][lengths == length]
        vertices, rest = divmod(length - hair.own.size, hair.vertex.size)
        if not rest and vertices in (0, 1):
            continue  # a point
        if rest or vertices < 0 or (vertices - 1) % hair.degree:
            raise at.error(
                f"a hair has {length} numbers; expected {hair.own.size} and"
                f" {hair.vertex.size} for each vertex, whose number is 1 more than a multiple of"
                f" {hair.degree}"
            )
        cuts = hair.cuts if hair.cuts is not None else (1 if hair.degree == 1 else _CUTS)
        samples = (vertices - 1) // hair.degree * cuts + 1
        document.count_surface_points(len(first) * samples * SIDES, at)
        rows = numbers[first[:, None] + np.arange(length)]
        yield from _tubes(hair, rows, cuts, slot, at)


def _tubes(
    hair: _Hair, rows: NDArray[np.float32], cuts: int, slot: str | int | None, at: Place
) -> Iterator[Geometry]:
    """Rows ``[H, L]`` of hairs that are as long as each other."""
    own, vertex = rows[:, : hair.own.size], rows[:, hair.own.size :]
    control = vertex.reshape(len(rows), -1, hair.vertex.size).astype(np.float64)
    check_coordinates(control[..., :3], at)
    samples = bezier_samples(control, hair.degree, cuts)
    radii = _radii(hair, own, samples, at)
    if not radii.any():
        return
    found = tubes(samples[..., :3], radii)
    place = hair.vertex.texture
    uvs = None
    if place is not None:
        flat = samples[..., place : place + 2].reshape(-1, 2)
        uvs = check_coordinates(flat[found.sample], at)
    yield Geometry(
        check_coordinates(found.points, at),
        found.normals.astype(np.float32),
        uvs,
        found.triangles.astype(np.int32),
        np.zeros(len(found.triangles), np.int32),
        (slot,),
    )


def _radii(
    hair: _Hair, own: NDArray[np.float32], samples: NDArray[np.float64], at: Place
) -> NDArray[np.float64]:
    """Radii ``[H, P]``: a vertex's goes before its hair's, and that before the one of all."""
    if hair.vertex.radius is not None:
        radii = samples[..., hair.vertex.radius]
    elif hair.own.radius is not None:
        radii = np.repeat(
            own[:, hair.own.radius, None].astype(np.float64), samples.shape[1], axis=1
        )
    else:
        radii = np.full(samples.shape[:2], hair.radius)
    _check_radii(radii, at)
    return radii


def _check_radii(radii: NDArray[np.float64], at: Place) -> None:
    if radii.size and not (radii.min() >= 0 and radii.max() <= MAX_COORDINATE):
        raise at.error(f"a radius of hair is negative or beyond {MAX_COORDINATE:g}")
