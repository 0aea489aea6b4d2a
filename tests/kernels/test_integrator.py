"""Whole paths: energy, depth, agreement of strategies, normals, visibility."""

from typing import Any

import numpy as np
import pytest

from tests.kernels.cornell import CAMERA_POSITION, cornell_box
from tests.kernels.tiny_scene import (
    CAMERA,
    EVERYTHING,
    PATHS,
    SHADOW,
    Floats,
    TinyScene,
    look_at,
    quad,
    sphere,
)

WHITE = (1.0, 1.0, 1.0)
BLACK = (0.0, 0.0, 0.0)
#: Kinds that lose nothing, whatever the direction.
WHITE_MATERIALS: dict[str, tuple[str, dict[str, Any]]] = {
    "lambert": ("lambert", {"reflectance": WHITE}),
    "phong": ("phong", {"diffuse": WHITE, "exponent": 10}),
    "mirror": ("mirror", {"reflectance": WHITE}),
    "glass": ("glass", {"ior": 1.5, "reflection": WHITE, "transmission": WHITE}),
    "conductor": ("conductor", {"f0": WHITE, "f90": WHITE}),
    "architectural": (
        "architectural",
        {"diffuse": WHITE, "reflection": WHITE, "r0": 0.1, "r90": 1.0, "curve": 5.0},
    ),
    "clear architectural": (
        "architectural",
        {"reflection": WHITE, "r0": 0.1, "r90": 1, "curve": 5, "transmission": WHITE, "ior": 1.5},
    ),
}


def look(scene: TinyScene, samples: int = 64, size: int = 16, **options: Any) -> Floats:
    camera = look_at((0, 0.3, 4), (0, 0, 0), size, size, 32)
    return scene.mean(camera, (size, size), samples, **options)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("name", sorted(WHITE_MATERIALS))
def test_a_white_ball_vanishes_in_a_white_furnace(name: str, smooth: bool) -> None:
    shader, parameters = WHITE_MATERIALS[name]
    scene = TinyScene(environment=(0.7, 0.7, 0.7))
    ball = sphere()
    mesh = scene.add_mesh(ball, normals=ball[0] if smooth else None)
    scene.place(mesh, scene.add_material(shader, **parameters))
    pixels = look(scene, max_depth=200).reshape(-1, 3)
    error = pixels.std() / np.sqrt(len(pixels))
    # Interpolated normals send some directions below the triangle, where they are absorbed.
    lost = 0.01 if smooth else 0
    assert pixels.mean() <= 0.7 + 4 * error + 1e-5
    assert pixels.mean() >= 0.7 * (1 - lost) - 4 * error - 1e-5
    if not smooth and shader != "glass":
        np.testing.assert_allclose(pixels.mean(), 0.7, atol=4 * error + 1e-5)


def test_a_matt_ball_in_a_furnace_has_no_noise_on_the_first_bounce() -> None:
    scene = TinyScene(environment=(1, 1, 1))
    scene.add(sphere(), scene.add_material("lambert", reflectance=(0.5, 0.25, 0.125)))
    pixels = look(scene, samples=4)[6:10, 6:10].reshape(-1, 3)
    np.testing.assert_allclose(pixels, np.broadcast_to((0.5, 0.25, 0.125), pixels.shape), rtol=1e-6)


def closed_room(reflectance: float, emission: float) -> TinyScene:
    """A ball seen from inside: radiance is emission * (1 + r + r^2 + ...), cut at the depth."""
    scene = TinyScene()
    points, triangles = sphere(10)
    inward = points, triangles[:, ::-1].copy()
    room = scene.add_material("lambert", emission=(emission,) * 3, reflectance=(reflectance,) * 3)
    scene.add(inward, room)
    return scene


@pytest.mark.parametrize("samples_emission", [True, False])
@pytest.mark.parametrize("max_depth", [1, 2, 3, 8, 40])
def test_paths_are_as_long_as_the_depth_says(max_depth: int, samples_emission: bool) -> None:
    scene = closed_room(0.6, 1.0)
    scene.samples_emission = samples_emission
    pixels = look(scene, samples=64, max_depth=max_depth).reshape(-1, 3)
    expected = sum(0.6**k for k in range(max_depth))
    error = pixels.std() / np.sqrt(len(pixels))
    # Connections between neighbours on the coarse ball meet at grazing angles, hence the noise.
    np.testing.assert_allclose(pixels.mean(), expected, atol=4 * error + 2e-3)


