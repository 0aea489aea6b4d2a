"""Closest and any hits against brute force: over meshes, instances, masks and layouts."""

import numpy as np
import pytest

from gpuqueue.device.native import kernels, layouts

from .ray_scenes import (
    LAYOUTS,
    NO_INSTANCE,
    Array,
    Floats,
    RayScene,
    is_hit,
    placed_once,
    random_rays,
    random_transform,
    rays_of,
    scene_of,
    soup,
)


def soup_scene() -> RayScene:
    return placed_once(*soup(3000, seed=1))


def instanced_scene() -> RayScene:
    """Two meshes placed many times, rotated, mirrored and stretched, and two meshes placed once."""
    rng = np.random.default_rng(2)
    meshes = [soup(200, seed=3), soup(1, seed=4, size=0.8), soup(300, seed=5), soup(7, seed=6)]
    placed = [(i % 2, random_transform(rng)) for i in range(60)]
    placed += [(2, random_transform(rng)), (3, random_transform(rng))]
    return scene_of(meshes, placed)


def tied_scene() -> RayScene:
    """The same triangles several times over: every hit is a tie between meshes and instances."""
    positions, vertices = soup(40, seed=7, size=0.6)
    doubled = np.concatenate([vertices, vertices])
    still = np.eye(3, 4)
    return scene_of(
        [(positions, doubled), (positions, vertices)], [(0, still), (0, still), (1, still)]
    )


SCENES = {"soup": soup_scene, "instances": instanced_scene, "ties": tied_scene}


@pytest.fixture(params=sorted(SCENES), scope="module")
def scene(request: pytest.FixtureRequest) -> RayScene:
    return SCENES[request.param]()


@pytest.fixture(scope="module")
def rays() -> Array:
    return random_rays(20_000, seed=8, extent=3.0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_finds_the_same_hits_as_a_test_of_every_triangle(
    scene: RayScene, rays: Array, layout: str
) -> None:
    hits = scene.closest(rays, layout)
    assert 0.02 < is_hit(hits).mean() < 0.98
    assert (hits == scene.closest(rays, "exhaustive")).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_hit_agrees_with_the_closest_hit_for_any_t_max(
    scene: RayScene, rays: Array, layout: str
) -> None:
    hits = scene.closest(rays, layout)
    found = is_hit(hits)
    assert (scene.any(rays, layout) == found).all()
    ending_there = rays[found].copy()
    ending_there["t_max"] = hits["t"][found]
    assert scene.any(ending_there, layout).all()
    ending_before = ending_there.copy()
    ending_before["t_max"] = np.nextafter(hits["t"][found], np.float32(-1))
    assert not scene.any(ending_before, layout).any()


def world_hits(scene: RayScene, rays: Array) -> tuple[Floats, Array]:
    """By double precision in world space (Möller and Trumbore 1997): t [R, T], which are hit."""
    corners, _, _ = scene.world_corners()
    a, e1, e2 = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    ts = np.empty((len(rays), len(a)))
    inside = np.empty_like(ts, bool)
    for i, ray in enumerate(rays):
        d, s = ray["direction"].astype(float), ray["origin"].astype(float) - a
        p, q = np.cross(d, e2), np.cross(s, e1)
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = 1 / (e1 * p).sum(1)
            u, v = (s * p).sum(1) * inverse, (q @ d) * inverse
            ts[i] = (e2 * q).sum(1) * inverse
        inside[i] = (u >= 0) & (v >= 0) & (u + v <= 1) & (ts[i] >= 0)
    return ts, inside


def test_hits_agree_with_double_precision(scene: RayScene, rays: Array) -> None:
    some = rays[::20].copy()
    hits = scene.closest(some, "float8")
    ts, inside = world_hits(scene, some)
    nearest = np.where(inside, ts, np.inf).min(1)
    t = np.where(is_hit(hits), hits["t"], np.inf)
    with np.errstate(invalid="ignore"):
        same = (np.isinf(t) & np.isinf(nearest)) | (abs(t - nearest) <= 1e-4 * (1 + nearest))
    assert same.mean() > 0.998  # a ray through an edge may fall on either side of it


def test_weights_give_the_point_on_the_ray(scene: RayScene, rays: Array) -> None:
    hits = scene.closest(rays, "float8")
    found = is_hit(hits)
    hits, at = hits[found], rays[found]
    corners, instances, numbers = scene.world_corners()
    row = {pair: i for i, pair in enumerate(zip(instances, numbers, strict=True))}
    of_hit = corners[[row[int(h["instance"]), int(h["triangle"])] for h in hits]]
    u, v = hits["u"][:, None].astype(float), hits["v"][:, None].astype(float)
    by_weights = of_hit[:, 0] * (1 - u - v) + of_hit[:, 1] * u + of_hit[:, 2] * v
    by_distance = at["origin"] + at["direction"] * hits["t"][:, None].astype(float)
    assert ((u >= 0) & (v >= 0) & (u + v <= 1 + 1e-6)).all()
    # Grazing hits are exact to the roundings of the corners divided by the angle's sine.
    assert np.quantile(abs(by_weights - by_distance).max(1), 0.999) < 1e-4


def test_of_equal_distances_the_lowest_instance_and_triangle_wins(rays: Array) -> None:
    hits = tied_scene().closest(rays, "compressed8")
    found = is_hit(hits)
    assert found.any()
    assert (hits["instance"][found] == 0).all()
    assert (hits["triangle"][found] < 40).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_instances_with_a_bit_of_the_mask_are_hit(layout: str) -> None:
    quad = (
        np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]),
        np.array([[0, 1, 2], [0, 2, 3]]),
    )
    at = [np.hstack([np.eye(3), [[0], [0], [z]]]) for z in (-1.0, -2.0, -3.0, -4.0)]
    scene = scene_of([quad, quad], [(0, at[0]), (0, at[1]), (1, at[2]), (0, at[3])], [1, 2, 4, 0])
    rays = rays_of(np.array([[0.1, 0.2, 0]]), np.array([[0, 0, -2]]))
    found = {mask: int(scene.closest(rays, layout, mask)["instance"][0]) for mask in range(8)}
    assert found == {0: NO_INSTANCE, 1: 0, 2: 1, 3: 0, 4: 2, 5: 0, 6: 1, 7: 0}
    # t counts lengths of the direction.
    assert scene.closest(rays, layout, 4)["t"][0] == pytest.approx(1.5, rel=1e-6)


