"""What trim and hole curves leave of a surface's rectangle of u and v, as triangles in it.

The region between the outlines is cut into triangles by ear clipping, then these along the grid
lines of the surface, so that each lies within one cell and bends as little as the cell does.
Triangles that meet share their corners by index, however they are cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gpuqueue.scene.ear_clipping import clip
from gpuqueue.scene.freeform.bases import Floats, Indices
from gpuqueue.scene.freeform.surface import Curve

#: Corners of the outlines of one surface; the cost of ear clipping grows with the square.
MAX_CORNERS = 5000
#: Cuts of each span of a curve, times its degree.
_CUTS = 8
#: Of the rectangle's area: by how much the triangles may miss that of the region.
_AREA_ERROR = 1e-6
_CROSSING = "the trim curves cross themselves or each other"


class CrossingOutlines(ValueError):
    """Outlines cross themselves or each other: there is no region between them."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed line ``[N, 2]`` in u and v; the surface lies inside, or outside of a hole."""

    points: Floats
    is_hole: bool


def outline(parts: Sequence[tuple[Curve, float, float]], *, is_hole: bool) -> Outline:
    """Return the closed line through parts of curves, from one parameter to another.

    Raises ValueError if it has less than three corners, or too many.
    """
    pieces = []
    for curve, low, high in parts:
        spans = len(curve.axis.spans_within(low, high))
        cuts = 1 if curve.axis.degree == 1 else _CUTS * curve.axis.degree
        if spans > MAX_CORNERS:
            raise _too_many(spans)
        pieces.append(curve.points(curve.axis.sample(low, high, cuts).spots)[:, :2])
    points = np.concatenate(pieces)
    if not np.isfinite(points).all():
        raise ValueError("a trim curve has a point that is not finite")
    spare = 1e-9 * np.ptp(points, axis=0).max()
    is_new = (abs(points - np.roll(points, 1, axis=0)) > spare).any(axis=1)
    if np.count_nonzero(is_new) < 3:
        raise ValueError("a closed trim curve needs at least 3 corners")
    return Outline(points[is_new], is_hole)


def trimmed(outlines: Sequence[Outline], u: Floats, v: Floats) -> tuple[Floats, Indices]:
    """Return points ``[N, 2]`` and triangles ``[T, 3]`` of the region within the outlines and
    within the lines of the grid, u ``[C]`` and v ``[R]`` in ascending order.

    Raises CrossingOutlines if there is no such region, ValueError if it has too many corners.
    """
    low, high = np.array([u[0], v[0]]), np.array([u[-1], v[-1]])
    rectangle = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    outer = [loop.points for loop in outlines if not loop.is_hole] or [rectangle]
    holes = [loop.points for loop in outlines if loop.is_hole]
    corners = sum(map(len, [*outer, *holes]))
    if corners > MAX_CORNERS:
        raise _too_many(corners)
    points, triangles = _region([_turned(loop) for loop in outer], holes)
    for axis, lines in enumerate((u, v)):
        for line in lines:
            points, triangles = _slice(points, triangles, axis, float(line))
    middles = points[triangles].mean(axis=1)
    inside = ((middles > low) & (middles < high)).all(axis=1)
    return points, triangles[inside]


def _too_many(corners: int) -> ValueError:
    return ValueError(f"the trim curves have {corners} corners; at most {MAX_CORNERS} are possible")


def _area(loop: Floats) -> float:
    """The signed area of a loop ``[N, 2]``, positive if it goes round to the left."""
    x, y = (loop - loop[0]).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def _turned(loop: Floats) -> Floats:
    return loop if _area(loop) > 0 else loop[::-1]


