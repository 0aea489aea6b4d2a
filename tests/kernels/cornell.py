"""The Cornell box, in the measures of the kernels' speed reference."""

import numpy as np

from tests.kernels.tiny_scene import TinyScene, Vector, quad

CAMERA_POSITION = (0.0, 0.0, 3.9)


def _box(center: Vector, half: Vector, angle: float) -> list[tuple[Vector, ...]]:
    signs = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)]) * 2 - 1
    x, y, z = (signs * half).T
    turned = [x * np.cos(angle) + z * np.sin(angle), y, -x * np.sin(angle) + z * np.cos(angle)]
    p = np.stack(turned, -1) + center
    faces = [(0, 2, 3, 1), (5, 7, 6, 4), (4, 6, 2, 0), (1, 3, 7, 5), (2, 6, 7, 3), (0, 1, 5, 4)]
    return [tuple(p[list(face)]) for face in faces]


def cornell_box() -> TinyScene:
    scene = TinyScene()
    white = scene.add_material("lambert", reflectance=(0.885809, 0.698859, 0.666422))
    red = scene.add_material("lambert", reflectance=(0.570068, 0.0430135, 0.0443706))
    green = scene.add_material("lambert", reflectance=(0.105421, 0.37798, 0.076425))
    light = scene.add_material(
        "lambert",
        emission=(18.387, 13.9873, 6.75357),
        reflectance=(0.885809, 0.698859, 0.666422),
    )
    walls: list[tuple[tuple[Vector, ...], int]] = [
        (((-1, -1, -1), (-1, -1, 1), (1, -1, 1), (1, -1, -1)), 0),
        (((-1, 1, 1), (-1, 1, -1), (1, 1, -1), (1, 1, 1)), 0),
        (((-1, -1, -1), (1, -1, -1), (1, 1, -1), (-1, 1, -1)), 0),
        (((-1, -1, 1), (-1, -1, -1), (-1, 1, -1), (-1, 1, 1)), 1),
        (((1, -1, -1), (1, -1, 1), (1, 1, 1), (1, 1, -1)), 2),
    ]
    walls += [(face, 0) for face in _box((0.335, -0.7, 0.38), (0.3, 0.3, 0.3), -0.297)]
    walls += [(face, 0) for face in _box((-0.33, -0.4, -0.28), (0.3, 0.6, 0.3), 0.3192)]
    lamp = ((-0.23, 0.99, -0.19), (0.23, 0.99, -0.19), (0.23, 0.99, 0.19), (-0.23, 0.99, 0.19))
    walls.append((lamp, 3))
    parts = [quad(*corners) for corners, _ in walls]
    corners = np.concatenate([p for p, _ in parts])
    indices = np.concatenate([t + 4 * np.uint32(i) for i, (_, t) in enumerate(parts)])
    slots = np.repeat([slot for _, slot in walls], 2).tolist()
    scene.place(scene.add_mesh((corners, indices), slots=slots), [white, red, green, light])
    return scene
