"""The builder: bounded depth, the same tree for any number of threads, and refusal of bad input."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gpuqueue.device.native import kernels, layouts

from .ray_scenes import (
    LAYOUTS,
    RayScene,
    displaced_sphere,
    is_hit,
    placed_once,
    random_rays,
    random_transform,
    rays_of,
    scene_of,
    soup,
)

NODE = np.dtype([("planes", "f4", (6, 8)), ("child", "u4", 8), ("padding", "u4", 8)])
LEAF_BIT = 1 << 31
MAX_DEPTH = 48  # bvh/tree_depth.cuh


def coincident(count: int) -> RayScene:
    """Triangles that no plane can separate."""
    return placed_once(
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]]), np.tile([[0, 1, 2]], (count, 1))
    )


def exponential(count: int) -> RayScene:
    """Each triangle much smaller and nearer to the origin than the one before: binning splits off
    one at a time, which without a bound would give a tree as deep as there are triangles."""
    scale = 1e8 * 0.5 ** (np.arange(count) % 170)[:, None, None]
    corners = np.array([[1, 0, 0], [1.2, 0.1, 0], [1, 0.2, 0.1]]) * scale
    return placed_once(corners.reshape(-1, 3), np.arange(3 * count).reshape(count, 3))


def doubling_runs(count: int) -> RayScene:
    """Coincident heaps whose sizes and distances double."""
    heap = np.log2(np.arange(count) + 1).astype(int)
    corners = np.array([[0, 0, 0], [1e-3, 0, 0], [0, 1e-3, 1e-3]]) + 2.0 ** heap[:, None, None]
    return placed_once(corners.reshape(-1, 3), np.arange(3 * count).reshape(count, 3))


def depth_of(built: dict[str, Any]) -> int:
    """Nodes on the longest path from the root of the only placement."""
    nodes = built["nodes"].view(NODE)
    root = built["placements"].view(layouts()["Placement"])["root"][0]
    depth, level = 0, np.array([root], np.uint32)
    while (level := level[level < LEAF_BIT]).size:
        depth, level = depth + 1, nodes["child"][level].ravel()
        assert depth < 200
    return depth


ADVERSARIES: dict[str, Callable[[], RayScene]] = {
    "coincident": lambda: coincident(100_000),
    "exponential": lambda: exponential(20_000),
    "doubling": lambda: doubling_runs(50_000),
}


@pytest.mark.parametrize("adversary", sorted(ADVERSARIES))
def test_the_tree_is_never_deeper_than_the_traversal_stack_allows(adversary: str) -> None:
    scene = ADVERSARIES[adversary]()
    assert 2 <= depth_of(scene.build()) <= MAX_DEPTH
    rays = random_rays(200, seed=1)
    hits = [scene.closest(rays, layout).tobytes() for layout in (*LAYOUTS, "exhaustive")]
    assert hits[0] == hits[1] == hits[2]


def test_of_coincident_triangles_the_first_is_hit() -> None:
    rays = rays_of(np.array([[0.2, 0.2, 1]]), np.array([[0, 0, -1]]))
    for layout in LAYOUTS:
        assert coincident(100_000).closest(rays, layout)["triangle"][0] == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_tree_is_the_same_for_any_number_of_threads(layout: str) -> None:
    scene = placed_once(*soup(40_000, seed=2))
    one, *others = (scene.build(layout, threads) for threads in (1, 2, 3, 8, 0))
    for other in others:
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_every_triangle_is_in_the_tree_once_or_as_filling() -> None:
    scene = placed_once(*soup(5001, seed=3))
    block = np.dtype([("corner", "f4", (9, 4)), ("instance", "u4", 4), ("triangle", "u4", 4)])
    numbers = scene.build()["blocks"].view(block)["triangle"]
    firsts = np.concatenate([np.unique(lanes) for lanes in numbers])
    assert np.array_equal(np.sort(firsts), np.arange(5001))


def test_meshes_used_once_share_one_tree_in_world_space() -> None:
    still = np.eye(3, 4)
    built = scene_of([soup(20, 4), soup(30, 5)], [(0, still), (1, still)]).build()
    assert built["placement_count"] == 1
    built = scene_of([soup(20, 4), soup(30, 5)], [(0, still), (1, still), (1, still)]).build()
    assert built["placement_count"] == 3


def test_an_accelerator_has_the_fields_of_its_record() -> None:
    built = placed_once(*soup(10, 6)).build()
    assert set(built) == set(layouts()["Accelerator"].names or ())
    assert all(built[name].ctypes.data % 64 == 0 for name in ("nodes", "blocks", "placements"))


def changed(scene: RayScene, array: str, field: str | None, index: Any, value: Any) -> RayScene:
    record = getattr(scene, array)
    (record if field is None else record[field])[index] = value
    return scene


@pytest.mark.parametrize(
    ("array", "field", "index", "value", "message"),
    [
        ("positions", None, (4, 1), np.nan, r"position 4 is \(.*nan"),
        ("positions", None, (0, 0), np.inf, "position 0 is"),
        ("positions", None, (0, 0), -1e30, "must be finite and within 1e"),
        ("triangles", "vertex", (2, 1), 99, "triangle 2 of mesh 0 has vertex 99; the mesh has 30"),
        ("meshes", "first_triangle", 0, 1, "mesh 0 uses triangles 1 to 11; there are 10"),
        ("meshes", "triangle_count", 0, 2**32 - 1, "mesh 0 uses triangles 0 to 4294967295"),
        ("meshes", "first_vertex", 0, 2**32 - 1, "mesh 0 uses vertices 4294967295 to 4294967325"),
        ("instances", "mesh", 0, 1, "instance 0 places mesh 1; there are 1"),
        (
            "instances",
            "world_from_object",
            (0, 3),
            np.nan,
            "world_from_object of instance 0 holds nan",
        ),
        ("instances", "object_from_world", (0, 0), 2, "is not the inverse"),
        ("instances", "world_from_object", (0, 3), 2e9, "world_from_object of instance 0 holds 2e"),
    ],
)
def test_a_record_that_cannot_be_used_is_named(
    array: str, field: str | None, index: Any, value: Any, message: str
) -> None:
    scene = changed(placed_once(*soup(10, 7)), array, field, index, value)
    with pytest.raises(ValueError, match=message):
        scene.build()


def test_a_scene_that_grows_beyond_the_coordinates_is_refused() -> None:
    matrix = np.hstack([np.eye(3) * 1e6, np.zeros((3, 1))])
    with pytest.raises(ValueError, match="instance 0 reaches beyond"):
        scene_of([(np.full((3, 3), 1e5), np.array([[0, 1, 2]]))], [(0, matrix)]).build()


def test_arguments_of_another_shape_or_name_are_refused() -> None:
    scene = placed_once(*soup(10, 8))
    p, t, m, i = scene.arrays
    build = kernels().build_accelerator
    with pytest.raises(ValueError, match="positions has records of 24 bytes; expected 12"):
        build(p.astype(float), t, m, i)
    with pytest.raises(ValueError, match="instances has records of 20 bytes; expected 116"):
        build(p, t, m, m)
    with pytest.raises(ValueError, match="positions must be a C-contiguous array"):
        build(np.asfortranarray(p), t, m, i)
    with pytest.raises(ValueError, match="unknown node layout 'wide'; known: compressed8, float8"):
        build(p, t, m, i, "wide")
    with pytest.raises(ValueError, match="threads must not be negative"):
        build(p, t, m, i, threads=-1)
    with pytest.raises(ValueError, match="rays has records of 12 bytes; expected 32"):
        kernels().trace_closest(scene.build(), p)
    with pytest.raises(ValueError, match="nodes"):
        kernels().trace_closest(scene.build("compressed8"), random_rays(1, 1), layout="float8")


def test_a_hit_of_another_scene_has_no_surface() -> None:
    scene = placed_once(*soup(10, 9))
    rays = random_rays(1, 1)
    hits = np.zeros(1, layouts()["Hit"])
    hits["triangle"] = 10
    assert not is_hit(hits[:0]).any()
    with pytest.raises(ValueError, match="names no triangle of the scene"):
        kernels().surface_origins(*scene.arrays, rays, hits)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_build_tells_how_far_it_is(threads: int) -> None:
    told: list[float] = []
    scene = placed_once(*soup(400_000, seed=10))
    kernels().build_accelerator(*scene.arrays, threads=threads, progress=told.append)
    assert len(told) >= 2
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("last", [1, 3])
def test_what_the_progress_raises_ends_the_build(threads: int, last: int) -> None:
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if len(told) == last:
            raise InterruptedError

    scene = placed_once(*soup(400_000, seed=10))
    with pytest.raises(InterruptedError):
        kernels().build_accelerator(*scene.arrays, threads=threads, progress=stop)
    assert len(told) == last


def test_the_box_of_a_turned_instance_holds_all_of_it_and_little_else() -> None:
    rng = np.random.default_rng(5)
    ball = displaced_sphere(60, 30, np.array([2.0, 0.0, -1.0]))
    scene = scene_of([ball], [(0, random_transform(rng)) for _ in range(40)])
    corners, instances, _ = scene.world_corners()
    placements = scene.build()["placements"].view(layouts()["Placement"])
    assert sorted(placements["first_instance"]) == list(range(40))
    wider = []
    for placement in placements:
        own = corners[instances == placement["first_instance"]].reshape(-1, 3)
        low, high = own.min(0), own.max(0)
        assert (placement["low"] <= low).all()
        assert (placement["high"] >= high).all()
        x, y, z = (placement["high"] - placement["low"]) / (high - low)
        wider.append(max(x, y, z))
    # By the mesh's own box: 1.6.
    assert np.mean(wider) < 1.3
