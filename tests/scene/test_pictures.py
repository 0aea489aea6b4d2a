"""Scenes through the kernels: light has its unit, left is left, and up is up."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import choose_device
from gpuqueue.device.base import Work
from gpuqueue.scene import load_scene, pack
from tests.scene.test_buffers import LAYOUTS, SHADERS

SIZE = 8


def render(folder: Path, text: str, samples: int = 64, max_depth: int = 2) -> NDArray[np.float64]:
    """Radiance [SIZE, SIZE, 3] seen from (0, 0, 5) along -z, the plane z = 0 just filling it."""
    (folder / "s.mi").write_text(
        f"""options "o" end options
        camera "view" focal 5 aperture 2 aspect 1 resolution {SIZE} {SIZE} {sky(text)} end camera
        instance "camera" "view" transform 1 0 0 0 0 1 0 0 0 0 1 0 0 0 -5 1 end instance
        material "white" "mib_illum_lambert" ("diffuse" 1 1 1) end material
        material "grey" "mib_illum_lambert" ("diffuse" .5 .5 .5) end material
        object "wall" group -9 -9 0 9 -9 0 9 9 0 -9 9 0 v 0 v 1 v 2 v 3 p 0 1 2 3 end group
        end object
        {text} render "world" "camera" "o" """
    )
    buffers = pack(load_scene(Path("s.mi"), folder), LAYOUTS, SHADERS)
    device = choose_device(RenderSettings(device="cpu", threads=1))
    film = device.new_film(buffers.camera, SIZE, SIZE)
    device.render(device.upload(buffers), film, Work(0, SIZE * SIZE, 0, samples, 0, max_depth))
    sums = device.read(film).astype(np.float64)
    device.close()
    radiance: NDArray[np.float64] = sums[..., :3] / sums[..., 3:]
    return radiance


def sky(text: str) -> str:
    return 'environment "one_color" ("color" 1 1 1)' if "WHITE SKY" in text else ""


def wall(light: str, material: str = "white") -> str:
    return f"""light "l" {light} end light instance "lamp" "l" end instance
    instance "w" "wall" material "{material}" end instance
    instgroup "world" "camera" "lamp" "w" end instgroup"""


def middle(radiance: NDArray[np.float64]) -> float:
    half = SIZE // 2
    return float(radiance[half - 1 : half + 1, half - 1 : half + 1].mean())


@pytest.mark.parametrize("distance", [1, 20])
def test_a_base_light_shows_its_colour_on_white_at_any_distance(
    tmp_path: Path, distance: float
) -> None:
    light = f'"mib_light_point" ("color" .5 .5 .5) origin 0 0 {distance}'
    assert middle(render(tmp_path, wall(light))) == pytest.approx(0.5, rel=0.03)


def test_a_sun_shows_its_colour_times_the_cosine(tmp_path: Path) -> None:
    light = '"mib_light_infinite" ("color" 1 1 1) direction 1 0 -1'
    picture = render(tmp_path, wall(light, "grey"))
    assert picture == pytest.approx(np.full_like(picture, 0.5 * math.sqrt(0.5)), rel=1e-4)


def test_a_physical_point_light_falls_off_with_the_square(tmp_path: Path) -> None:
    light = '"physical_light" ("color" 100 100 100) origin 0 0 4'
    expected = 100 / (4 * math.pi * 16) / math.pi
    assert middle(render(tmp_path, wall(light))) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "gain"),
    [("sphere 0.1", 1), ("rectangle 0.1 0 0 0 -0.1 0", 4), ("disc 0 0 -1 0.1", 4)],
)
def test_a_small_area_light_of_the_same_flux_lights_like_a_point(
    tmp_path: Path, shape: str, gain: float
) -> None:
    """A flat lamp sends its flux forward: the intensity ahead is flux / pi, not flux / (4 pi)."""
    light = f'"physical_light" ("color" 100 100 100) origin 0 0 4 {shape}'
    expected = gain * 100 / (4 * math.pi * 16) / math.pi
    assert middle(render(tmp_path, wall(light), 2048)) == pytest.approx(expected, rel=0.03)


def test_an_area_light_is_seen_only_if_it_is_visible(tmp_path: Path) -> None:
    light = '"physical_light" ("color" 10 10 10) origin 0 0 1 rectangle 9 0 0 0 9 0'
    behind = 'instgroup "world" "camera" "lamp" end instgroup'
    scene = 'light "l" {} end light instance "lamp" "l" end instance ' + behind
    assert render(tmp_path, scene.format(light)).max() == 0
    seen = render(tmp_path, scene.format(light + " visible"))
    assert seen == pytest.approx(np.full_like(seen, 10 / (81 * math.pi)), rel=1e-4)


@pytest.mark.parametrize(
    "shader",
    [
        '"mib_illum_lambert" ("diffuse" 1 1 1)',
        '"mib_reflect" ("reflect" 1 1 1)',
        '"mia_material" ("diffuse" 1 1 1, "reflectivity" .5, "refl_gloss" 1.)',
        '"dielectric_material" ("col" 1 1 1, "ior" 1.5)',
    ],
)
def test_what_absorbs_nothing_cannot_be_told_from_a_white_sky(tmp_path: Path, shader: str) -> None:
    scene = f"""# WHITE SKY
    material "m" {shader} end material
    instance "w" "wall" material "m" end instance
    instgroup "world" "camera" "w" end instgroup"""
    picture = render(tmp_path, scene, 16, 30)
    assert picture == pytest.approx(np.ones_like(picture), rel=1e-3)


def test_what_lies_right_and_up_in_the_world_is_right_and_up_in_the_picture(tmp_path: Path) -> None:
    scene = """
    material "red" "one_color" ("color" 1 0 0) end material
    material "blue" "one_color" ("color" 0 0 1) end material
    object "square" group 0 0 0 1 0 0 1 1 0 0 1 0 v 0 v 1 v 2 v 3 p 0 1 2 3 end group end object
    instance "right and up" "square" material "red" end instance
    instance "left and up" "square" transform 1 0 0 0 0 1 0 0 0 0 1 0 1 0 0 1 material "blue"
    end instance
    instgroup "world" "camera" "right and up" "left and up" end instgroup"""
    picture = render(tmp_path, scene)
    assert picture[0, 0].tolist() == [0, 0, 1]
    assert picture[0, -1].tolist() == [1, 0, 0]
    assert picture[-1].max() == 0


def test_a_mirrored_instance_still_shines_from_its_front(tmp_path: Path) -> None:
    scene = """
    material "glow" "one_color" ("color" 1 1 1) end material
    instance "w" "wall" transform -1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1 material "glow" end instance
    instgroup "world" "camera" "w" end instgroup"""
    assert render(tmp_path, scene).min() == 1
