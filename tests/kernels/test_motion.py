"""Instances that move: where rays meet them, and what light they send, at every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpuqueue.device.native import kernels, layouts

from .ray_scenes import (
    LAYOUTS,
    Array,
    Floats,
    RayScene,
    is_hit,
    moving,
    random_rays,
    random_transform,
    rays_of,
    scene_of,
    soup,
)
from .tiny_scene import TinyScene, look_at, quad, record

COUNT = 20_000


def shifted(matrix: Floats, x: float, y: float = 0.0, z: float = 0.0) -> Floats:
    return np.asarray(matrix, float) + np.array([[0, 0, 0, x], [0, 0, 0, y], [0, 0, 0, z]])


def turned(degrees: float) -> Floats:
    """About z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0]])


def at_time(keys: list[Floats], time: float) -> Floats:
    place = time * (len(keys) - 1)
    before = min(int(place), len(keys) - 2)
    later = place - before
    return (1 - later) * keys[before].astype("f4").astype(float) + later * keys[before + 1].astype(
        "f4"
    ).astype(float)


def restless() -> tuple[RayScene, dict[int, list[Floats]]]:
    """Meshes that move and others that do not: shared, alone, by two keys and by more."""
    rng = np.random.default_rng(1)
    meshes = [soup(150, seed=2, size=0.3), soup(300, seed=3), soup(40, seed=4, size=0.5)]
    still = [(0, random_transform(rng)) for _ in range(10)]
    scene = scene_of(meshes, [*still, (1, np.eye(3, 4)), (2, np.eye(3, 4)), (0, np.eye(3, 4))])
    first = random_transform(rng)
    keys = {
        3: [first, shifted(first, 1.0, -2.0, 0.5)],
        5: [random_transform(rng) for _ in range(2)],
        11: [turned(angle) for angle in (0, 40, 80, 120)],
        12: [shifted(turned(30), -2), shifted(turned(60), 0), shifted(turned(10), 2)],
    }
    return moving(scene, keys), keys


@pytest.fixture(scope="module")
def scene() -> RayScene:
    return restless()[0]


@pytest.fixture(scope="module")
def rays() -> Array:
    return random_rays(COUNT, seed=5, extent=3.0)


@pytest.fixture(scope="module")
def times() -> Array:
    drawn = np.random.default_rng(6).random(COUNT).astype(np.float32)
    drawn[:100], drawn[100:200] = 0, 1
    return drawn


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_finds_the_same_hits_as_a_test_of_every_triangle(
    scene: RayScene, rays: Array, times: Array, layout: str
) -> None:
    hits = scene.closest(rays, layout, times=times)
    assert np.isin([3, 5, 11, 12], hits["instance"]).all()
    assert (hits == scene.closest(rays, "exhaustive", times=times)).all()
    assert (scene.any(rays, layout, times=times) == is_hit(hits)).all()


@pytest.mark.parametrize("time", [0.0, 0.2, 1 / 3, 0.5, 0.9, 1.0])
def test_at_each_time_the_hits_are_those_of_a_scene_that_stands_there(
    scene: RayScene, rays: Array, time: float
) -> None:
    """A box that held less than the whole way would lose hits."""
    _, keys = restless()
    placed = [
        (
            int(i["mesh"]),
            at_time(keys[n], time) if n in keys else i["world_from_object"].reshape(3, 4),
        )
        for n, i in enumerate(scene.instances)
    ]
    starts = scene.meshes["first_vertex"]
    meshes = [
        (
            scene.positions[first:][: mesh["vertex_count"]].astype(float),
            scene.triangles["vertex"][mesh["first_triangle"] :][: mesh["triangle_count"]],
        )
        for first, mesh in zip(starts, scene.meshes, strict=True)
    ]
    standing = scene_of(meshes, placed).closest(rays, "float8")
    hits = scene.closest(rays, "float8", times=np.full(COUNT, time, np.float32))
    same = hits["instance"] == standing["instance"]
    assert same.mean() > 0.9995  # roundings at silhouettes
    close = np.isclose(hits["t"], standing["t"], rtol=2e-4, atol=1e-5)
    assert (close | ~is_hit(hits))[same].mean() > 0.9995


def test_rays_at_the_edges_of_the_whole_way_are_not_lost() -> None:
    """A needle that moves sideways, seen from afar just inside its ends, at random times."""
    needle = np.array([[0, -1, 0], [0.001, -1, 0], [0.001, 1, 0], [0, 1, 0]], float)
    scene = scene_of([(needle, np.array([[0, 1, 2], [0, 2, 3]]))], [(0, np.eye(3, 4))])
    scene = moving(scene, {0: [shifted(np.eye(3, 4), -50, 7), shifted(np.eye(3, 4), 1e3, 7)]})
    rng = np.random.default_rng(7)
    times = np.concatenate([rng.random(5000), [0, 1]]).astype(np.float32)
    x = -50 + 1050.0 * times + 0.0005
    y = 7 + rng.uniform(-0.999, 0.999, len(times))
    rays = rays_of(np.stack([x, y, np.full_like(x, 30)], 1), np.array([0.0, 0, -1]))
    for layout in LAYOUTS:
        hits = scene.closest(rays, layout, times=times)
        assert is_hit(hits).mean() > 0.9  # the needle is about as thin as the roundings of x


