"""What shading reads of a triangle: in world space or in object space, it is the same surface."""

from __future__ import annotations

import numpy as np
import pytest

from gpuqueue.device.native import kernels, layouts

from .ray_scenes import Array, RayScene, is_hit, random_transform, rays_of, scene_of, soup

FAR = np.array([[1, 0, 0, 1e4], [0, 1, 0, 0], [0, 0, 1, 0]], float)


def surfaces(scene: RayScene, rays: Array) -> Array:
    """Points and normals [N, 2, 3] where the rays meet the scene."""
    hits = scene.closest(rays, "float8")
    seen = is_hit(hits)
    assert seen.mean() > 0.3
    found: Array = kernels().surface_origins(*scene.arrays, rays[seen].copy(), hits[seen].copy())
    return found.view("f4").reshape(-1, 2, 3)


@pytest.mark.parametrize("seed", range(4))
def test_a_mesh_has_the_same_surface_placed_once_and_placed_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mesh, matrix = soup(300, seed, size=0.4), random_transform(rng, spread=1.0)
    once, twice = scene_of([mesh], [(0, matrix)]), scene_of([mesh], [(0, matrix), (0, FAR)])
    targets = once.world_corners()[0].mean(axis=1)
    rays = rays_of(np.full(3, 20.0), targets - 20.0)
    a, b = surfaces(once, rays), surfaces(twice, rays)
    # The points are those of rays from far away, rounded on their way to object space.
    np.testing.assert_allclose(a[:, 0], b[:, 0], atol=1e-3)
    np.testing.assert_allclose(a[:, 1], b[:, 1], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(a[:, 1], axis=1), 1, atol=1e-6)


def test_a_light_that_names_no_triangle_is_refused() -> None:
    scene = scene_of([soup(5, 1)], [(0, np.eye(3, 4))])
    lights = np.zeros(2, layouts()["Light"])
    lights["triangle"] = 4, 5
    with pytest.raises(ValueError, match="light 1 names no triangle of the scene"):
        kernels().build_faces(*scene.arrays, lights)
    lights["triangle"], lights["instance"] = 0, 1
    with pytest.raises(ValueError, match="light 0 names no triangle of the scene"):
        kernels().build_faces(*scene.arrays, lights)
