"""Polygons to triangles: fans where they are convex, ear clipping with bridged holes otherwise.

Ear clipping after Meisters 1975, holes joined to the outer loop by a bridge to a visible vertex
as in Eberly, "Triangulation by Ear Clipping" (2002). Only the neighbours of a removed ear
change, so each corner is tested a bounded number of times, each test against all reflex corners
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.source import Place

#: Corners of one concave polygon, holes included; the cost grows with the square.
MAX_CORNERS = 10_000

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outer loop of vertices, counter-clockwise from the front, and its holes."""

    loops: list[list[int]]
    at: Place
    convex: bool = False


def triangulate(
    positions: NDArray[np.float32], polygons: Sequence[Polygon]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return triangles ``[T, 3]`` of vertices and, for each, the index of its polygon.

    A polygon without holes gives its corners less two; one with h holes two more for each hole.
    Raises SceneError for a concave polygon of more than `MAX_CORNERS` corners.
    """
    triangles: list[Sequence[Sequence[int]]] = []
    points = positions.astype(np.float64)
    for polygon in polygons:
        outer = polygon.loops[0]
        if len(polygon.loops) == 1 and len(outer) == 3:
            triangles.append([outer])
        elif len(polygon.loops) == 1 and (polygon.convex or _is_convex(points[outer])):
            triangles.append([(outer[0], b, c) for b, c in pairwise(outer[1:])])
        else:
            triangles.append(_clip(points, polygon))
    owners = np.repeat(np.arange(len(polygons)), [len(t) for t in triangles])
    flat = [triangle for some in triangles for triangle in some]
    return np.array(flat, np.int64).reshape(-1, 3), owners.astype(np.int64)


def _normal(corners: Points) -> Points:
    """Newell's normal: its length is twice the area, for any planar or nearly planar loop."""
    following = np.roll(corners, -1, axis=0)
    centre = corners.mean(axis=0)
    normal: Points = np.cross(corners - centre, following - centre).sum(axis=0)
    return normal


def _is_convex(corners: Points) -> bool:
    """Whether every corner turns left and the loop goes round once."""
    edges = np.roll(corners, -1, axis=0) - corners
    turns = np.cross(np.roll(edges, 1, axis=0), edges) @ _normal(corners)
    if (turns < 0).any():
        return False
    # A star turns left everywhere but goes round more than once: some fan triangle is reversed.
    spokes = corners[1:] - corners[0]
    fan = np.cross(spokes[:-1], spokes[1:]) @ _normal(corners)
    return bool((fan >= 0).all())


def _flatten(points: Points, loops: Sequence[Sequence[int]]) -> list[Points]:
    """Loops in the plane of the outer one: it goes round to the left, holes to the right."""
    normal = _normal(points[loops[0]])
    axis = int(abs(normal).argmax())
    kept = [(axis + 1) % 3, (axis + 2) % 3]
    sign = -1.0 if normal[axis] < 0 else 1.0
    return [points[list(loop)][:, kept] * [sign, 1.0] for loop in loops]


def _area(loop: Points) -> float:
    """Twice the signed area."""
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _clip(points: Points, polygon: Polygon) -> list[tuple[int, int, int]]:
    corners = sum(map(len, polygon.loops))
    if corners > MAX_CORNERS:
        raise polygon.at.error(
            f"a concave polygon of {corners} corners; at most {MAX_CORNERS} are possible"
        )
    flat = _flatten(points, polygon.loops)
    plane, vertices = flat[0], list(polygon.loops[0])
    holes = list(zip(flat[1:], polygon.loops[1:], strict=True))
    # The hole that reaches furthest right first: its bridge meets no other hole.
    for hole, names in sorted(holes, key=lambda pair: -float(pair[0][:, 0].max())):
        clockwise = hole if _area(hole) < 0 else hole[::-1]
        ordered = list(names) if _area(hole) < 0 else list(names)[::-1]
        plane, vertices = _bridge(plane, vertices, clockwise, ordered)
    return [(vertices[a], vertices[b], vertices[c]) for a, b, c in _ears(plane)]


def _bridge(
    outer: Points, names: list[int], hole: Points, hole_names: list[int]
) -> tuple[Points, list[int]]:
    """Cut from the hole's rightmost corner to a visible corner of the outer loop."""
    start = int(hole[:, 0].argmax())
    end = _visible_corner(outer, hole[start])
    turned = np.roll(np.arange(len(hole)), -start)
    order = [*turned.tolist(), start]
    loop = np.concatenate([outer[: end + 1], hole[order], outer[end:]])
    return loop, [*names[: end + 1], *(hole_names[i] for i in order), *names[end:]]


def _visible_corner(outer: Points, point: Points) -> int:
    """The corner of `outer` to which a line from `point`, its right side free, can be drawn."""
    a, b = outer, np.roll(outer, -1, axis=0)
    crosses = (a[:, 1] <= point[1]) & (b[:, 1] >= point[1]) & (a[:, 1] < b[:, 1])
    if not crosses.any():  # the hole is not inside: join it to the nearest corner
        return int(((outer - point) ** 2).sum(axis=1).argmin())
    rise = np.where(crosses, b[:, 1] - a[:, 1], 1.0)
    hit_x = a[:, 0] + (point[1] - a[:, 1]) / rise * (b[:, 0] - a[:, 0])
    hit_x = np.where(crosses & (hit_x >= point[0]), hit_x, np.inf)
    edge = int(hit_x.argmin())
    if not np.isfinite(hit_x[edge]):
        return int(((outer - point) ** 2).sum(axis=1).argmin())
    hit = np.array([hit_x[edge], point[1]])
    after = (edge + 1) % len(outer)
    corner = edge if outer[edge, 0] > outer[after, 0] else after
    return _nearest_blocking(outer, point, hit, corner)


def _nearest_blocking(outer: Points, point: Points, hit: Points, corner: int) -> int:
    """The corner inside the triangle point, hit, corner with the smallest angle, else `corner`."""
    triangle = np.array([point, hit, outer[corner]])
    if _area(triangle) < 0:
        triangle = triangle[::-1]
    inside = _in_triangle(outer, triangle) & (outer != outer[corner]).any(axis=1)
    inside &= _reflex(outer)
    if not inside.any():
        return corner
    offset = outer - point
    angle = abs(np.arctan2(offset[:, 1], offset[:, 0]))
    ranked = np.lexsort((np.hypot(*offset.T), np.where(inside, angle, np.inf)))
    return int(ranked[0])


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
