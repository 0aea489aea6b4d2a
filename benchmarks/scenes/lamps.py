"""A thousand small lamps of eight powers over rough ground in the dark: 324 thousand triangles."""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.description import SHADE, Floats, Scene, Surface, View, placed_once
from benchmarks.scenes.shapes import Shape, grid, mesh_of, plane, shade, waves

CELLS = 400
LAMPS, POWERS = 1000, 8
HALF = 20.0


def lamps(detail: float) -> Scene:
    """Ground of 40 x 40 with lamps 0.5 to 3 above it, each power half of the next."""
    ground = plane(max(8, round(CELLS * detail**0.5)), HALF)
    ground[..., 1] = 1.2 * waves(ground[..., ::2], seed=3, octaves=5, lowest=0.3)
    rng = np.random.default_rng(4)
    places = rng.uniform(-0.95 * HALF, 0.95 * HALF, (LAMPS, 2))
    heights = 1.2 * waves(places, seed=3, octaves=5, lowest=0.3) + rng.uniform(0.8, 3.0, LAMPS)
    centres = np.stack([places[:, 0], heights, places[:, 1]], axis=1)
    quads = [facing_down(rng, centre) for centre in centres]
    surfaces = [Surface("diffuse", (0.6, 0.55, 0.5)), SHADE]
    meshes = [mesh_of([grid(ground)], 0), mesh_of([shade(quad) for quad in quads], 1)]
    for power in range(POWERS):
        tint = np.array([1.0, 0.4 + 0.6 * (power % 2), 0.3 + 0.1 * power])
        red, green, blue = (0.8 * 2.0**power * tint).tolist()
        surfaces.append(Surface("diffuse", emission=(red, green, blue)))
        meshes.append(mesh_of(quads[power::POWERS], 2 + power))
    view = View((0.0, 9.0, 24.0), (0.0, 1.5, 0.0), 55.0)
    return placed_once("lamps", view, tuple(surfaces), meshes)


def facing_down(rng: np.random.Generator, centre: Floats) -> Shape:
    """A square of side 0.16 that shines down, tilted by chance."""
    down = np.array([0.0, -1.0, 0.0]) + rng.normal(size=3) * 0.3
    u = np.cross(down, [1.0, 0.0, 0.0])
    u *= 0.08 / np.linalg.norm(u)
    v = np.cross(down, u)
    v *= 0.08 / np.linalg.norm(v)
    corners = np.array([centre - u - v, centre + u - v, centre + u + v, centre - u + v])
    return corners, np.array([[0, 1, 2], [0, 2, 3]])