def test_without_times_everything_stands_where_the_shutter_opens(
    scene: RayScene, rays: Array
) -> None:
    opened = scene.closest(rays, "float8", times=np.zeros(COUNT, np.float32))
    found = scene.closest(rays, "float8")
    assert (opened["instance"] == found["instance"]).mean() > 0.9995


@pytest.mark.parametrize("distance", [0, 100, 3000])
def test_what_leaves_a_moving_surface_does_not_meet_it_again(distance: float) -> None:
    rng = np.random.default_rng(8)
    octahedron = octahedron_at(distance * 0.01)
    keys = [shifted(random_transform(rng, 1.0), distance) for _ in range(2)]
    scene = moving(scene_of([octahedron], [(0, np.eye(3, 4))]), {0: keys})
    times = rng.random(COUNT).astype(np.float32)
    ends = [key @ [*(distance * 0.01 * np.ones(3)), 1] for key in keys]
    centre = (1 - times[:, None]) * ends[0] + times[:, None] * ends[1]
    toward = rng.normal(size=(COUNT, 3))
    rays = rays_of(centre - toward * 20 / np.linalg.norm(toward, axis=1, keepdims=True), toward)
    hits = scene.closest(rays, "float8", times=times)
    found = is_hit(hits)
    assert found.mean() > 0.5
    rays, hits, times = rays[found].copy(), hits[found].copy(), times[found].copy()
    left = kernels().surface_origins(*scene.arrays, rays, hits, keys=scene.keys, times=times)
    origins = left.view("f4").reshape(-1, 2, 3)
    # Convex: from the outside no direction above the surface meets it again.
    direction = rng.normal(size=(len(rays), 3))
    height = (direction * origins[:, 1]).sum(1)
    direction *= np.sign(height)[:, None]
    again = scene.closest(rays_of(origins[:, 0], direction), "float8", times=times)
    assert not (is_hit(again) & (again["triangle"] == hits["triangle"])).any()


def octahedron_at(place: float) -> tuple[Floats, Array]:
    """About (place, place, place)."""
    points = np.concatenate([np.eye(3), -np.eye(3)])
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    return points + place, np.array(faces)


def test_a_moment_that_flattens_a_mesh_hides_it() -> None:
    """Halfway to half a turn the matrix is singular: as in mental ray, points move on chords."""
    square = (
        np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]),
        np.array([[0, 1, 2], [0, 2, 3]]),
    )
    scene = moving(scene_of([square], [(0, np.eye(3, 4))]), {0: [turned(0), turned(180)]})
    rays = rays_of(np.array([[0.01, 0.02, 5]] * 3), np.array([[0, 0, -1]] * 3))
    hits = scene.closest(rays, "float8", times=np.array([0, 0.5, 1], np.float32))
    assert is_hit(hits).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key_count": 1}, "instance 0 moves by 1 keys from 0"),
        ({"key_count": 3}, "it takes 2 or more of the 2 that there are"),
        ({"first_key": 2**32 - 1}, "instance 0 moves by 2 keys from 4294967295"),
    ],
)
def test_keys_that_are_not_there_are_refused(change: dict[str, int], message: str) -> None:
    scene = moving(scene_of([soup(3, 1)], [(0, np.eye(3, 4))]), {0: [turned(0), turned(9)]})
    for name, value in change.items():
        scene.instances[0]["motion"][name] = value
    with pytest.raises(ValueError, match=message):
        scene.build()


