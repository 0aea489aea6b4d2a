"""The film is the same to the bit, however the work is cut; what the driver refuses."""

from fractions import Fraction
from importlib import import_module
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest

from gpuqueue.device.film import Film, add_film, empty_film, pack_film, sums, unpack_film
from gpuqueue.device.native import kernels
from tests.kernels.cornell import CAMERA_POSITION, cornell_box
from tests.kernels.tiny_scene import Floats, TinyScene, look_at, record, sphere


def every_shader() -> TinyScene:
    """The Cornell box with a ball of each kind of material, and each kind of light."""
    scene = cornell_box()
    ball = sphere(0.2, rings=8)
    mesh = scene.add_mesh(ball, normals=ball[0])
    white = (0.9, 0.9, 0.9)
    materials = [
        scene.add_material("phong", diffuse=(0.2, 0.3, 0.4), specular=(0.5,) * 3, exponent=40),
        scene.add_material("mirror", reflectance=white),
        scene.add_material(
            "glass", ior=1.5, reflection=white, transmission=white, absorption=(1, 2, 3)
        ),
        scene.add_material("conductor", f0=(0.9, 0.6, 0.3), f90=white, alpha=0.2),
        scene.add_material(
            "architectural",
            diffuse=white,
            reflection=white,
            r0=0.1,
            r90=1,
            curve=4.5,
            alpha=0.1,
            transmission=(0.3, 0.2, 0.1),
            ior=1.4,
        ),
    ]
    for i, material in enumerate(materials):
        place = np.eye(4)
        place[:3, 3] = (i * 0.4 - 0.8, 0.3, 0.5)
        place[:3, :3] *= 0.8 + 0.1 * i
        scene.place(mesh, material, transform=place)
    scene.add_light(1, share=20, falloff=0, position=(0.5, 0, 0.9), color=(1, 1, 1))
    scene.add_light(
        2,
        share=20,
        falloff=2,
        position=(0, 0.5, 0.9),
        direction=(0, -1, 0),
        color=(1, 1, 1),
        cos_inner=0.9,
        cos_outer=0.5,
        fade_start=1,
        fade_stop=3,
    )
    scene.add_light(3, share=20, direction=(0, 0, -1), color=(0.2, 0.2, 0.2))
    return scene


def render_film(size: tuple[int, int]) -> Film:
    camera = look_at(CAMERA_POSITION, (0, 0, 0), *size, 39.3)
    return every_shader().film(camera, size, 8)


def render(samples: int = 8, size: tuple[int, int] = (45, 37), **options: Any) -> Floats:
    camera = look_at(CAMERA_POSITION, (0, 0, 0), *size, 39.3)
    return every_shader().render(camera, size, samples, **options)


def test_the_number_of_threads_changes_no_bit() -> None:
    one = render(threads=1)
    np.testing.assert_array_equal(one.view(np.uint32), render(threads=2).view(np.uint32))
    np.testing.assert_array_equal(one.view(np.uint32), render(threads=7).view(np.uint32))


@pytest.mark.parametrize("passes", [[1, 7], [4, 4], [5, 1, 2], [1] * 8])
def test_splitting_the_samples_into_passes_changes_no_bit(passes: list[int]) -> None:
    np.testing.assert_array_equal(render().view(np.uint32), render(passes=passes).view(np.uint32))


def test_films_of_parts_add_up_to_the_whole_in_any_order() -> None:
    camera, size = look_at(CAMERA_POSITION, (0, 0, 0), 45, 37, 39.3), (45, 37)
    scene = every_shader()
    parts = [scene.film(camera, size, 5, first=0), scene.film(camera, size, 11, first=5)]
    parts += [scene.film(camera, size, 1, first=16)]
    whole = scene.film(camera, size, 17)
    for order in permutations(parts):
        total = empty_film(*size)
        for part in order:
            add_film(total, part)
        assert total.tobytes() == whole.tobytes()
    rounded = [sums(part) for part in parts]
    assert (rounded[0] + rounded[1] + rounded[2] != sums(whole)).any(), "floats would do"


VALUES = [0.1, 1e-12, 2.0**-64, 3e-21, 123456.789, 2.7e11, -0.1, -1e-12, -7.5, 0]


