"""Surfaces of area lights as triangles whose area is that of the exact shape."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.model import Mesh

Points = NDArray[np.float64]
Triangles = NDArray[np.int64]
_CIRCLE = 32


def mesh_of(name: str, points: Points, triangles: Triangles) -> Mesh:
    """Return a mesh of one material without normals."""
    return Mesh(
        name,
        points.astype(np.float32),
        None,
        None,
        triangles.astype(np.int32),
        np.zeros(len(triangles), np.int32),
        1,
    )


def rectangle(centre: Points, u: Points, v: Points) -> tuple[Points, Triangles]:
    """Centred at `centre`, spanned by two edges; the front is that of u x v."""
    corners = [-u - v, u - v, u + v, v - u]
    return centre + np.array(corners) / 2, np.array([[0, 1, 2], [0, 2, 3]])


def disc(centre: Points, normal: Points, radius: float) -> tuple[Points, Triangles]:
    """A regular polygon of the disc's area that faces along `normal`."""
    u, v, _ = _frame(normal)
    angles = np.arange(_CIRCLE) * (2 * math.pi / _CIRCLE)
    polygon_area = _CIRCLE / 2 * math.sin(2 * math.pi / _CIRCLE)
    r = radius * math.sqrt(math.pi / polygon_area)
    rim = centre + r * (np.cos(angles)[:, None] * u + np.sin(angles)[:, None] * v)
    ring = np.arange(_CIRCLE)
    triangles = np.stack([np.full(_CIRCLE, _CIRCLE), ring, (ring + 1) % _CIRCLE], axis=1)
    return np.vstack([rim, centre]), triangles


def cylinder(centre: Points, axis: Points, radius: float) -> tuple[Points, Triangles]:
    """The side of a cylinder centred at `centre`, as long as `axis`, facing out."""
    u, v, _ = _frame(axis)
    angles = np.arange(_CIRCLE) * (2 * math.pi / _CIRCLE)
    r = radius * (2 * math.pi) / (_CIRCLE * 2 * math.sin(math.pi / _CIRCLE))
    rim = r * (np.cos(angles)[:, None] * u + np.sin(angles)[:, None] * v)
    points = np.vstack([centre - axis / 2 + rim, centre + axis / 2 + rim])
    low, following = np.arange(_CIRCLE), (np.arange(_CIRCLE) + 1) % _CIRCLE
    high = low + _CIRCLE
    lower = np.stack([low, following, following + _CIRCLE], axis=1)
    return points, np.vstack([lower, np.stack([low, following + _CIRCLE, high], axis=1)])


def sphere(centre: Points, radius: float) -> tuple[Points, Triangles]:
    """An icosahedron, each face cut in four twice, facing out."""
    points, triangles = _icosahedron()
    for _ in range(2):
        points, triangles = _subdivide(points, triangles)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return centre + points * radius * math.sqrt(4 * math.pi / area), triangles


def _icosahedron() -> tuple[Points, Triangles]:
    g = (1 + math.sqrt(5)) / 2
    points = np.array([[s, t * g, 0] for t in (1, -1) for s in (-1, 1)], float)
    points = np.vstack([points, points[:, [2, 0, 1]], points[:, [1, 2, 0]]])
    # Faces are the triples at mutual distance 2, turned to face out.
    near = np.isclose(np.linalg.norm(points[:, None] - points[None], axis=2), 2)
    faces = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    out = [f if np.linalg.det(points[list(f)]) > 0 else (f[0], f[2], f[1]) for f in faces]
    return points / np.linalg.norm(points[0]), np.array(out)


def _subdivide(points: Points, triangles: Triangles) -> tuple[Points, Triangles]:
    a, b, c = triangles.T
    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]))
    unique, places = np.unique(edges, axis=0, return_inverse=True)
    middle = points[unique].sum(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = places.reshape(3, -1) + len(points)
    parts = ([a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca])
    return np.vstack([points, middle]), np.vstack([np.stack(p, axis=1) for p in parts])


def _frame(axis: Points) -> tuple[Points, Points, Points]:
    """Two unit vectors u, v with u x v along `axis`, and the unit axis."""
    w = axis / np.linalg.norm(axis)
    helper = np.eye(3)[abs(w).argmin()]
    u = np.cross(helper, w)
    u /= np.linalg.norm(u)
    return u, np.cross(w, u), w
