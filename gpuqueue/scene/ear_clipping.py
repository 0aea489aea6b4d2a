"""A concave polygon, with or without holes, to triangles by cutting off its ears.

Ear clipping after Meisters 1975, holes joined to the outer loop by a bridge to a visible vertex
as in Eberly, "Triangulation by Ear Clipping" (2002). Only the neighbours of a removed ear
change, so each corner is tested a bounded number of times, each test against all reflex corners
at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Corners that are tried for the bridge to a hole.
MAX_BRIDGES = 1000

Points = NDArray[np.float64]


def clip(
    points: Points, loops: Sequence[Sequence[int]], normal: Points
) -> list[tuple[int, int, int]]:
    """Return the triangles of a polygon; the first of its loops of indices into `points`
    ``[V, 3]`` is the outer one.

    `normal` is that of the outer loop. A polygon that crosses itself gives as many triangles as
    any other, some of them reversed.
    """
    flat = _flatten(points, loops, normal)
    plane, vertices = flat[0], list(loops[0])
    # The hole that reaches furthest right first: its bridge meets no other hole.
    waiting = sorted(
        zip(flat[1:], map(list, loops[1:]), strict=True),
        key=lambda pair: float(pair[0][:, 0].max()),
    )
    edges = np.concatenate([np.zeros((0, 2, 2)), *(_edges(hole) for hole, _ in waiting)])
    while waiting:
        hole, names = waiting.pop()
        turned = slice(None) if _area(hole) < 0 else slice(None, None, -1)
        plane, vertices = _bridge(plane, vertices, hole[turned], names[turned], edges)
        edges = edges[: -len(hole)]
    return [(vertices[a], vertices[b], vertices[c]) for a, b, c in _ears(plane)]


def _flatten(points: Points, loops: Sequence[Sequence[int]], normal: Points) -> list[Points]:
    """Loops seen along the axis nearest to the normal, so that the outer one goes round to the
    left."""
    axis = int(abs(normal).argmax())
    kept = [(axis + 1) % 3, (axis + 2) % 3]
    sign = -1.0 if normal[axis] < 0 else 1.0
    return [points[list(loop)][:, kept] * [sign, 1.0] for loop in loops]


def _area(loop: Points) -> float:
    """Twice the signed area."""
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _edges(loop: Points) -> Points:
    """``[N, 2, 2]``: each corner and the next."""
    return np.stack([loop, np.roll(loop, -1, axis=0)], axis=1)


def _bridge(
    outer: Points, names: list[int], hole: Points, hole_names: list[int], others: Points
) -> tuple[Points, list[int]]:
    """Cut from the hole's rightmost corner to a visible corner of the outer loop.

    `others` ``[E, 2, 2]`` are the edges of all holes that are not yet joined.
    """
    start = int(hole[:, 0].argmax())
    edges = np.concatenate([_edges(outer), others])
    end = _visible_corner(outer, edges, hole[start])
    order = [(start + i) % len(hole) for i in range(len(hole) + 1)]
    loop = np.concatenate([outer[: end + 1], hole[order], outer[end:]])
    return loop, [*names[: end + 1], *(hole_names[i] for i in order), *names[end:]]


def _visible_corner(outer: Points, edges: Points, point: Points) -> int:
    """The nearest corner of `outer` that sees `point`; a polygon that crosses itself may have
    none, then the nearest."""
    ranked = ((outer - point) ** 2).sum(axis=1).argsort(kind="stable")
    for corner in ranked[:MAX_BRIDGES].tolist():
        if _opens_to(outer, corner, point) and not _is_blocked(edges, outer[corner], point):
            return int(corner)
    return int(ranked[0])


def _turn(a: Points, b: Points, c: Points) -> Points:
    """Twice the signed area of triangles; their corners ``[..., 2]``."""
    ab, ac = b - a, c - a
    area: Points = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
    return area


def _opens_to(outer: Points, corner: int, point: Points) -> bool:
    """Whether `point` lies in the inner angle of a corner: of two corners at one place, which a
    bridge leaves, only one does."""
    before, here, after = (outer[(corner + i) % len(outer)] for i in (-1, 0, 1))
    left_of_in = _turn(before, here, point) > 0
    left_of_out = _turn(here, after, point) > 0
    is_convex = _turn(before, here, after) > 0
    return bool(left_of_in and left_of_out if is_convex else left_of_in or left_of_out)


def _is_blocked(edges: Points, a: Points, b: Points) -> bool:
    """Whether the line from `a` to `b` meets an edge other than in its own ends."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    is_near = (edges.min(axis=1) <= high).all(axis=1) & (edges.max(axis=1) >= low).all(axis=1)
    edges = edges[is_near]
    p, q = edges[:, 0], edges[:, 1]
    crosses = (_turn(a, b, p) * _turn(a, b, q) <= 0) & (_turn(p, q, a) * _turn(p, q, b) <= 0)
    at_end = np.zeros(len(edges), bool)
    for end, other in ((a, b), (b, a)):
        for near, far in ((p, q), (q, p)):
            starts = (near == end).all(axis=1)
            along = (_turn(a, b, far) == 0) & (((far - end) * (other - end)).sum(axis=1) > 0)
            at_end |= starts & ~along
    return bool((crosses & ~at_end).any())


