"""A closed room of spheres and rings, matt, metal and glass, with four lamps: 300 thousand
triangles."""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.description import SHADE, Scene, Surface, View, placed_once
from benchmarks.scenes.shapes import Shape, box, mesh_of, moved, quad, shade, sphere, torus

#: Things on each side of the floor, and layers of them.
SIDE, LAYERS = 6, 2
TRIANGLES = 300_000
SURFACES = (
    Surface("diffuse", (0.72, 0.70, 0.66)),
    Surface("diffuse", (0.70, 0.25, 0.18)),
    Surface("diffuse", (0.20, 0.40, 0.70)),
    Surface("metal", (0.95, 0.75, 0.40), alpha=0.2),
    Surface("metal", (0.85, 0.86, 0.88), alpha=0.1),
    Surface("glass", ior=1.5),
    Surface("diffuse", emission=(14.0, 13.0, 11.0)),
    SHADE,
)
WALLS, GLASS, LAMP = 0, 5, 6


def room(detail: float) -> Scene:
    """A room of 12 x 6 x 12 on the plane y = 0, seen from within."""
    each = TRIANGLES * detail / (SIDE * SIDE * LAYERS)
    columns = max(6, round(each**0.5))
    things: dict[int, list[Shape]] = {}
    rng = np.random.default_rng(5)
    kinds = rng.permutation(np.tile([1, 1, 2, 3, 4, GLASS], SIDE * SIDE * LAYERS // 6))
    for number, surface in enumerate(kinds.tolist()):
        things.setdefault(surface, []).append(thing(rng, number, columns))
    walls, triangles = box((0.0, 3.0, 0.0), (6.0, 3.0, 6.0))
    meshes = [mesh_of([(walls, triangles[:, ::-1])], WALLS)]
    meshes += [mesh_of(shapes, surface) for surface, shapes in sorted(things.items())]
    lamps = [lamp(x, z) for x in (-3.0, 3.0) for z in (-3.0, 3.0)]
    meshes += [mesh_of(lamps, LAMP), mesh_of([shade(quad) for quad in lamps], LAMP + 1)]
    return placed_once("room", View((0.0, 3.0, 5.8), (0.0, 1.7, -1.0), 70.0), SURFACES, meshes)


def thing(rng: np.random.Generator, number: int, columns: int) -> Shape:
    """A sphere or a ring, in its own cell of the room so that no two meet."""
    rows = max(4, columns // 2)
    column, row = number % SIDE, number // SIDE % SIDE
    layer = number // (SIDE * SIDE)
    shape = sphere(columns, rows, 0.5) if rng.random() < 0.5 else torus(columns, rows, 0.45, 0.16)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.sign(np.linalg.det(turn))
    cell = np.array([column - (SIDE - 1) / 2, 0.65 + 1.4 * layer, row - SIDE / 2])
    matrix[:3, 3] = cell * [1.7, 1.0, 1.5] + rng.uniform(-0.1, 0.1, 3) * [1, 0, 1]
    return moved(shape, matrix)


def lamp(x: float, z: float) -> Shape:
    """A square lamp just below the ceiling, facing down."""
    y, half = 5.95, 0.6
    return quad(
        (x - half, y, z - half),
        (x + half, y, z - half),
        (x + half, y, z + half),
        (x - half, y, z + half),
    )