def _contains(loop: Floats, points: Floats) -> bool:
    """Whether a loop contains all of the points ``[M, 2]``, by crossing numbers: how often the
    loop meets the ray from each along u. Raises CrossingOutlines if it contains only some."""
    ends = np.roll(loop, -1, axis=0)
    is_inside = np.zeros(len(points), bool)
    for a, b in zip(loop, ends, strict=True):
        spans = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
        at = a[0] + (points[spans, 1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        is_inside[spans] ^= at > points[spans, 0]
    if is_inside.any() and not is_inside.all():
        raise CrossingOutlines(_CROSSING)
    return bool(is_inside.all())


def _region(outer: list[Floats], holes: list[Floats]) -> tuple[Floats, Indices]:
    """Triangles of every outer loop without the holes in it."""
    inside: list[list[Floats]] = [[] for _ in outer]
    by_size = sorted(range(len(outer)), key=lambda i: _area(outer[i]))
    for hole in holes:
        owner = next((i for i in by_size if _contains(outer[i], hole)), None)
        if owner is not None:
            inside[owner].append(hole)
    pieces = [_clip(loop, holes) for loop, holes in zip(outer, inside, strict=True)]
    starts = np.cumsum([0, *(len(points) for points, _ in pieces[:-1])])
    triangles = [corners + start for (_, corners), start in zip(pieces, starts, strict=True)]
    return np.concatenate([points for points, _ in pieces]), np.concatenate(triangles)


def _clip(loop: Floats, holes: list[Floats]) -> tuple[Floats, Indices]:
    """Triangles of one loop and its holes; raise CrossingOutlines if they do not add up."""
    points = np.concatenate([loop, *holes])
    starts = np.cumsum([0, len(loop), *map(len, holes)])
    names = [list(range(a, b)) for a, b in pairwise(starts)]
    flat = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
    triangles = np.array(clip(flat, names, np.array([0.0, 0.0, 1.0])), np.int64)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    ab, ac = b - a, c - a
    areas = (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]) / 2
    size = _area(loop)
    missing = size - sum(abs(_area(hole)) for hole in holes) - areas.sum()
    if not (abs(missing) <= _AREA_ERROR * size and (areas >= -_AREA_ERROR * size).all()):
        raise CrossingOutlines(_CROSSING)
    return points, triangles


def _slice(points: Floats, triangles: Indices, axis: int, line: float) -> tuple[Floats, Indices]:
    """Cut the triangles that a line crosses; those without a corner on it become three."""
    sides = np.sign(points[:, axis] - line)[triangles]
    is_cut = (sides.min(axis=1) < 0) & (sides.max(axis=1) > 0)
    if not is_cut.any():
        return points, triangles
    whole, triangles, sides = triangles[~is_cut], triangles[is_cut], sides[is_cut]
    # The first corner is to be the one on the line, or else the one alone on its side.
    touches = (sides == 0).any(axis=1)
    alone = np.where(
        touches, (sides == 0).argmax(axis=1), (sides * sides.sum(axis=1)[:, None]).argmin(axis=1)
    )
    order = (alone[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(triangles, order, axis=1)
    on, through = corners[touches], corners[~touches]
    cut_edges = np.concatenate([on[:, [1, 2]], through[:, [0, 1]], through[:, [0, 2]]])
    points, cuts = _cut(points, cut_edges, axis, line)
    middle, left, right = np.split(cuts, [len(on), len(on) + len(through)])
    (z, a, b), (p, q, r) = on.T, through.T
    pieces = [(z, a, middle), (z, middle, b), (p, left, right), (left, q, r), (left, r, right)]
    return points, np.concatenate([whole, *(np.stack(piece, axis=1) for piece in pieces)])


def _cut(points: Floats, edges: Indices, axis: int, line: float) -> tuple[Floats, Indices]:
    """Add the points where edges ``[E, 2]`` meet a line; an edge of two triangles gets one."""
    unique, places = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    a, b = points[unique[:, 0]], points[unique[:, 1]]
    t = ((line - a[:, axis]) / (b[:, axis] - a[:, axis]))[:, None]
    added = a + t * (b - a)
    added[:, axis] = line
    return np.concatenate([points, added]), places.reshape(-1) + len(points)
