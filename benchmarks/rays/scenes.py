"""What rays are traced through: scenes of one and of two levels, and five kinds of rays in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpuqueue.device.native import kernels
from tests.kernels.ray_scenes import (
    Array,
    Floats,
    RayScene,
    displaced_sphere,
    is_hit,
    placed_once,
    rays_of,
    scene_of,
)

#: Half the side of the cube that a room fills.
REACH = 5.0


@dataclass(frozen=True)
class View:
    """Where the camera stands, along which direction it looks, and from where light falls."""

    eye: Floats
    forward: Floats
    lights: tuple[Floats, Floats]  # opposite corners of a rectangle


@dataclass(frozen=True)
class RayKind:
    """Rays that are traced alike; for any hit, or the closest."""

    rays: Array
    any_hit: bool


def spheres(triangles: int) -> tuple[RayScene, View]:
    """A bumpy sphere and 360 small ones in a room with an open front: one level.

    triangles: how many there are, nearly.
    """
    rng = np.random.default_rng(1)
    columns = max(8, round((triangles * 0.64) ** 0.5))
    small = max(6, round((triangles * 0.36 / 360) ** 0.5))
    parts = [displaced_sphere(columns, columns // 2, np.zeros(3))]
    parts[0] = parts[0][0] * 1.6, parts[0][1]
    while len(parts) <= 360:
        centre = rng.uniform(-4, 4, 3)
        if np.linalg.norm(centre) > 2:
            points, vertices = displaced_sphere(small, max(4, small // 2), np.zeros(3), 0.05)
            parts.append((points * (0.08 + 0.25 * rng.random() ** 2) + centre, vertices))
    parts.append(walls())
    view = View(
        np.array([0.5, 1.0, -4.9]),
        np.array([-0.05, -0.12, 1.0]),
        (np.array([-1.5, 4.99, -1.5]), np.array([1.5, 4.99, 1.5])),
    )
    return placed_once(*joined(parts)), view


def joined(parts: list[tuple[Floats, Array]]) -> tuple[Floats, Array]:
    """Several meshes as one."""
    firsts = np.cumsum([0, *(len(points) for points, _ in parts[:-1])])
    return (
        np.concatenate([points for points, _ in parts]),
        np.concatenate([v + first for (_, v), first in zip(parts, firsts, strict=True)]),
    )


def walls() -> tuple[Floats, Array]:
    """The room's five faces: all but the one towards the camera."""
    corners = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) * REACH
    quads = np.array([[0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5], [4, 5, 7, 6]])
    return corners, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def grove(triangles: int) -> tuple[RayScene, View]:
    """Hilly ground, and 400 turned and stretched copies of one bumpy ball on it: two levels.

    triangles: of the two meshes together, nearly; the ground has half of them.
    """
    rng = np.random.default_rng(3)
    side = max(4, round((triangles / 4) ** 0.5))
    columns = max(8, round((triangles / 2) ** 0.5))
    ball = displaced_sphere(columns, columns // 2, np.zeros(3))
    placed: list[tuple[int, Floats]] = [(0, np.eye(3, 4))]
    for x, z in rng.uniform(-REACH, REACH, (400, 2)):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        linear = turn @ np.diag(rng.uniform(0.1, 0.3, 3))
        placed.append((1, np.column_stack([linear, [x, hill(np.array([x, z])) + 0.15, z]])))
    view = View(
        np.array([0.0, 2.5, -6.0]),
        np.array([0.0, -0.35, 1.0]),
        (np.array([-3.0, 6.0, -3.0]), np.array([3.0, 6.0, 3.0])),
    )
    return scene_of([ground(side), ball], placed), view


def hill(place: Floats) -> Floats:
    """Height of the ground at (x, z) [..., 2]."""
    height: Floats = 0.4 * np.sin(place[..., 0] * 1.3) * np.cos(place[..., 1] * 1.7)
    return height


def ground(side: int) -> tuple[Floats, Array]:
    """A square of side * side * 2 triangles."""
    line = np.linspace(-REACH, REACH, side + 1)
    place = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    points = np.column_stack([place[:, 0], hill(place), place[:, 1]])
    a = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    b, c, d = a + 1, a + side + 1, a + side + 2
    return points, np.concatenate([np.stack([a, b, d], -1), np.stack([a, d, c], -1)])


def ray_kinds(scene: RayScene, view: View, side: int = 512) -> dict[str, RayKind]:
    """side * side rays from the camera in scan order, as many at random, fewer from camera hits."""
    rng = np.random.default_rng(2)
    camera = rays_of(view.eye, camera_directions(view, side))
    points, normals = hit_points(scene, camera)
    around = rng.normal(size=points.shape)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    to_light = rng.uniform(*view.lights, points.shape) - points
    distance = np.linalg.norm(to_light, axis=1, keepdims=True)
    anywhere = rng.uniform(-REACH, REACH, (side * side, 3))
    towards = rng.normal(size=(side * side, 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return {
        "camera": RayKind(camera, False),
        "bounce": RayKind(rays_of(points, normals * 1.001 + around), False),
        "random": RayKind(rays_of(anywhere, towards), False),
        "shadow": RayKind(rays_of(points, to_light / distance, distance[:, 0] * 0.9999), True),
        "random any": RayKind(rays_of(anywhere, towards, 3.0), True),
    }


def camera_directions(view: View, side: int) -> Floats:
    """Unit directions [side * side, 3] over a field of view of ninety degrees."""
    forward = view.forward / np.linalg.norm(view.forward)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    up = np.cross(forward, right)
    y, x = np.mgrid[1 : -1 : side * 1j, -1 : 1 : side * 1j]
    directions: Floats = (forward + x[..., None] * right + y[..., None] * up).reshape(-1, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions


def hit_points(scene: RayScene, rays: Array) -> tuple[Floats, Floats]:
    """Where rays that leave the hits of these begin, and the normals there, towards the ray."""
    hits = scene.closest(rays, "float8")
    seen = is_hit(hits)
    origins = kernels().surface_origins(*scene.arrays, rays[seen].copy(), hits[seen].copy())
    points, normals = np.moveaxis(origins.view("f4").reshape(-1, 2, 3), 1, 0)
    return points, normals