@pytest.mark.parametrize(
    ("row", "value", "message"),
    [
        (1, np.nan, "a key of instance 0 holds nan"),
        (1, 0.0, "key 1 of instance 0 cannot be inverted"),
        (0, 2.0, "the first key of instance 0 is not its world_from_object"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(row: int, value: float, message: str) -> None:
    scene = moving(scene_of([soup(3, 1)], [(0, np.eye(3, 4))]), {0: [turned(0), turned(9)]})
    scene.keys[row, :3] = value
    with pytest.raises(ValueError, match=message):
        scene.build()


def test_times_outside_the_shutter_are_refused(scene: RayScene, rays: Array) -> None:
    for time in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="times must be 0 to 1"):
            scene.closest(rays[:1], "float8", times=np.array([time], np.float32))
    with pytest.raises(ValueError, match="one time for each ray"):
        scene.closest(rays, "float8", times=np.zeros(3, np.float32))


SIZE = (32, 8)


def square_matrix(matrix: Floats) -> Floats:
    return np.vstack([matrix, [0, 0, 0, 1]])


def glowing() -> tuple[TinyScene, int]:
    """A bright square a quarter as wide as what the camera sees."""
    scene = TinyScene(samples_emission=False)
    light = scene.add_material("lambert", emission=(1, 1, 1))
    shape = quad((-0.5, -9, 0), (0.5, -9, 0), (0.5, 9, 0), (-0.5, 9, 0))
    return scene, scene.add(shape, light)


def camera() -> Any:
    """4 wide at distance 5."""
    return look_at((0, 0, 5), (0, 0, 0), *SIZE, degrees=float(np.degrees(2 * np.arctan(2 / 5))))


def test_a_pixel_sees_a_moving_light_for_as_long_as_it_is_there() -> None:
    scene, square = glowing()
    scene.move(
        square, square_matrix(shifted(np.eye(3, 4), -1)), square_matrix(shifted(np.eye(3, 4), 1))
    )
    seen = scene.mean(camera(), SIZE, 256)[..., 0].mean(axis=0)
    edges = np.linspace(-2, 2, 33)
    x = (edges[:-1] + edges[1:]) / 2
    # The square covers x from time (x + 0.5) / 2 to (x + 1.5) / 2, within the shutter.
    expected = np.clip((x + 1.5) / 2, 0, 1) - np.clip((x + 0.5) / 2, 0, 1)
    np.testing.assert_allclose(seen, expected, atol=0.01)


def test_a_moving_camera_sees_what_a_moving_scene_shows() -> None:
    scene, square = glowing()
    scene.move(square, np.eye(4), square_matrix(shifted(np.eye(3, 4), 1.5)))
    by_scene = scene.mean(camera(), SIZE, 64)
    scene, _ = glowing()
    view = camera()
    view["origin_change"] = (-1.5, 0, 0)
    job_scene = scene.mean(view, SIZE, 64, is_varying=True)
    # The same times for each sample; only roundings at the square's edges differ.
    assert (by_scene != job_scene).mean() < 0.01


@pytest.mark.parametrize("samples_emission", [True, False])
def test_a_moving_lamp_lights_as_it_does_on_the_average_of_its_places(
    samples_emission: bool,
) -> None:
    """A lamp that shrinks, turns and moves over a matt floor, one bounce, against a Riemann sum of
    pictures of the lamp at rest. Both ways to find it, connecting and scattering, must agree."""
    keys = [np.diag([2.0, 1, 2, 1]), np.diag([0.5, 1, 1, 1])]
    keys[0][:3, 3], keys[1][:3, 3] = (-1, 2, 0), (1, 3, 0.5)
    keys[1][:3, :3] = keys[1][:3, :3] @ turned(35)[:, :3]
    floor_view = look_at((0, 6, 0.01), (0, 0, 0), 8, 8, 40)

    def lit(*places: Floats, samples: int) -> Floats:
        scene = TinyScene(samples_emission=samples_emission)
        grey = scene.add_material("lambert", reflectance=(0.5, 0.5, 0.5))
        glow = scene.add_material("lambert", emission=(3, 2, 1))
        scene.add(quad((-9, 0, 9), (9, 0, 9), (9, 0, -9), (-9, 0, -9)), grey)
        lamp = quad((-0.5, 0, -0.5), (0.5, 0, -0.5), (0.5, 0, 0.5), (-0.5, 0, 0.5))
        number = scene.add(lamp, glow, mask=2 | 4)
        if len(places) > 1:
            scene.move(number, *places)
        else:
            scene.instances[number]["world_from_object"] = places[0][:3].ravel()
            scene.instances[number]["object_from_world"] = np.linalg.inv(places[0])[:3].ravel()
        found: Floats = scene.mean(floor_view, (8, 8), samples, max_depth=2)
        return found

    # Without connections a lamp is found by chance alone.
    scale = 1 if samples_emission else 8
    moved = lit(*keys, samples=2048 * scale)
    times = (np.arange(32) + 0.5) / 32
    still = np.mean(
        [lit((1 - t) * keys[0] + t * keys[1], samples=64 * scale) for t in times], axis=0
    )
    assert moved.mean() > 0.04
    assert moved.mean() == pytest.approx(still.mean(), rel=0.006 if samples_emission else 0.012)
    np.testing.assert_allclose(moved, still, rtol=0.12 if samples_emission else 0.25)


def test_a_furnace_stays_white_around_what_moves_in_it() -> None:
    scene = TinyScene(environment=(1, 1, 1))
    white = scene.add_material("lambert", reflectance=(1, 1, 1))
    box = scene.add(quad((-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)), white)
    scene.move(box, square_matrix(turned(0)), square_matrix(shifted(turned(80), 1, 0.5, -1)))
    picture = scene.mean(camera(), SIZE, 32, max_depth=64)
    np.testing.assert_allclose(picture, 1, atol=1e-5)


def test_a_film_is_the_same_for_any_threads_and_passes() -> None:
    scene, square = glowing()
    scene.move(square, np.eye(4), square_matrix(shifted(turned(70), 1.5)))
    whole = scene.render(camera(), SIZE, 16)
    assert (scene.render(camera(), SIZE, 16, passes=[3, 13], threads=3) == whole).all()


def test_a_scene_of_which_nothing_moves_is_the_same_by_either_kernel() -> None:
    scene, _ = glowing()
    plain = scene.render(camera(), SIZE, 8)
    assert (scene.render(camera(), SIZE, 8, is_varying=True) == plain).all()


def test_the_motion_record_is_reported() -> None:
    assert layouts()["Motion"].names == ("first_key", "key_count")
    assert record("Instance")["motion"]["key_count"] == 0
