"""Refitting: trees for what has moved find the very hits that new ones find."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

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
    random_rays,
    random_transform,
    scene_of,
    soup,
)


def mixed_scene() -> RayScene:
    """Meshes placed once, with two masks, and repeated ones; one leaf, small and large trees."""
    rng = np.random.default_rng(1)
    meshes = [
        soup(9000, 2),
        soup(300, 3),
        soup(3, 4, size=0.8),
        displaced_sphere(40, 20, np.zeros(3)),
    ]
    placed = [(0, np.eye(3, 4)), (1, random_transform(rng)), (3, random_transform(rng))]
    placed += [(2, random_transform(rng)) for _ in range(30)]
    return scene_of(meshes, placed, [7, 5, 7] + [7] * 30)


def deformed(scene: RayScene, seed: int) -> RayScene:
    """Vertices moved anywhere near, and instances placed elsewhere."""
    rng = np.random.default_rng(seed)
    p = scene.positions
    bent = p + np.sin(p[:, [1, 2, 0]] * 3) * 0.5 + rng.normal(0, 0.02, p.shape)
    instances = scene.instances.copy()
    for instance in instances[1:]:
        matrix = random_transform(rng)
        instance["world_from_object"] = matrix.ravel()
        instance["object_from_world"] = np.linalg.inv(np.vstack([matrix, [0, 0, 0, 1]]))[:3].ravel()
    return replace(scene, positions=bent.astype(np.float32), instances=instances)


def closest(built: dict[str, Any], rays: Array, layout: str) -> Array:
    hits: Array = kernels().trace_closest(built, rays, 7, layout).view(layouts()["Hit"])
    return hits


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_refitted_tree_finds_the_hits_of_a_new_one(layout: str, threads: int) -> None:
    scene = mixed_scene()
    moved = deformed(scene, 5)
    refitted = kernels().refit_accelerator(scene.build(layout), *moved.arrays, layout, threads)
    rays = random_rays(30_000, seed=6, extent=4.0)
    hits = closest(refitted, rays, layout)
    assert 0.2 < is_hit(hits).mean() < 0.99
    assert (hits == closest(moved.build(layout), rays, layout)).all()
    assert (hits != closest(scene.build(layout), rays, layout)).mean() > 0.1
    occluded = kernels().trace_any(refitted, rays, 7, layout)
    assert np.array_equal(occluded.astype(bool), is_hit(hits))
    assert set(refitted) == set(layouts()["Accelerator"].names or ())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_has_not_moved_keeps_every_bit(layout: str) -> None:
    scene = mixed_scene()
    built = scene.build(layout)
    refitted = kernels().refit_accelerator(built, *scene.arrays, layout)
    assert all(np.array_equal(refitted[name], built[name]) for name in built)


def test_a_refit_leaves_what_it_began_with_as_it_was() -> None:
    scene = mixed_scene()
    built = scene.build()
    kernels().refit_accelerator(built, *deformed(scene, 7).arrays)
    assert all(np.array_equal(built[name], value) for name, value in scene.build().items())


def test_a_closed_surface_stays_closed() -> None:
    scene = placed_once(*displaced_sphere(200, 100, np.zeros(3)))
    stretched = replace(scene, positions=(scene.positions * [3, 0.5, 1] + 100).astype(np.float32))
    built = kernels().refit_accelerator(scene.build(), *stretched.arrays)
    rays = random_rays(200_000, seed=8)
    rays["origin"] = 100
    assert is_hit(closest(built, rays, "float8")).all()


def test_no_scene_stays_no_scene() -> None:
    empty = scene_of([], [])
    assert kernels().refit_accelerator(empty.build(), *empty.arrays)["placement_count"] == 0


OTHERS = {
    "fewer triangles": lambda: placed_once(*soup(299, 1)),
    "more triangles": lambda: placed_once(*soup(301, 1)),
    "another mask": lambda: scene_of([soup(300, 1)], [(0, np.eye(3, 4))], [3]),
    "placed twice": lambda: scene_of([soup(300, 1)], [(0, np.eye(3, 4)), (0, np.eye(3, 4))]),
    "nothing": lambda: scene_of([], []),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("other", sorted(OTHERS))
def test_the_accelerator_of_another_scene_is_refused(layout: str, other: str) -> None:
    built = placed_once(*soup(300, 1)).build(layout)
    with pytest.raises(ValueError, match="not that of a scene with these meshes"):
        kernels().refit_accelerator(built, *OTHERS[other]().arrays, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("array", ["nodes", "blocks", "placements"])
@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_accelerator_is_refused_or_refitted_but_never_followed_astray(
    layout: str, array: str, seed: int
) -> None:
    scene = mixed_scene()
    built = scene.build(layout)
    words = built[array].view("u4")
    rng = np.random.default_rng(seed)
    words[rng.integers(0, len(words), 200)] = rng.integers(0, 1 << 32, 200, dtype=np.uint32)
    with suppress(ValueError):
        kernels().refit_accelerator(built, *scene.arrays, layout)


def test_a_refit_ends_with_what_its_progress_raises() -> None:
    def stop(share: float) -> None:
        assert 0 <= share <= 1
        raise InterruptedError

    scene = placed_once(*displaced_sphere(1500, 750, np.zeros(3)))
    built = scene.build(threads=0)
    with pytest.raises(InterruptedError):
        kernels().refit_accelerator(built, *scene.arrays, progress=stop, threads=1)
