"""Direct light on a matt plane, against closed forms and quadrature."""

from typing import Any

import numpy as np
import pytest

from tests.kernels.tiny_scene import (
    DIRECTIONAL,
    EVERYTHING,
    INVERSE_SQUARE,
    LINEAR,
    NONE,
    PATHS,
    POINT,
    SHADOW,
    SPOT,
    Floats,
    TinyScene,
    look_at,
    quad,
)

REFLECTANCE = np.array([0.8, 0.5, 0.2])
EYE = (0.0, 3.0, 0.0)


def plane_scene() -> TinyScene:
    """A large plane y = 0, seen in a spot about its origin from above."""
    scene = TinyScene()
    matt = scene.add_material("lambert", reflectance=REFLECTANCE)
    scene.add(quad((-50, 0, 50), (50, 0, 50), (50, 0, -50), (-50, 0, -50)), matt)
    return scene


def seen(scene: TinyScene, samples: int = 16, size: int = 16, **options: Any) -> Floats:
    """Mean radiance [size * size, 3] of the plane about the origin."""
    camera = look_at(EYE, (0, 0, 0), size, size, degrees=0.02)
    options = {"max_depth": 2} | options
    return scene.mean(camera, (size, size), samples, **options).reshape(-1, 3)


def assert_radiance(pixels: Floats, expected: Any, rtol: float = 1e-4) -> None:
    """The mean over pixels is within four of its standard errors, and rtol for the spot's size."""
    error = pixels.std(0) / np.sqrt(len(pixels))
    deviation = np.abs(pixels.mean(0) - expected)
    assert (deviation <= 4 * error + rtol * np.abs(expected)).all(), (pixels.mean(0), expected)


def lit_by(**light: Any) -> Floats:
    scene = plane_scene()
    scene.add_light(**light)
    return seen(scene)


SLANTED = np.array([1.5, 2.0, -0.5])
DISTANCE = float(np.linalg.norm(SLANTED))
COSINE = 2.0 / DISTANCE
COLOR = np.array([10.0, 20.0, 30.0])
MATT = REFLECTANCE / np.pi


def test_a_point_light_fades_with_the_square_of_distance() -> None:
    pixels = lit_by(kind=POINT, falloff=INVERSE_SQUARE, position=SLANTED, color=COLOR)
    assert_radiance(pixels, MATT * COLOR * COSINE / DISTANCE**2)


def test_a_point_light_without_falloff_does_not_fade() -> None:
    pixels = lit_by(kind=POINT, falloff=NONE, position=SLANTED, color=COLOR)
    assert_radiance(pixels, MATT * COLOR * COSINE)


@pytest.mark.parametrize(
    ("start", "stop", "share"),
    [
        (DISTANCE + 1, DISTANCE + 2, 1.0),
        (DISTANCE - 1, DISTANCE + 1, 0.5),
        (DISTANCE - 2, DISTANCE - 1, 0.0),
    ],
)
def test_a_linear_falloff_ends_between_its_distances(
    start: float, stop: float, share: float
) -> None:
    pixels = lit_by(
        kind=POINT, falloff=LINEAR, position=SLANTED, color=COLOR, fade_start=start, fade_stop=stop
    )
    assert_radiance(pixels, MATT * COLOR * COSINE * share)


@pytest.mark.parametrize(
    ("inner", "outer", "share"),
    [(COSINE - 0.1, COSINE - 0.2, 1.0), (COSINE + 0.1, COSINE - 0.1, 0.5), (0.99, 0.98, 0.0)],
)
def test_a_spot_is_full_inside_and_dark_outside_its_cones(
    inner: float, outer: float, share: float
) -> None:
    pixels = lit_by(
        kind=SPOT,
        falloff=INVERSE_SQUARE,
        position=SLANTED,
        direction=(0, -1, 0),
        color=COLOR,
        cos_inner=inner,
        cos_outer=outer,
    )
    assert_radiance(pixels, MATT * COLOR * COSINE / DISTANCE**2 * share, rtol=2e-3)


def test_a_directional_light_gives_its_irradiance_times_the_cosine() -> None:
    pixels = lit_by(kind=DIRECTIONAL, direction=-SLANTED / DISTANCE, color=COLOR)
    assert_radiance(pixels, MATT * COLOR * COSINE)


def test_lights_add_up_whatever_their_shares() -> None:
    scene = plane_scene()
    scene.add_light(DIRECTIONAL, share=0.2, direction=-SLANTED / DISTANCE, color=COLOR)
    scene.add_light(POINT, share=0.5, falloff=NONE, position=SLANTED, color=COLOR)
    scene.add_light(POINT, share=0.3, falloff=INVERSE_SQUARE, position=SLANTED, color=COLOR)
    expected = MATT * COLOR * COSINE * (2 + 1 / DISTANCE**2)
    assert_radiance(seen(scene, samples=64), expected)