def _reflex(loop: Points) -> NDArray[np.bool_]:
    back = loop - np.roll(loop, 1, axis=0)
    ahead = np.roll(loop, -1, axis=0) - loop
    turn: NDArray[np.bool_] = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0] <= 0
    return turn


def _in_triangle(points: Points, triangle: Points) -> NDArray[np.bool_]:
    """Which points lie in or on a triangle that goes round to the left."""
    inside = np.ones(len(points), bool)
    for i in range(3):
        (ax, ay), (bx, by) = triangle[i], triangle[(i + 1) % 3]
        inside &= (bx - ax) * (points[:, 1] - ay) - (by - ay) * (points[:, 0] - ax) >= 0
    return inside


class _Loop:
    """A loop of corners from which ears are cut, and which of its corners are reflex."""

    def __init__(self, plane: Points) -> None:
        count = len(plane)
        self.plane = plane
        self._xy = plane.tolist()
        self.before = np.roll(np.arange(count), 1).tolist()
        self.after = np.roll(np.arange(count), -1).tolist()
        self.reflex = _reflex(plane)

    def turn(self, i: int) -> float:
        """Twice the area of the triangle at a corner; positive where it turns left."""
        (ax, ay), (bx, by), (cx, cy) = (self._xy[k] for k in (self.before[i], i, self.after[i]))
        return float((bx - ax) * (cy - by) - (by - ay) * (cx - bx))

    def is_ear(self, i: int) -> bool:
        """Whether the corner is convex and no other corner lies in its triangle."""
        if self.turn(i) <= 0:
            return False
        triangle = self.plane[[self.before[i], i, self.after[i]]]
        others = self.plane[self.reflex]
        # A bridge gives one point two names: such twins do not block each other.
        at_corner = (others[:, None] == triangle[None]).all(axis=2).any(axis=1)
        return not bool((_in_triangle(others, triangle) & ~at_corner).any())

    def remove(self, i: int) -> tuple[int, int, int]:
        """Cut the corner off; return its triangle."""
        left, right = self.before[i], self.after[i]
        self.after[left], self.before[right] = right, left
        self.reflex[i] = False
        for corner in (left, right):
            self.reflex[corner] = self.turn(corner) <= 0
        return left, i, right


def _ears(plane: Points) -> list[tuple[int, int, int]]:
    """Triangles of a simple loop; one that crosses itself still ends, with what it gives."""
    loop = _Loop(plane)
    left = set(range(len(plane)))
    candidates = list(left)
    triangles = []
    while len(left) > 3:
        ear = _next_ear(loop, candidates, left)
        triangles.append(loop.remove(ear))
        left.discard(ear)
        candidates += [loop.before[ear], loop.after[ear]]
    first = left.pop()
    triangles.append((loop.before[first], first, loop.after[first]))
    return triangles


def _next_ear(loop: _Loop, candidates: list[int], left: set[int]) -> int:
    """An ear among the corners that have changed; failing that, a flat or convex corner."""
    while candidates:
        corner = candidates.pop()
        if corner in left and loop.is_ear(corner):
            return corner
    return next((corner for corner in left if loop.turn(corner) >= 0), min(left))
