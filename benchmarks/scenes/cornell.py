"""A Cornell box: 38 triangles, open in front, one lamp below the ceiling."""

from __future__ import annotations

from benchmarks.scenes.description import SHADE, Scene, Surface, View, placed_once
from benchmarks.scenes.shapes import box, mesh_of, quad, shade

WHITE = Surface("diffuse", (0.8858, 0.6989, 0.6664))
RED = Surface("diffuse", (0.5701, 0.0430, 0.0444))
GREEN = Surface("diffuse", (0.1054, 0.3780, 0.0764))
LAMP = Surface("diffuse", (0.8858, 0.6989, 0.6664), emission=(18.387, 13.987, 6.754))


def cornell(detail: float) -> Scene:  # noqa: ARG001 - the walls are flat at any detail
    """The box, 2 x 2 x 2 about the origin."""
    white = [
        quad((-1, -1, -1), (-1, -1, 1), (1, -1, 1), (1, -1, -1)),
        quad((-1, 1, 1), (-1, 1, -1), (1, 1, -1), (1, 1, 1)),
        quad((-1, -1, -1), (1, -1, -1), (1, 1, -1), (-1, 1, -1)),
        box((0.335, -0.7, 0.38), (0.3, 0.3, 0.3), -0.297),
        box((-0.33, -0.4, -0.28), (0.3, 0.6, 0.3), 0.3192),
    ]
    red = quad((-1, -1, 1), (-1, -1, -1), (-1, 1, -1), (-1, 1, 1))
    green = quad((1, -1, -1), (1, -1, 1), (1, 1, 1), (1, 1, -1))
    lamp = quad((-0.23, 0.99, -0.19), (0.23, 0.99, -0.19), (0.23, 0.99, 0.19), (-0.23, 0.99, 0.19))
    return placed_once(
        "cornell",
        View((0.0, 0.0, 3.9), (0.0, 0.0, 0.0), 39.3),
        (WHITE, RED, GREEN, LAMP, SHADE),
        [
            mesh_of(shapes, i)
            for i, shapes in enumerate([white, [red], [green], [lamp], [shade(lamp)]])
        ],
    )
