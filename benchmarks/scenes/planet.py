"""One rough sphere of 5.0 million triangles between an even sky and a lamp."""

from __future__ import annotations

from benchmarks.scenes.description import Scene, Surface, View, placed_once
from benchmarks.scenes.shapes import mesh_of, quad, sphere, sphere_points, waves

COLUMNS = 2236


def planet(detail: float) -> Scene:
    """A sphere of radius about one."""
    columns = max(8, round(COLUMNS * detail**0.5))
    rows = max(4, columns // 2)
    radius = 1 + 0.08 * waves(sphere_points(columns, rows), seed=9, octaves=8, lowest=3.0)
    lamp = quad((1.5, 2.2, 1.0), (2.5, 2.2, 1.0), (2.5, 2.2, 2.0), (1.5, 2.2, 2.0))
    return placed_once(
        "planet",
        View((0.0, 0.4, 3.2), (0.0, 0.0, 0.0), 46.0),
        (
            Surface("diffuse", (0.65, 0.55, 0.45)),
            Surface("diffuse", emission=(30.0, 26.0, 20.0)),
        ),
        [mesh_of([sphere(columns, rows, radius)], 0), mesh_of([lamp], 1)],
        sky=(0.25, 0.30, 0.40),
    )