@pytest.mark.parametrize("value", VALUES)
def test_a_film_adds_exactly(value: float) -> None:
    radiance = np.float32(value)
    scene = TinyScene(environment=(radiance, 1.0, 0.0))
    scene.add(sphere(), scene.add_material("lambert", reflectance=(0.0, 0.0, 0.0)))
    pixel = scene.film(look_at((0, 0, 9), (0, 0, 0), 8, 8), (8, 8), 3)[0, 0]
    # In units of 2^-64; what is below is cut off, toward zero.
    term = int(Fraction(float(radiance)) * 2**64)
    found = int(pixel["red"]["whole"]) << 64 | int(pixel["red"]["fraction"])
    assert found == 3 * term % 2**128
    assert int(pixel["green"]["whole"]) == 3
    assert int(pixel["count"]) == 3
    np.testing.assert_allclose(sums(pixel.reshape(1, 1))[0, 0, 0], 3 * value, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("value", [2.0**38, -(2.0**38), 1e30, -np.inf, np.nan])
def test_what_no_sum_could_hold_is_dropped(value: float) -> None:
    scene = TinyScene(environment=(1.0, value, 1.0))
    scene.add(sphere(), scene.add_material("lambert", reflectance=(0.0, 0.0, 0.0)))
    film = scene.film(look_at((0, 0, 9), (0, 0, 0), 8, 8), (8, 8), 3)
    assert film[0, 0].tobytes() == bytes(56)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (64, 33)])
def test_a_packed_film_loses_nothing(size: tuple[int, int]) -> None:
    film = render_film(size)
    packed = pack_film(film)
    assert unpack_film(packed, *size).tobytes() == film.tobytes()
    assert len(packed) < 56 + film.nbytes * 0.8
    with pytest.raises(ValueError, match="has not"):
        unpack_film(packed[:-1], *size)


def test_all_builds_give_the_same_bits() -> None:
    films = []
    for name in ("avx2", "baseline"):
        try:
            module = import_module(f"gpuqueue._kernels_{name}")
        except ImportError:
            pytest.skip(f"this processor has no {name} build")
        films.append(render(module=module))
    for one, other in pairwise(films):
        np.testing.assert_array_equal(one.view(np.uint32), other.view(np.uint32))


def test_every_sample_is_counted_and_finite() -> None:
    film = render(samples=32)
    assert (film[..., 3] == 32).all()
    assert np.isfinite(film).all()
    assert (film >= 0).all()


def test_another_seed_is_another_noise_of_the_same_image() -> None:
    one, other = render(samples=64, seed=1), render(samples=64, seed=2)
    assert (one != other).any(axis=-1).mean() > 0.9
    np.testing.assert_allclose(one.mean((0, 1)), other.mean((0, 1)), rtol=0.02)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (5, 40), (100, 3)])
def test_every_pixel_of_a_film_of_any_shape_is_rendered_once(size: tuple[int, int]) -> None:
    assert (render(samples=2, size=size)[..., 3] == 2).all()


def test_samples_that_are_not_finite_are_dropped_and_missing_in_the_count() -> None:
    scene = TinyScene(environment=(np.inf, 1.0, 1.0))
    scene.add(sphere(), scene.add_material("lambert", reflectance=(0.0, 1.0, 1.0)))
    film = scene.render(look_at((0, 0, 9), (0, 0, 0), 16, 16), (16, 16), 4)
    assert (film[0, 0] == 0).all(), "the environment is infinite"
    assert np.isfinite(film).all()


def packed_job(**changes: Any) -> tuple[Any, Any]:
    scene = every_shader()
    job, alive = scene.pack()
    film = empty_film(256, 256)
    fields = {
        "camera": look_at(CAMERA_POSITION, (0, 0, 0), 256, 256),
        "film": film.ctypes.data,
        "width": 256,
        "height": 256,
        "item_count": 256 * 256,
        "sample_count": 4,
        "max_depth": 8,
    } | changes
    for name, value in fields.items():
        job[name] = value
    return job, (film, alive)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_item": 1}, "items end beyond width"),
        ({"width": 0}, "items end beyond width"),
        ({"film": 0}, "film is null"),
        ({"max_depth": 0}, "max_depth"),
        ({"sample_count": 0}, "sample_count"),
    ],
)
def test_a_job_that_cannot_be_rendered_is_refused(changes: dict[str, int], message: str) -> None:
    job, _alive = packed_job(**changes)
    with pytest.raises(ValueError, match=message):
        kernels().render(job.tobytes(), 1)


def test_bytes_of_another_struct_are_refused() -> None:
    with pytest.raises(ValueError, match="a RenderJob has"):
        kernels().render(record("Camera").tobytes(), 1)


def test_a_job_fits_into_a_kernel_s_parameters() -> None:
    assert record("RenderJob").nbytes < 4096
