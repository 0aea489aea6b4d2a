"""No ray gets through a closed surface, and no ray that leaves a surface finds it again."""

import numpy as np
import pytest

from gpuqueue.device.native import kernels, layouts

from .ray_scenes import (
    LAYOUTS,
    Array,
    RayScene,
    displaced_sphere,
    is_hit,
    placed_once,
    random_transform,
    rays_of,
    scene_of,
)

#: Radii between the sphere's centre and the origin of coordinates.
DISTANCES = (0, 100, 3000)
DIRECTION_TO_CENTRE = np.array([1, 0.7, -0.3])


def sphere_scene(distance: float) -> RayScene:
    return placed_once(*displaced_sphere(400, 200, distance * DIRECTION_TO_CENTRE))


def rays_at_edges_and_vertices(scene: RayScene, distance: float) -> Array:
    """From inside, at every vertex, the middle of every edge, and anywhere; lengths vary."""
    corners, _, _ = scene.world_corners()
    middles = (corners + np.roll(corners, 1, axis=1)) / 2
    rng = np.random.default_rng(1)
    targets = np.concatenate([corners.reshape(-1, 3), middles.reshape(-1, 3)]).astype(np.float32)
    inside = (distance * DIRECTION_TO_CENTRE + [0.013, -0.021, 0.007]).astype(np.float32)
    at_targets = targets - inside
    lengths = np.linalg.norm(at_targets.astype(float), axis=1, keepdims=True)
    anywhere = rng.normal(size=(700_000, 3))
    return rays_of(inside, np.concatenate([at_targets / lengths, anywhere]))


@pytest.mark.parametrize("distance", DISTANCES)
def test_no_ray_leaks_out_of_a_closed_surface(distance: float) -> None:
    scene = sphere_scene(distance)
    rays = rays_at_edges_and_vertices(scene, distance)
    assert len(rays) > 1_600_000
    hits = {layout: scene.closest(rays, layout) for layout in LAYOUTS}
    leaks = {layout: int((~is_hit(h)).sum()) for layout, h in hits.items()}
    assert leaks == {"float8": 0, "compressed8": 0}
    assert hits["float8"].tobytes() == hits["compressed8"].tobytes()


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [-1, 1])
def test_rays_along_an_axis_do_not_leak_between_aligned_triangles(axis: int, sign: int) -> None:
    """A grid of squares with corners at whole numbers, and rays exactly through corners."""
    n = 9
    x, y = np.meshgrid(np.arange(n) - n // 2, np.arange(n) - n // 2, indexing="ij")
    points = np.roll(np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3), axis + 1, axis=1)
    a = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    quads = [np.stack([a, a + n, a + n + 1], -1), np.stack([a, a + n + 1, a + 1], -1)]
    scene = placed_once(points.astype(float), np.concatenate(quads))
    halves = np.arange(-3, 3.5, 0.5)
    u, v = np.meshgrid(halves, halves)
    origins = np.roll(np.stack([u, v, np.full_like(u, 5.0 * sign)], -1).reshape(-1, 3), axis + 1, 1)
    direction = np.zeros(3)
    direction[axis] = -sign
    rays = rays_of(origins, direction)
    for layout in LAYOUTS:
        assert is_hit(scene.closest(rays, layout)).all()


def instanced_spheres(distance: float) -> RayScene:
    """Overlapping spheres around a far point, rotated, mirrored and stretched."""
    rng = np.random.default_rng(2)
    sphere = displaced_sphere(60, 30, np.zeros(3))
    matrices = [random_transform(rng, spread=1.0) for _ in range(8)]
    for matrix in matrices:
        matrix[:, 3] += distance * DIRECTION_TO_CENTRE
    return scene_of([sphere], [(0, matrix) for matrix in matrices])


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("make", [sphere_scene, instanced_spheres])
def test_a_ray_that_leaves_a_surface_does_not_find_it_again(make: object, distance: float) -> None:
    assert callable(make)
    scene = make(distance)
    rng = np.random.default_rng(3)
    centre = distance * DIRECTION_TO_CENTRE
    rays = rays_of(centre + rng.uniform(-2, 2, (200_000, 3)), rng.normal(size=(200_000, 3)))
    hits = scene.closest(rays, "float8")
    rays, hits = rays[is_hit(hits)].copy(), hits[is_hit(hits)].copy()
    assert len(hits) > 20_000
    origins = kernels().surface_origins(*scene.arrays, rays, hits).view("f4").reshape(-1, 2, 3)
    points, normals = origins[:, 0], origins[:, 1]
    # Cosine-weighted, and for every other ray within a degree of the surface.
    around = rng.normal(size=points.shape)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    around[::2] -= (around[::2] * normals[::2]).sum(1, keepdims=True) * normals[::2] * 0.999
    directions = normals * np.where(np.arange(len(points)) % 2, 1.001, 0.01)[:, None] + around
    outward = (directions * normals).sum(1) > 0
    again = scene.closest(rays_of(points[outward], directions[outward]), "float8")
    left = hits[outward]
    same = is_hit(again) & (again["instance"] == left["instance"])
    same &= again["triangle"] == left["triangle"]
    assert outward.mean() > 0.9
    assert same.sum() == 0


def test_the_offset_is_a_few_roundings_not_more() -> None:
    for distance in DISTANCES:
        scene = sphere_scene(distance)
        centre = distance * DIRECTION_TO_CENTRE
        directions = np.random.default_rng(4).normal(size=(5000, 3))
        rays = rays_of(centre, directions)
        hits = scene.closest(rays, "float8")
        points = (
            kernels().surface_origins(*scene.arrays, rays, hits).view("f4").reshape(-1, 2, 3)[:, 0]
        )
        corners, _, _ = scene.world_corners()
        u, v = hits["u"][:, None].astype(float), hits["v"][:, None].astype(float)
        of_hit = corners[hits["triangle"]]
        exact = of_hit[:, 0] * (1 - u - v) + of_hit[:, 1] * u + of_hit[:, 2] * v
        moved = np.linalg.norm(points - exact, axis=1).max()
        assert moved < 8 * np.spacing(np.float32(1 + 1.3 * distance))
    assert layouts()["Hit"].itemsize == 20


def test_a_plane_through_the_origin_is_left_as_any_other() -> None:
    corners = np.array([[-1, 0, -1], [1, 0, -1], [0, 0, 1]], float)
    scene = placed_once(corners, np.array([[0, 2, 1]]))
    rays = rays_of(np.array([[0.1, 2.0, 0.1]]), np.array([0.0, -1.0, 0.0]))
    hits = scene.closest(rays, "float8")
    origins = kernels().surface_origins(*scene.arrays, rays, hits).view("f4").reshape(2, 3)
    assert 0 < origins[0, 1] < 1e-5
