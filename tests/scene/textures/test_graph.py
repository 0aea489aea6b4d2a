"""Shader graphs to steps: what is told of those that cannot be rendered as written."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.scene import Scene, summarise
from gpuqueue.scene.textures.value import MAX_DEPTH, MAX_STEPS

from .images import write_image
from .pictures import picture_of, scene_of, square

LOOK = """
shader "uv" "mib_texture_vector" ()
shader "look" "mib_texture_lookup" ("tex" "t", "coord" = "uv")
material "m" "mib_illum_lambert" ("diffuse" = "look") end material
"""


def png(folder: Path, name: str = "a.png") -> None:
    write_image(folder / name, np.full((2, 2, 3), 255, np.uint8))


def reflectance(scene: Scene) -> object:
    return scene.materials[0].parameters["reflectance"]


def test_a_missing_image_is_told_with_its_place_and_grey_is_used(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, 'color texture "t" "wood.png"\n' + LOOK + square("m"))
    (warning,) = scene.warnings
    assert warning.startswith("s.mi:5:15: image 'wood.png' is not there, neither beside the scene")
    assert warning.endswith("grey is used instead")
    assert picture_of(scene, 1).shape == (32, 32, 3)
    assert [use.state for use in scene.textures] == ["missing"]


def test_a_damaged_image_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(30))
    scene = scene_of(tmp_path, 'color texture "t" "a.png"' + LOOK + square("m"))
    assert "image 'a.png' cannot be used: " in scene.warnings[0]
    assert [use.state for use in scene.textures] == ["unusable"]


@pytest.mark.parametrize("name", ["../secret.png", "/{outside}/secret.png", "link.png"])
def test_an_image_outside_the_scene_folder_is_not_read(tmp_path: Path, name: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    png(outside, "secret.png")
    png(tmp_path, "secret.png")
    (inside / "link.png").symlink_to(outside / "secret.png")
    name = name.format(outside=str(outside).lstrip("/"))
    scene = scene_of(inside, f'color texture "t" "{name}"' + LOOK + square("m"))
    assert [use.state for use in scene.textures] == ["missing"]
    assert len(scene.images) == 0


@pytest.mark.parametrize("name", ["C:\\\\work\\\\a.png", "/home/somebody/a.png", "maps/a.png"])
def test_an_image_of_another_machines_folder_is_found_by_its_last_name(
    tmp_path: Path, name: str
) -> None:
    png(tmp_path)
    scene = scene_of(tmp_path, f'color texture "t" "{name}"' + LOOK + square("m"))
    assert scene.warnings == ()
    assert len(scene.images) == 1


def test_image_files_count_among_the_sources_of_a_scene(tmp_path: Path) -> None:
    png(tmp_path)
    scene = scene_of(tmp_path, 'color texture "t" "a.png"' + LOOK + square("m"))
    assert [source.path.name for source in scene.sources] == ["s.mi", "a.png"]
    (use,) = summarise(scene).textures
    assert (use.state, use.size, use.texel_bytes) == ("used", (2, 2), 21)


def test_two_textures_of_one_file_share_its_image_unless_their_roles_differ(
    tmp_path: Path,
) -> None:
    png(tmp_path)
    text = """
    color texture "t" "a.png" color texture "again" "a.png" scalar texture "grey" "a.png"
    shader "second" "mib_texture_lookup" ("tex" "again", "coord" = "uv")
    shader "third" "mib_texture_lookup" ("tex" "grey", "coord" = "uv")
    material "n" "mib_illum_phong" ("diffuse" = "second", "specular" = "third") end material
    """
    scene = scene_of(
        tmp_path,
        text + LOOK + square("m") + square("n", name="b"),
        ("square instance", "b instance"),
    )
    assert len(scene.images) == 2


def test_a_graph_within_itself_is_grey(tmp_path: Path) -> None:
    loop = (
        'shader "a" "mib_color_mix" ("num" 1, "color_0" = "b", "weight_0" 1)'
        'shader "b" "mib_color_mix" ("num" 1, "color_0" = "a", "weight_0" 1)'
        'material "m" "mib_illum_lambert" ("diffuse" = "a") end material'
    )
    assert picture_of(scene_of(tmp_path, loop + square("m")), 1).shape == (32, 32, 3)


def test_a_graph_that_grows_without_end_is_cut_short_at_once(tmp_path: Path) -> None:
    """Each mixes eight of the next: written out it would have 8^20 steps."""
    layers = ", ".join(f'"weight_{i}" .1, "color_{i}" = "s{{next}}"' for i in range(8))
    shaders = [
        f'shader "s{n}" "mib_color_mix" ("num" 8, {layers.format(next=n + 1)})' for n in range(20)
    ]
    end = 'shader "s20" "one_color" ("color" 1 1 1)'
    material = 'material "m" "mib_illum_lambert" ("diffuse" = "s0") end material '
    start = time.process_time()
    scene = scene_of(tmp_path, "\n".join([*shaders, end, material]) + square("m"))
    assert time.process_time() - start < 5
    assert any("grey is used instead" in warning for warning in scene.warnings)
    found = reflectance(scene)
    assert len(getattr(found, "steps", ())) <= MAX_STEPS + 2
    assert getattr(found, "depth", 0) <= MAX_DEPTH


def test_a_mesh_without_coordinates_is_told_of(tmp_path: Path) -> None:
    png(tmp_path)
    bare = square("m").replace(" t 4", "").replace(" t 5", "").replace(" t 6", "")
    scene = scene_of(tmp_path, 'color texture "t" "a.png"' + LOOK + bare.replace(" t 7", ""))
    assert any("has no texture coordinates" in warning for warning in scene.warnings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            '"mib_texture_lookup" ("tex" "nothing")',
            "'tex' of 'mib_texture_lookup' names no texture",
        ),
        ('"mib_texture_lookup" ("tex" "t", "coord" = "odd")', "'odd_one' gives no texture coordin"),
        ('"mib_texture_lookup" ("tex" "t", "coord" = "chosen")', "whatever it selects or projects"),
        ('"mib_texture_lookup" ("tex" "t", "wrap" 1)', "has no parameter 'wrap'"),
    ],
)
def test_what_is_not_rendered_as_written_is_told(tmp_path: Path, call: str, message: str) -> None:
    png(tmp_path)
    text = (
        'color texture "t" "a.png" shader "odd" "odd_one" () '
        'shader "chosen" "mib_texture_vector" ("select" -1) '
        f'shader "x" {call} material "m" "mib_illum_lambert" ("diffuse" = "x") end material'
    )
    scene = scene_of(tmp_path, text + square("m"))
    assert any(message in warning for warning in scene.warnings), scene.warnings


def test_a_parameter_that_takes_no_texture_says_so(tmp_path: Path) -> None:
    png(tmp_path)
    glass = 'material "g" "dielectric_material" ("col" = "look", "ior" 1.5) end material'
    scene = scene_of(tmp_path, 'color texture "t" "a.png"' + LOOK + glass + square("g"))
    assert any("'col' is connected to shader 'mib_texture_lookup'" in w for w in scene.warnings)
