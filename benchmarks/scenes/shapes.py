"""Shapes as positions ``[V, 3]`` and triangles ``[T, 3]``, fronts outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes.description import Floats, Mesh

Shape = tuple[Floats, NDArray[np.int64]]


def mesh_of(shapes: Sequence[Shape], surface: int) -> Mesh:
    """Shapes side by side in one mesh."""
    firsts = np.cumsum([0, *(len(positions) for positions, _ in shapes)])
    positions = np.concatenate([positions for positions, _ in shapes])
    triangles = np.concatenate([t + first for (_, t), first in zip(shapes, firsts, strict=False)])
    return Mesh(positions.astype(np.float32), triangles.astype(np.int32), surface)


def quad(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]) -> Shape:
    """Four corners, counter-clockwise seen from the front."""
    return np.array([a, b, c, d], float), np.array([[0, 1, 2], [0, 2, 3]])


def shade(lamp: Shape) -> Shape:
    """What stands close behind a quad, so that it does not matter whether a renderer's lamps
    shine to both sides. Make it black."""
    corners, triangles = lamp
    front = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    side = np.linalg.norm(corners[1] - corners[0])
    return corners - front / np.linalg.norm(front) * side * 2e-3, triangles


def box(center: Sequence[float], half: Sequence[float], turn: float = 0.0) -> Shape:
    """A box turned by `turn` radians about the y axis; eight corners, twelve triangles."""
    signs = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)]) * 2 - 1
    x, y, z = (signs * np.array(half)).T
    cos, sin = np.cos(turn), np.sin(turn)
    corners = np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=1) + np.array(center)
    faces = [(0, 2, 3, 1), (5, 7, 6, 4), (4, 6, 2, 0), (1, 3, 7, 5), (2, 6, 7, 3), (0, 1, 5, 4)]
    triangles = [half_face for a, b, c, d in faces for half_face in ((a, b, c), (a, c, d))]
    return corners, np.array(triangles)


def grid(points: Floats, *, close_u: bool = False, close_v: bool = False) -> Shape:
    """Two triangles between each four neighbours of points [U, V, 3], which may close to a ring.

    The front is where u and v turn counter-clockwise.
    """
    nu, nv = points.shape[:2]
    u, v = np.meshgrid(
        np.arange(nu if close_u else nu - 1), np.arange(nv if close_v else nv - 1), indexing="ij"
    )
    a, b = u * nv + v, (u + 1) % nu * nv + v
    c, d = (u + 1) % nu * nv + (v + 1) % nv, u * nv + (v + 1) % nv
    halves = [np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)]
    return points.reshape(-1, 3), np.stack(halves, axis=2).reshape(-1, 3)


def sphere_points(columns: int, rows: int) -> Floats:
    """Directions [columns, rows + 1, 3] from the lower pole to the upper; columns are a ring."""
    turn = np.arange(columns)[:, None] * (2 * np.pi / columns)
    height = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)[None, :]
    return np.stack(
        [
            np.cos(height) * np.sin(turn),
            np.sin(height) + 0 * turn,
            np.cos(height) * np.cos(turn),
        ],
        axis=-1,
    )


def sphere(columns: int, rows: int, radius: Floats | float = 1.0) -> Shape:
    """A closed sphere, `radius` a number or one for each point [columns, rows + 1].

    The triangles at the poles, which have no area, are left out.
    """
    points = sphere_points(columns, rows) * np.asarray(radius)[..., None]
    # All columns meet in one point at either pole.
    points[:, 0], points[:, -1] = points[0, 0], points[0, -1]
    positions, triangles = grid(points, close_u=True)
    row = triangles % (rows + 1)
    at_poles = ((row == 0) | (row == rows)).sum(axis=1)
    return positions, triangles[at_poles < 2]


def torus(columns: int, rows: int, major: float, minor: float) -> Shape:
    """A ring about the y axis."""
    turn = np.arange(columns)[:, None] * (2 * np.pi / columns)
    around = np.arange(rows)[None, :] * (2 * np.pi / rows)
    distance = major + minor * np.cos(around)
    height = minor * np.sin(around) + 0 * turn
    return grid(
        np.stack([distance * np.sin(turn), height, distance * np.cos(turn)], axis=-1),
        close_u=True,
        close_v=True,
    )


def plane(cells: int, half: float) -> Floats:
    """Points [cells + 1, cells + 1, 3] of a square at height 0 whose grid faces up."""
    steps = np.linspace(-half, half, cells + 1)
    z, x = np.meshgrid(steps, steps, indexing="ij")
    return np.stack([x, np.zeros_like(x), z], axis=-1)


def moved(shape: Shape, matrix: Floats) -> Shape:
    """A shape by a matrix [4, 4]."""
    return shape[0] @ matrix[:3, :3].T + matrix[:3, 3], shape[1]


def waves(points: Floats, seed: int, octaves: int, lowest: float) -> Floats:
    """Smooth noise in about -1 to 1 for points [..., D]: waves in random directions, each octave
    twice as fine and half as high; `lowest` is the first one's angular frequency."""
    rng = np.random.default_rng(seed)
    total = np.zeros(points.shape[:-1])
    for octave in range(octaves):
        for _ in range(4):
            direction = rng.normal(size=points.shape[-1])
            direction *= lowest * 2**octave / np.linalg.norm(direction)
            total += np.sin(points @ direction + rng.uniform(0, 2 * np.pi)) / (4 * 2**octave)
    return total