def test_t_min_and_t_max_are_both_part_of_the_ray() -> None:
    quad = np.array([[-1, -1, -2], [1, -1, -2], [1, 1, -2]]), np.array([[0, 1, 2]])
    scene = placed_once(*quad)
    for t_min, t_max, expected in [
        (0, 2, True),
        (2, 2, True),
        (2, 9, True),
        (0, 1.99, False),
        (2.01, 9, False),
        (9, 1, False),
    ]:
        rays = rays_of(np.array([[0.5, 0.2, 0]]), np.array([[0, 0, -1]]), t_max, t_min)
        assert is_hit(scene.closest(rays, "float8"))[0] == expected, (t_min, t_max)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scene_of_nothing_is_never_hit(layout: str) -> None:
    rays = random_rays(50, seed=9)
    empty = np.zeros((0, 3)), np.zeros((0, 3), int)
    for scene in (
        scene_of([], []),
        scene_of([soup(3, 1)], []),
        scene_of([empty], [(0, np.eye(3, 4))]),
    ):
        assert not is_hit(scene.closest(rays, layout)).any()
        assert not scene.any(rays, layout).any()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("field", ["origin", "direction", "t_min", "t_max"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 1e25, 1e-30, 0.0])
def test_strange_rays_give_no_strange_hits(layout: str, field: str, value: float) -> None:
    rays = random_rays(500, seed=10)
    if field in ("origin", "direction"):
        rays[field][:250, 1] = value
        rays[field][250:] = value
    else:
        rays[field] = value
    hits = instanced_scene().closest(rays, layout)
    found = is_hit(hits)
    assert np.isfinite([hits[f][found] for f in "tuv"]).all()
    if np.isnan(value):
        assert not found[250:].any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_triangles_without_area_are_harmless(layout: str) -> None:
    positions, vertices = soup(300, seed=11)
    points = np.zeros((50, 3), int)
    lines = np.stack([vertices[:, 0], vertices[:, 1], vertices[:, 1]], -1)
    scene = placed_once(positions, np.concatenate([points, lines, vertices]))
    rays = random_rays(5000, seed=12)
    hits = scene.closest(rays, layout)
    assert (hits["triangle"][is_hit(hits)] >= 350).all()
    without = placed_once(positions, vertices).closest(rays, layout)
    assert (hits["t"] == without["t"]).all()


def test_hits_do_not_depend_on_the_instruction_set(scene: RayScene, rays: Array) -> None:
    modules = compiled_modules()
    if len(modules) < 2:
        pytest.skip("this processor runs one of the builds only")
    for layout in LAYOUTS:
        first, second = (scene.closest(rays, layout, module=m) for m in modules)
        assert first.tobytes() == second.tobytes()


def compiled_modules() -> list[object]:
    """Every build of the kernels that this processor runs."""
    from importlib import import_module

    names = {kernels().__name__, "gpuqueue._kernels_baseline"}
    return [import_module(name) for name in sorted(names)]


def test_the_layouts_of_rays_and_hits_are_described() -> None:
    assert layouts()["Ray"].itemsize == 32
    assert layouts()["Hit"].names == ("t", "u", "v", "instance", "triangle")
    assert layouts()["Accelerator"].fields is not None