@pytest.mark.parametrize("alpha", [0.05, 0.5])
def test_connections_and_scattering_agree_on_metal(alpha: float) -> None:
    means = []
    for samples_emission, samples in ((True, 256), (False, 1024)):
        scene = TinyScene(samples_emission=samples_emission)
        metal = scene.add_material("conductor", f0=(0.9, 0.6, 0.3), f90=WHITE, alpha=alpha)
        lamp = scene.add_material("lambert", emission=(5, 5, 5))
        scene.add(quad((-2, -1, 2), (2, -1, 2), (2, -1, -2), (-2, -1, -2)), metal)
        scene.add(quad((-1, 0, -1), (1, 0, -1), (1, 1, -1), (-1, 1, -1)), lamp)
        means.append(look(scene, samples=samples, max_depth=3).mean((0, 1)))
    np.testing.assert_allclose(*means, atol=0.01 * means[0].max())


def test_both_strategies_agree_in_the_cornell_box() -> None:
    camera = look_at(CAMERA_POSITION, (0, 0, 0), 32, 32, 39.3)
    means = []
    for samples_emission, samples in ((True, 64), (False, 1024)):
        scene = cornell_box()
        scene.samples_emission = samples_emission
        means.append(scene.mean(camera, (32, 32), samples).mean((0, 1)))
    np.testing.assert_allclose(*means, rtol=0.03)


def test_roulette_does_not_change_the_mean() -> None:
    """Paths of a white room live long; roulette begins after the fourth bounce."""
    scene = closed_room(0.9, 1.0)
    pixels = look(scene, samples=64, max_depth=60).reshape(-1, 3)
    expected = (1 - 0.9**60) / 0.1
    error = pixels.std() / np.sqrt(len(pixels))
    np.testing.assert_allclose(pixels.mean(), expected, atol=4 * error + 0.01)


def test_masks_hide_a_ball_from_the_camera_or_from_paths() -> None:
    def seen(mask: int) -> Floats:
        scene = TinyScene(environment=WHITE)
        grey = scene.add_material("lambert", reflectance=(0.5, 0.5, 0.5))
        black = scene.add_material("lambert")
        scene.add(quad((-2, -1, 2), (2, -1, 2), (2, -1, -2), (-2, -1, -2)), grey)
        scene.add(sphere(0.5), black, mask=mask)
        return look(scene, max_depth=3)

    everything, hidden = seen(EVERYTHING), seen(PATHS | SHADOW)
    unlit = seen(CAMERA)
    assert everything[8, 8].max() == 0
    assert hidden[7, 8].min() > 0.4
    floor = (13, 8)
    assert hidden[floor].mean() == pytest.approx(everything[floor].mean(), rel=0.05)
    assert unlit[floor].mean() > everything[floor].mean() * 1.02


def test_interpolated_normals_make_a_coarse_ball_look_round() -> None:
    """Light from the viewer's side: radiance follows the cosine of the ideal ball."""
    scene = TinyScene()
    ball = sphere(1.0, rings=12)
    matt = scene.add_material("lambert", reflectance=WHITE)
    scene.place(scene.add_mesh(ball, normals=ball[0]), matt)
    scene.add_light(3, direction=(0, 0, -1), color=(np.pi, np.pi, np.pi))
    image = scene.mean(look_at((0, 0, 30), (0, 0, 0), 64, 64, 4.4), (64, 64), 64, max_depth=2)
    y, x = (np.mgrid[:64, :64] + 0.5 - 32) / 32 * 30 * np.tan(np.radians(2.2))
    radius2 = x**2 + y**2
    inner = radius2 < 0.85
    np.testing.assert_allclose(
        image[inner].mean(-1), np.sqrt(1 - radius2[inner]), atol=0.04, rtol=0.02
    )


@pytest.mark.parametrize("shader", ["mirror", "lambert", "conductor"])
def test_silhouettes_of_smooth_balls_are_not_black(shader: str) -> None:
    parameters: dict[str, Any] = {
        "mirror": {"reflectance": WHITE},
        "lambert": {"reflectance": WHITE},
        "conductor": {"f0": WHITE, "f90": WHITE, "alpha": 0.1},
    }
    scene = TinyScene(environment=WHITE)
    ball = sphere(1.0, rings=8)
    material = scene.add_material(shader, **parameters[shader])
    scene.place(scene.add_mesh(ball, normals=ball[0]), material)
    pixels = look(scene, samples=64, size=48, max_depth=50)
    assert pixels.min() > 0.75
    assert pixels.mean() > 0.96


