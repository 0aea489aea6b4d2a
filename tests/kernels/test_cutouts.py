"""Surfaces of which a share of rays finds nothing: in closed form, for every kind of ray."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .ray_scenes import LAYOUTS, random_rays, scene_of, soup
from .tiny_scene import DIRECTIONAL, TinyScene, look_at, quad

SIZE = (8, 8)
WIDE = 50.0


def plane(z: float, half: float = WIDE) -> Any:
    return quad((-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z))


def view() -> Any:
    return look_at((0, 0, 5), (0, 0, 0), *SIZE, degrees=30)


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.9, 1.0])
def test_the_camera_sees_what_is_there_and_what_is_behind_the_rest(opacity: float) -> None:
    scene = TinyScene(samples_emission=False)
    front = scene.add_material("lambert", emission=(1, 0, 0), absence=1 - opacity)
    back = scene.add_material("lambert", emission=(0, 1, 0))
    scene.add(plane(0), front)
    scene.add(plane(-1), back)
    seen = scene.mean(view(), SIZE, 256, max_depth=1).mean(axis=(0, 1))
    np.testing.assert_allclose(seen, [opacity, 1 - opacity, 0], atol=0.002)


@pytest.mark.parametrize("opacity", [0.0, 0.3, 1.0])
def test_a_screen_lets_through_what_is_not_there_of_it(opacity: float) -> None:
    """A directional light through a screen that the camera does not see."""
    scene = TinyScene()
    white = scene.add_material("lambert", reflectance=(1, 1, 1))
    screen = scene.add_material("lambert", absence=1 - opacity)
    scene.add(plane(0), white)
    scene.add(plane(2), screen, mask=4)
    scene.add_light(DIRECTIONAL, direction=(0, 0, -1), color=(np.pi,) * 3)
    lit = scene.mean(view(), SIZE, 256, max_depth=2)
    assert lit.mean() == pytest.approx(1 - opacity, abs=0.003)


def test_screens_one_behind_the_other_let_through_the_product() -> None:
    """Were they to decide by the same number, the lesser share would pass."""
    scene = TinyScene()
    white = scene.add_material("lambert", reflectance=(1, 1, 1))
    scene.add(plane(0), white)
    for z, absence in ((1, 0.5), (2, 0.5), (3, 0.8)):
        scene.add(plane(z), scene.add_material("lambert", absence=absence), mask=4)
    scene.add_light(DIRECTIONAL, direction=(0, 0, -1), color=(np.pi,) * 3)
    lit = scene.mean(view(), SIZE, 1024, max_depth=2)
    assert lit.mean() == pytest.approx(0.5 * 0.5 * 0.8, abs=0.006)


@pytest.mark.parametrize("samples_emission", [True, False])
def test_a_lamp_that_is_half_there_sends_half_the_light(samples_emission: bool) -> None:
    def lit(absence: float) -> float:
        scene = TinyScene(samples_emission=samples_emission)
        white = scene.add_material("lambert", reflectance=(1, 1, 1))
        lamp = scene.add_material("lambert", emission=(1, 1, 1), absence=absence)
        scene.add(plane(0), white)
        corners = [(-3, -3, 2), (-3, 3, 2), (3, 3, 2), (3, -3, 2)]
        scene.add(quad(*corners), lamp, mask=2 | 4)
        return float(scene.mean(view(), SIZE, 1024, max_depth=2).mean())

    assert lit(0.5) == pytest.approx(0.5 * lit(0.0), rel=0.01)


def test_a_furnace_stays_white_behind_a_veil() -> None:
    scene = TinyScene(environment=(1, 1, 1))
    veil = scene.add_material("lambert", reflectance=(1, 1, 1), absence=0.4)
    scene.add(plane(0, 1.0), veil)
    scene.add(plane(-1, 1.0), veil)
    picture = scene.mean(view(), SIZE, 64, max_depth=64)
    np.testing.assert_allclose(picture, 1, atol=5e-3)  # roulette ends long paths


def test_a_film_is_the_same_for_any_threads_and_passes() -> None:
    scene = TinyScene(environment=(1, 1, 1))
    scene.add(plane(0, 1.0), scene.add_material("lambert", absence=0.4))
    whole = scene.render(view(), SIZE, 16)
    assert (scene.render(view(), SIZE, 16, passes=[3, 13], threads=3) == whole).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_marked_triangles_that_are_all_there_are_hit_as_if_not_marked(layout: str) -> None:
    from gpuqueue.device.native import kernels

    scene = scene_of([soup(500, 1)], [(0, np.eye(3, 4))])
    rays, times = random_rays(5000, 2), np.zeros(5000, np.float32)
    cut = (np.arange(500) % 3 == 0).astype(np.uint8)
    built = kernels().build_accelerator(*scene.arrays, layout, 1, cut=cut)
    found = kernels().trace_closest(built, rays, 7, layout, times=times)
    assert found.tobytes() == scene.closest(rays, layout).tobytes()
    any_hit = kernels().trace_any(built, rays, 7, layout, times=times)
    assert (any_hit.astype(bool) == scene.any(rays, layout)).all()


def test_flags_of_another_number_are_refused() -> None:
    from gpuqueue.device.native import kernels

    scene = scene_of([soup(5, 1)], [(0, np.eye(3, 4))])
    with pytest.raises(ValueError, match="cut holds 4 flags; there are 5 triangles"):
        kernels().build_accelerator(*scene.arrays, cut=np.zeros(4, np.uint8))
