"""Opacity of a scene's materials: what shares become of shaders, and which triangles are marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpuqueue.scene import Scene, load_scene, pack

from .test_buffers import LAYOUTS, SHADERS
from .test_graph import PARTS
from .test_pictures import render

INNER = 'shader "inner" "mib_illum_lambert" ("diffuse" 1 0 0) '


def scene_of(tmp_path: Path, material: str) -> Scene:
    (tmp_path / "s.mi").write_text(
        PARTS + INNER + f'material "m" {material} end material '
        'instance "i" "square" material "m" end instance instance "j" "square" material "p" '
        'end instance material "p" = "inner" end material '
        'instgroup "world" "camera" "i" "j" end instgroup render "world" "camera" "o"'
    )
    return load_scene(Path("s.mi"), tmp_path)


@pytest.mark.parametrize(
    ("shader", "opacity"),
    [
        ('"mia_material" ("cutout_opacity" .3)', 0.3),
        ('"mia_material_x" ()', 1),
        ('"mia_material" ("cutout_opacity" 7.)', 1),
        ('"mib_opacity" ("input" = "inner", "opac" .25 .25 .25)', 0.25),
        ('"mib_transparency" ("input" = "inner", "transp" .25 .25 .25)', 0.75),
        ('"mib_opacity" ("input" = "inner")', 1),
        ('"mib_opacity" ("input" = "inner", "opac" 0 .3 .6)', 0.3),
    ],
)
def test_a_shader_says_what_share_of_the_rays_it_stops(
    tmp_path: Path, shader: str, opacity: float
) -> None:
    scene = scene_of(tmp_path, shader)
    named = next(material for material in scene.materials if material.name == "m")
    assert named.opacity == pytest.approx(opacity)
    if "mib_" in shader:
        assert named.parameters["reflectance"] == (1, 0, 0)
    assert any("coloured" in warning for warning in scene.warnings) == ("0 .3 .6" in shader)


def test_screens_of_screens_multiply_and_a_screen_of_itself_ends(tmp_path: Path) -> None:
    outer = '= shader "outer" "mib_opacity" ("input" = "{}", "opac" .5 .5 .5)'
    text = outer.format("inner")
    twice = scene_of(tmp_path, f'{text} "mib_opacity" ("input" = "outer", "opac" .5 .5 .5)')
    assert twice.materials[0].opacity == pytest.approx(0.25)
    loop = scene_of(tmp_path, outer.format("outer"))
    assert loop.materials[0].kind == "lambert"
    assert loop.warnings


def test_triangles_are_marked_where_some_instance_cuts_them_out(tmp_path: Path) -> None:
    cut = pack(scene_of(tmp_path, '"mia_material" ("cutout_opacity" .3)'), LAYOUTS, SHADERS)
    assert cut.cut.tolist() == [1] * len(cut.triangles)
    whole = pack(scene_of(tmp_path, '"mia_material" ()'), LAYOUTS, SHADERS)
    assert len(whole.cut) == 0
    assert np.count_nonzero(cut.materials["absence"]) == 1


def test_a_screen_in_the_sun_shadows_what_is_there_of_it(tmp_path: Path) -> None:
    scene = """material "screen" "mia_material" ("cutout_opacity" .4) end material
    light "sun" "mib_light_infinite" ("color" 1 1 1) direction 0 0 -1 end light
    instance "sun" "sun" end instance
    instance "w" "wall" material "white" end instance
    instance "s" "wall" material "screen" visible off transform 1 0 0 0 0 1 0 0 0 0 1 0 0 0 -1 1
    end instance
    instgroup "world" "camera" "sun" "w" "s" end instgroup"""
    text = scene.replace('instance "sun" "sun" end', 'instance "lamp" "sun" end').replace(
        '"camera" "sun"', '"camera" "lamp"'
    )
    picture = render(tmp_path, text, 256)
    assert picture.mean() == pytest.approx(0.6, abs=0.01)