def test_no_light_leaks_through_a_smooth_ball() -> None:
    """Inside a closed ball it is dark, however the normals bend."""
    scene = TinyScene(environment=WHITE)
    ball = sphere(1.0, rings=6)
    matt = scene.add_material("lambert", reflectance=WHITE)
    scene.place(scene.add_mesh(ball, normals=ball[0]), matt)
    camera = look_at((0, 0, 0.3), (0.2, 0.1, 0), 16, 16, 90)
    assert scene.mean(camera, (16, 16), 64, max_depth=20).max() == 0


@pytest.mark.parametrize("shift", [0.0, 100.0, 3000.0])
def test_a_lit_plane_has_no_acne(shift: float) -> None:
    scene = TinyScene()
    matt = scene.add_material("lambert", reflectance=WHITE)
    move = np.eye(4)
    move[:3, 3] = shift
    move[:3, :3] = [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]
    scene.add(quad((-9, 0, 9), (9, 0, 9), (9, 0, -9), (-9, 0, -9)), matt, transform=move)
    down = move[:3, :3] @ (0.6, -0.8, 0)
    scene.add_light(3, direction=down, color=(np.pi, np.pi, np.pi))
    eye = move[:3, :3] @ (0, 5, 0.1) + shift
    image = scene.mean(look_at(eye, np.full(3, shift), 32, 32, 20), (32, 32), 4, max_depth=4)
    np.testing.assert_allclose(image, 0.8, rtol=1e-3)


def test_light_through_glass_is_dimmed_inside() -> None:
    """A slab of index 1 and thickness 1 in front of a white environment."""
    scene = TinyScene(environment=WHITE)
    absorption = (0.5, 1.0, 2.0)
    glass = scene.add_material(
        "glass", ior=1.0, reflection=WHITE, transmission=WHITE, absorption=absorption
    )
    scene.add(quad((-5, -5, 0.5), (5, -5, 0.5), (5, 5, 0.5), (-5, 5, 0.5)), glass)
    scene.add(quad((-5, 5, -0.5), (5, 5, -0.5), (5, -5, -0.5), (-5, -5, -0.5)), glass)
    image = scene.mean(look_at((0, 0, 4), (0, 0, 0), 4, 4, 0.1), (4, 4), 4)
    np.testing.assert_allclose(
        image, np.broadcast_to(np.exp(-np.array(absorption)), image.shape), rtol=1e-4
    )


def test_the_camera_maps_the_film_s_corners_as_it_says() -> None:
    """Four coloured quarters, upper left first: handedness and orientation of the image."""
    scene = TinyScene()
    quarters = {
        (-1, 0): (1.0, 0.0, 0.0),
        (0, 0): (0.0, 1.0, 0.0),
        (-1, -1): (0.0, 0.0, 1.0),
        (0, -1): (1.0, 1.0, 0.0),
    }
    for (x, y), color in quarters.items():
        material = scene.add_material("lambert", emission=color)
        scene.add(quad((x, y, 0), (x + 1, y, 0), (x + 1, y + 1, 0), (x, y + 1, 0)), material)
    image = scene.mean(look_at((0, 0, 5), (0, 0, 0), 2, 2, 10), (2, 2), 4, max_depth=1)
    np.testing.assert_array_equal(image.reshape(4, 3), np.array(list(quarters.values())))


def test_an_unknown_shader_absorbs() -> None:
    scene = TinyScene(environment=WHITE)
    scene.add(sphere(), scene.add_material("lambert", reflectance=WHITE))
    scene.materials[0]["shader"] = 77
    assert look(scene)[8, 8].max() == 0


def test_an_empty_scene_shows_the_environment() -> None:
    scene = TinyScene(environment=(0.25, 0.5, 1.0))
    scene.add(sphere(), scene.add_material("lambert"), mask=0)
    np.testing.assert_allclose(look(scene), np.broadcast_to((0.25, 0.5, 1.0), (16, 16, 3)))