def add_lamp(scene: TinyScene, mask: int = PATHS | SHADOW, **place: Any) -> None:
    """A quad that shines down from y = 1.5; by default the camera does not see it."""
    lamp = scene.add_material("lambert", emission=COLOR)
    scene.add(quad((0, 1.5, 0), (2, 1.5, 0), (2, 1.5, 1), (0, 1.5, 1)), lamp, mask=mask, **place)


def lamp_irradiance() -> float:
    """By the midpoint rule, per unit of radiance at the origin."""
    x, z = np.meshgrid((np.arange(1000) + 0.5) / 500, (np.arange(500) + 0.5) / 500)
    squared = x**2 + 1.5**2 + z**2
    return float((1.5**2 / squared**2).mean() * 2)


def test_an_area_light_agrees_with_quadrature() -> None:
    scene = plane_scene()
    add_lamp(scene)
    assert_radiance(seen(scene, samples=64), MATT * COLOR * lamp_irradiance())


def test_scattering_alone_finds_the_same_light() -> None:
    scene = plane_scene()
    scene.samples_emission = False
    add_lamp(scene)
    assert_radiance(seen(scene, samples=1024), MATT * COLOR * lamp_irradiance())


def test_connections_alone_find_the_same_light() -> None:
    scene = plane_scene()
    add_lamp(scene, mask=SHADOW)
    assert_radiance(seen(scene, samples=64), MATT * COLOR * lamp_irradiance())


@pytest.mark.parametrize("scale", [(2.0, 3.0, 0.5), (-1.0, 1.0, 1.0), (0.01, 0.02, 0.03)])
def test_the_transform_of_an_emitter_changes_nothing_but_its_place(
    scale: tuple[float, float, float],
) -> None:
    scene = plane_scene()
    matrix = np.diag([*scale, 1.0])
    matrix[:3, 3] = (0.1, 0.2, -0.3)
    world = np.array([[0, 1.5, 0], [2, 1.5, 0], [2, 1.5, 1], [0, 1.5, 1]])
    local = (world - matrix[:3, 3]) / scale
    lamp = scene.add_material("lambert", emission=COLOR)
    corners = local if np.prod(scale) > 0 else local[::-1]  # the front is the object's own
    scene.add(quad(*corners), lamp, transform=matrix, mask=PATHS | SHADOW)
    assert_radiance(seen(scene, samples=64), MATT * COLOR * lamp_irradiance())


def test_an_emitter_is_dark_from_behind() -> None:
    scene = plane_scene()
    lamp = scene.add_material("lambert", emission=COLOR)
    scene.add(quad((0, 1.5, 1), (2, 1.5, 1), (2, 1.5, 0), (0, 1.5, 0)), lamp, mask=PATHS)
    assert seen(scene).max() == 0


def test_an_instance_without_the_shadow_bit_lets_light_pass() -> None:
    for mask, share in ((EVERYTHING - SHADOW - 1, 1.0), (SHADOW, 0.0)):
        scene = plane_scene()
        scene.add_light(POINT, falloff=NONE, position=SLANTED, color=COLOR)
        dark = scene.add_material("lambert")
        middle = SLANTED / 2
        corners = [middle + offset for offset in ((-1, 0, 1), (1, 0, 1), (1, 0, -1), (-1, 0, -1))]
        scene.add(quad(*corners), dark, mask=mask)
        assert_radiance(seen(scene), MATT * COLOR * COSINE * share)


def test_a_lamp_does_not_shadow_itself_far_from_the_origin() -> None:
    for shift in (0.0, 100.0, 3000.0):
        scene = TinyScene()
        matt = scene.add_material("lambert", reflectance=REFLECTANCE)
        lamp = scene.add_material("lambert", emission=COLOR)
        move = np.eye(4)
        move[:3, 3] = shift
        floor = quad((-50, 0, 50), (50, 0, 50), (50, 0, -50), (-50, 0, -50))
        roof = quad((0, 1.5, 0), (2, 1.5, 0), (2, 1.5, 1), (0, 1.5, 1))
        scene.add(floor, matt, transform=move)
        scene.add(roof, lamp, transform=move, mask=PATHS | SHADOW)
        eye = np.add(EYE, shift)
        camera = look_at(eye, np.full(3, shift), 16, 16, degrees=0.2)
        pixels = scene.mean(camera, (16, 16), 64, max_depth=2).reshape(-1, 3)
        # Both ends of a shadow ray stand off by a bound on rounding, 1e-5 of the coordinates.
        assert_radiance(pixels, MATT * COLOR * lamp_irradiance(), rtol=1e-3 + 1e-5 * shift)
