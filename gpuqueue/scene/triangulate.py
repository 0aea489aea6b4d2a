"""Polygons to triangles: fans where they are convex, ear clipping otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.ear_clipping import clip
from gpuqueue.scene.source import Place

#: Corners of one concave polygon, holes included; the cost grows with the square.
MAX_CORNERS = 5000
#: What a corner may turn right and still count as flat, of the polygon's area: 32-bit rounding.
FLATNESS = 1e-6

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
    points = positions.astype(np.float64)
    pieces = [(np.zeros((0, 3), np.int64), np.zeros(0, np.int64))]
    rest = [i for i, polygon in enumerate(polygons) if len(polygon.loops) > 1]
    for size, indices in _by_size(polygons).items():
        loops = np.array([polygons[i].loops[0] for i in indices], np.int64)
        is_fan = np.array([polygons[i].convex for i in indices]) | _are_convex(points[loops])
        pieces.append(_fans(loops[is_fan], indices[is_fan], size))
        rest += indices[~is_fan].tolist()
    for index in rest:
        clipped = np.array(_clip(points, polygons[index]), np.int64)
        pieces.append((clipped, np.full(len(clipped), index)))
    triangles = np.concatenate([piece[0] for piece in pieces])
    owners = np.concatenate([piece[1] for piece in pieces])
    order = owners.argsort(kind="stable")
    return triangles[order], owners[order]


def _clip(points: Points, polygon: Polygon) -> list[tuple[int, int, int]]:
    corners = sum(map(len, polygon.loops))
    if corners > MAX_CORNERS:
        raise polygon.at.error(
            f"a concave polygon of {corners} corners; at most {MAX_CORNERS} are possible"
        )
    return clip(points, polygon.loops, _normals(points[None, polygon.loops[0]])[0])


def _by_size(polygons: Sequence[Polygon]) -> dict[int, NDArray[np.int64]]:
    """Indices of the polygons without holes, by their number of corners."""
    found: dict[int, list[int]] = {}
    for index, polygon in enumerate(polygons):
        if len(polygon.loops) == 1:
            found.setdefault(len(polygon.loops[0]), []).append(index)
    return {size: np.array(indices, np.int64) for size, indices in found.items()}


def _fans(
    loops: NDArray[np.int64], indices: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Triangles from the first corner of each loop ``[P, size]``, and their polygons."""
    first = np.broadcast_to(loops[:, :1], (len(loops), size - 2))
    fans = np.stack([first, loops[:, 1:-1], loops[:, 2:]], axis=2)
    return fans.reshape(-1, 3), np.repeat(indices, size - 2)


def _cross(a: Points, b: Points) -> Points:
    """Cross products of vectors ``[..., 3]``; numpy's own is slow on short arrays."""
    x, y, z = (a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1)))
    return np.stack([x, y, z], axis=-1)


def _normals(corners: Points) -> Points:
    """Newell's normals of loops ``[P, N, 3]``: their length is twice the area, for any planar or
    nearly planar loop."""
    spokes = corners - corners.mean(axis=1, keepdims=True)
    normals: Points = _cross(spokes, np.roll(spokes, -1, axis=1)).sum(axis=1)
    return normals


def _are_convex(corners: Points) -> NDArray[np.bool_]:
    """Whether every corner of loops ``[P, N, 3]`` turns left and the loop goes round once."""
    if corners.shape[1] == 3:
        return np.ones(len(corners), bool)
    normals = _normals(corners)[:, None]
    edges = np.roll(corners, -1, axis=1) - corners
    turns = (_cross(np.roll(edges, 1, axis=1), edges) * normals).sum(axis=2)
    # A star turns left everywhere but goes round more than once: some fan triangle is reversed.
    spokes = corners[:, 1:] - corners[:, :1]
    fans = (_cross(spokes[:, :-1], spokes[:, 1:]) * normals).sum(axis=2)
    least = -FLATNESS * (normals**2).sum(axis=2)
    convex: NDArray[np.bool_] = (turns >= least).all(axis=1) & (fans >= least).all(axis=1)
    return convex
