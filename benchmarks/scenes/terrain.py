"""Hills with 200 trees under an even sky: 1.0 million triangles, 20 million as placed."""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.description import Floats, Mesh, Scene, Surface, View
from benchmarks.scenes.shapes import Shape, grid, mesh_of, plane, sphere, waves

CELLS = 506
LEAVES = 96_000
TREES, KINDS = 200, 5
HALF = 50.0


def terrain(detail: float) -> Scene:
    """Hills of 100 x 100 with trees about 5 high."""
    ground = plane(max(8, round(CELLS * detail**0.5)), HALF)
    ground[..., 1] = height(ground[..., ::2])
    rng = np.random.default_rng(11)
    trees = [tree(rng, max(16, round(LEAVES * detail)), 1 + kind) for kind in range(KINDS)]
    return Scene(
        "terrain",
        View((0.0, 17.0, 54.0), (0.0, 5.0, 0.0), 50.0),
        (
            Surface("diffuse", (0.42, 0.36, 0.26)),
            *(Surface("diffuse", (0.12 + 0.05 * k, 0.34 - 0.03 * k, 0.08)) for k in range(KINDS)),
        ),
        (mesh_of([grid(ground)], 0), *trees),
        np.concatenate([[0], 1 + np.arange(TREES) % KINDS]),
        np.concatenate([np.eye(4)[None], stands(rng)]),
        sky=(0.75, 0.85, 1.0),
    )


def height(places: Floats) -> Floats:
    """The ground's height at x, z [..., 2]."""
    return 5.0 * waves(places, seed=7, octaves=6, lowest=0.08)


def stands(rng: np.random.Generator) -> Floats:
    """Where the trees stand [TREES, 4, 4]: each turned and scaled by chance."""
    places = rng.uniform(-0.92 * HALF, 0.92 * HALF, (TREES, 2))
    turns = rng.uniform(0, 2 * np.pi, TREES)
    scales = rng.uniform(0.7, 1.3, TREES)
    matrices = np.zeros((TREES, 4, 4))
    matrices[:, 0, 0] = matrices[:, 2, 2] = scales * np.cos(turns)
    matrices[:, 0, 2], matrices[:, 2, 0] = scales * np.sin(turns), -scales * np.sin(turns)
    matrices[:, 1, 1], matrices[:, 3, 3] = scales, 1.0
    matrices[:, [0, 2], 3], matrices[:, 1, 3] = places, height(places)
    return matrices


def tree(rng: np.random.Generator, leaves: int, surface: int) -> Mesh:
    """A slender trunk and a crown of single triangles."""
    columns = max(6, round((leaves / 60) ** 0.5))
    trunk, triangles = sphere(columns, columns)
    stretched = trunk * [0.18, 1.6, 0.18] + [0.0, 1.4, 0.0]
    return mesh_of([(stretched, triangles), crown(rng, leaves)], surface)


def crown(rng: np.random.Generator, leaves: int) -> Shape:
    """Leaves of any direction in balls about the crown's branches."""
    branches = rng.normal(size=(24, 3)) * [0.9, 0.8, 0.9] + [0.0, 4.0, 0.0]
    outward = rng.normal(size=(leaves, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    radius = 0.55 * rng.uniform(0.2, 1.0, (leaves, 1)) ** (1 / 3)
    centres = branches[rng.integers(0, len(branches), leaves)] + outward * radius
    corners = centres[:, None] + rng.normal(size=(leaves, 3, 3)) * 0.03
    return corners.reshape(-1, 3), np.arange(3 * leaves).reshape(-1, 3)
