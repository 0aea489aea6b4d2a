"""Textures as the kernels see them, against numpy and closed forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.scene.textures.picture import linear_from_srgb_bytes

from .images import write_image
from .pictures import Floats, bilinear, expected_of, film_of, picture_of, scene_of, square

RNG = np.random.default_rng(5)
LOOKUP = """
shader "uv" "mib_texture_vector" ("select" 0)
shader "look" "mib_texture_lookup" ("tex" "t", "coord" = "{coord}")
material "m" "one_color" ("color" = "look") end material
"""


def colour(name: str) -> str:
    return f'color texture "t" "{name}"'


def texels_of(pixels: Any) -> Floats:
    """Linear values, bottom row first, of 8-bit sRGB or float pixels."""
    linear = linear_from_srgb_bytes()[pixels] if pixels.dtype == np.uint8 else pixels
    return np.asarray(linear[::-1, :, :3], np.float64)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "u1"), ("a.exr", "f2"), ("a.hdr", "f4")])
@pytest.mark.parametrize("size", [(4, 8), (3, 5), (1, 1)])
def test_a_lookup_is_bilinear_between_texels(
    tmp_path: Path, name: str, kind: str, size: tuple[int, int]
) -> None:
    pixels = (RNG.random((*size, 3)) * (255 if kind == "u1" else 1)).astype(kind)
    write_image(tmp_path / name, pixels)
    scene = scene_of(tmp_path, colour(name) + LOOKUP.format(coord="uv") + square("m"))
    assert scene.warnings == ()
    expected = expected_of(lambda u, v: bilinear(texels_of(pixels), u, v))
    tolerance = 0.02 if name == "a.hdr" else 0.006
    np.testing.assert_allclose(picture_of(scene, 256), expected, atol=tolerance)


def test_the_lower_left_corner_of_an_image_is_the_origin(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[-4:, :8] = (255, 0, 0)
    write_image(tmp_path / "a.png", pixels)
    scene = scene_of(tmp_path, colour("a.png") + LOOKUP.format(coord="uv") + square("m"))
    seen = picture_of(scene)
    assert seen[2, 2].tolist() == [1, 0, 0]
    assert seen[2, -3].tolist() == [0, 0, 0]
    assert seen[-3, 2].tolist() == [0, 0, 0]


def remapped(u: Floats, axis: str, **p: Any) -> tuple[Floats, bool]:
    """What mib_texture_remap makes of a coordinate."""
    if p.get(f"torus_{axis}"):
        u = u - np.floor(u)
    copies = p.get("repeat", 1.0)
    inside = (u >= 0) & (u < 1)
    x = u * copies
    copy = np.floor(x)
    x = x - copy
    if p.get(f"alt_{axis}"):
        x = np.where(copy % 2 == 1, 1 - x, x)
    low, high = p.get("min", 0.0), p.get("max", 1.0)
    return np.where(inside, low + x * (high - low), -1.0), bool(
        p.get(f"torus_{axis}") or copies > 1
    )


@pytest.mark.parametrize(
    ("arguments", "p"),
    [
        ("", {}),
        ('"torus_x" on, "torus_y" on', {"torus_x": 1, "torus_y": 1}),
        ('"repeat" 2 2 2', {"repeat": 2.0}),
        ('"repeat" 3 3 1, "alt_x" on, "alt_y" on', {"repeat": 3.0, "alt_x": 1, "alt_y": 1}),
        (
            '"repeat" 2 2 1, "torus_x" on, "torus_y" on, "alt_x" on, "alt_y" on',
            {"repeat": 2.0, "torus_x": 1, "torus_y": 1, "alt_x": 1, "alt_y": 1},
        ),
        ('"min" .25 .25 0, "max" .75 .75 1', {"min": 0.25, "max": 0.75}),
    ],
)
def test_remap_repeats_mirrors_wraps_and_crops(
    tmp_path: Path, arguments: str, p: dict[str, Any]
) -> None:
    """Coordinates from -0.7 to 1.8, beyond the image on all sides."""
    pixels = RNG.integers(0, 256, (6, 4, 3), dtype=np.uint8)
    write_image(tmp_path / "a.png", pixels)
    comma = ", " if arguments else ""
    remap = f'shader "r" "mib_texture_remap" ("input" = "uv"{comma}{arguments})'
    uvs = "-.7 -.7 0 1.8 -.7 0 1.8 1.8 0 -.7 1.8 0"
    scene = scene_of(
        tmp_path, remap + colour("a.png") + LOOKUP.format(coord="r") + square("m", uvs=uvs)
    )
    assert scene.warnings == ()

    def color_at(u: Floats, v: Floats) -> Floats:
        x, wraps = remapped(2.5 * u - 0.7, "x", **p)
        y, _ = remapped(2.5 * v - 0.7, "y", **p)
        return bilinear(texels_of(pixels), x, y, wraps and "alt_x" not in p)

    difference = np.abs(picture_of(scene, 256) - expected_of(color_at, 32))
    assert difference.mean() < 0.003
    assert np.quantile(difference, 0.99) < 0.04  # at borders samples fall on either side


def test_remap_transforms_row_vectors_and_adds_the_offset(tmp_path: Path) -> None:
    """A quarter turn about the centre: u' = 1 - v, v' = u."""
    pixels = RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    write_image(tmp_path / "a.png", pixels)
    remap = (
        'shader "r" "mib_texture_remap" ("input" = "uv", "offset" .5 0 0,'
        ' "transform" 0 1 0 0  -1 0 0 0  0 0 1 0  .5 0 0 1)'
    )
    scene = scene_of(tmp_path, remap + colour("a.png") + LOOKUP.format(coord="r") + square("m"))
    expected = expected_of(lambda u, v: bilinear(texels_of(pixels), 1 - v, u))
    np.testing.assert_allclose(picture_of(scene, 256), expected, atol=0.01)


def test_lookup2_repeats_without_end(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (2, 2, 3), dtype=np.uint8)
    write_image(tmp_path / "a.png", pixels)
    material = (
        'shader "look" "mib_texture_lookup2" ("tex" "t", "factor" 3)'
        'material "m" "one_color" ("color" = "look") end material'
    )
    scene = scene_of(tmp_path, colour("a.png") + material + square("m"))
    expected = expected_of(
        lambda u, v: bilinear(texels_of(pixels), 3 * u % 1, 3 * v % 1, wraps=True), 32
    )
    np.testing.assert_allclose(picture_of(scene, 256), expected, atol=0.012)


def test_a_checkerboard_has_the_colours_of_its_boxes_exactly(tmp_path: Path) -> None:
    material = """
    shader "uv" "mib_texture_vector" ()
    shader "look" "mib_texture_checkerboard" ("coord" = "uv", "xsize" .25, "ysize" .5,
      "color000" 1 0 0, "color100" 0 1 0, "color010" 0 0 1, "color110" .25 .5 .75)
    material "m" "one_color" ("color" = "look") end material
    """
    seen = picture_of(scene_of(tmp_path, material + square("m")), 16)
    expected = np.zeros_like(seen)
    expected[:16, :8], expected[:16, 8:] = (1, 0, 0), (0, 1, 0)
    expected[16:, :8], expected[16:, 8:] = (0, 0, 1), (0.25, 0.5, 0.75)
    np.testing.assert_allclose(seen, expected, rtol=1e-6)


def test_what_is_seen_from_afar_is_the_mean_with_little_noise(tmp_path: Path) -> None:
    """Each pixel covers 32 x 32 texels of noise; one sample of it sees their mean, nearly."""
    pixels = RNG.random((1024, 1024, 3)).astype(np.float16)
    write_image(tmp_path / "a.exr", pixels)
    scene = scene_of(tmp_path, colour("a.exr") + LOOKUP.format(coord="uv") + square("m"))
    one = picture_of(scene, 1)
    assert one.std() < 0.25 * pixels.astype(float).std()
    assert one.mean() == pytest.approx(pixels.astype(float).mean(), rel=0.01)
    exact = texels_of(pixels).reshape(32, 32, 32, 32, 3).mean((1, 3))
    np.testing.assert_allclose(picture_of(scene, 64), exact, atol=0.03)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0, (0.125 + 0.25, 0.0625 + 0.5, 0.125)),
        (1, (0.125 + 0.25, 0.0625 + 0.5, 0.125)),
        (2, (0.5, 0.625, 0.25)),
        (4, (0.0625, 0.0625, 0.0)),
    ],
)
def test_layers_are_mixed_by_their_mode(
    tmp_path: Path, mode: int, expected: tuple[float, ...]
) -> None:
    """A = (1/4, 1/8, 1/4), B = (1/2, 1, 0), w = 1/2."""
    base = np.full((2, 2, 4), (0.25, 0.125, 0.25, 1), np.float16)
    layer = np.full((2, 2, 4), (0.5, 1, 0, 1), np.float16)
    write_image(tmp_path / "a.exr", base)
    write_image(tmp_path / "b.exr", layer)
    material = f"""
    color texture "a" "a.exr" color texture "b" "b.exr" scalar texture "w" [1 1] '80'
    shader "uv" "mib_texture_vector" ()
    shader "A" "mib_texture_lookup" ("tex" "a", "coord" = "uv")
    shader "B" "mib_texture_lookup" ("tex" "b", "coord" = "uv")
    shader "x" "mib_color_mix" ("num" 1, "color_base" = "A", "mode_0" {mode}, "color_0" = "B",
      "weight_0" .5)
    material "m" "one_color" ("color" = "x") end material
    """
    if mode == 0:  # A (1 - Ba) w + B w: the layer is opaque
        expected = (0.25, 0.5, 0.0)
    seen = picture_of(scene_of(tmp_path, material + square("m")), 4)
    np.testing.assert_allclose(seen, np.broadcast_to(expected, seen.shape), rtol=1e-6)


LAMP = """
light "lamp" "physical_light" ("color" 4 4 4) origin 0 0 0 rectangle 0 1 0 1 0 0 end light
instance "lamp instance" "lamp" transform 1 0 0 0  0 1 0 0  0 0 1 0  .5 0 -3 1 end instance
"""
MIA = '"reflectivity" .5, "brdf_fresnel" off, "brdf_0_degree_refl" .25'


@pytest.mark.parametrize(
    ("shader", "parameter", "constant"),
    [
        ("mib_illum_lambert", "diffuse", "1 .5 .25"),
        ("mib_illum_phong", "diffuse", "1 .5 .25"),
        ("mib_illum_phong", "specular", "1 .5 .25"),
        ("mib_reflect", "reflect", "1 .5 .25"),
        ("mia_material", "diffuse", "1 .5 .25"),
        ("mia_material", "refl_color", "1 .5 .25"),
        ("mia_material", "refl_gloss", ".5 .5 .5"),
        ("mia_material", "transparency", ".25 .25 .25"),
        ("mia_material", "reflectivity", ".25 .25 .25"),
        ("mia_material", "cutout_opacity", ".25 .25 .25"),
        ("adskMayaPhong", "color", "1 .5 .25"),
    ],
)
def test_a_picture_of_one_colour_gives_the_bits_of_that_constant(
    tmp_path: Path, shader: str, parameter: str, constant: str
) -> None:
    """Every parameter that can vary, lit by a lamp, with paths of four segments."""
    color = [float(c) for c in constant.split()]
    write_image(tmp_path / "a.exr", np.full((4, 4, 3), color, np.float16))
    is_number = parameter in ("refl_gloss", "transparency", "reflectivity", "cutout_opacity")
    rest = {"mib_illum_phong": '"exponent" 20, ', "mia_material": "", "adskMayaPhong": ""}
    lead = rest.get(shader, "")
    graph = (
        colour("a.exr") + 'shader "uv" "mib_texture_vector" ()'
        'shader "look" "mib_texture_lookup" ("tex" "t", "coord" = "uv")'
    )
    films = []
    for value in ('= "look"', constant.split()[0] if is_number else constant):
        material = f'material "m" "{shader}" ({lead}"{parameter}" {value}) end material'
        scene = scene_of(
            tmp_path, graph + material + square("m") + LAMP, ("square instance", "lamp instance")
        )
        films.append(film_of(scene, 8, 4))
        assert any(m.is_textured for m in scene.materials) == value.startswith("=")
    assert films[0][..., :3].max() > 0
    assert (films[0] == films[1]).all()


def test_a_lamp_with_a_texture_lights_as_its_bright_part_alone(tmp_path: Path) -> None:
    """The left half of a square emits; what it lights, by connections and by scattering."""
    floor = 'material "white" "mib_illum_lambert" ("diffuse" 1 1 1) end material '
    half = """
    shader "uv" "mib_texture_vector" ()
    shader "look" "mib_texture_checkerboard" ("coord" = "uv", "xsize" .5, "ysize" 2,
      "color000" 3 2 1, "color100" 0 0 0)
    material "m" "one_color" ("color" = "look") end material
    """
    behind = (
        'object "up" visible trace group -1 -1 1 1 -1 1 1 1 1 -1 1 1 0 0 0 1 0 0 1 1 0 0 1 0'
        ' v 0 t 4 v 1 t 5 v 2 t 6 v 3 t 7 p "{m}" 3 2 1 0 end group end object'
        ' instance "up instance" "up" visible 4 {transform} end instance '
    )
    small = 'material "m" "one_color" ("color" 3 2 1) end material '
    members = ("square instance", "up instance")
    textured = scene_of(
        tmp_path, floor + half + square("white") + behind.format(m="m", transform=""), members
    )
    # The instance's transform is from the world: twice as wide, and its centre at x = -1/2.
    matrix = "transform 2 0 0 0  0 1 0 0  0 0 1 0  1 0 0 1"
    plain = scene_of(
        tmp_path, floor + small + square("white") + behind.format(m="m", transform=matrix), members
    )
    a, b = picture_of(textured, 512, 2), picture_of(plain, 512, 2)
    assert b.mean() > 0.05
    assert a.mean((0, 1)) == pytest.approx(b.mean((0, 1)), rel=0.01)
    np.testing.assert_allclose(
        a.reshape(4, 8, 4, 8, 3).mean((1, 3)), b.reshape(4, 8, 4, 8, 3).mean((1, 3)), rtol=0.06
    )


CARD = """
color texture "t" [4 1] 'ff0000ff ff000080 ff000000 ff0000ff'
shader "uv" "mib_texture_vector" ()
shader "look" "mib_texture_lookup" ("tex" "t", "coord" = "uv")
shader "alpha" "mib_color_alpha" ("input" = "look")
material "green" "one_color" ("color" 0 1 0) end material
shader "red" "one_color" ("color" 1 0 0)
"""


def assert_noise_about(seen: Floats, expected: Floats) -> None:
    """Independent draws would spread by 0.031 at most; stratified ones spread less."""
    difference = seen - expected
    assert abs(difference.mean()) < 0.003
    assert difference.std() < 0.012
    assert np.abs(difference).max() < 0.1


@pytest.mark.parametrize(
    "material",
    [
        '"mip_card_opacity" ("input" = "look", "opacity_in_alpha" on)',
        '"mip_card_opacity" ("input" = "red", "opacity" = "alpha")',
        '"mib_opacity" ("input" = "red", "opac" = "alpha")',
    ],
)
def test_alpha_cuts_out_what_the_camera_sees(tmp_path: Path, material: str) -> None:
    """A red card before a green wall: by alpha of one or the other, bilinear between texels."""
    text = CARD + f'material "m" {material} end material'
    wall = square("green", z=-1, name="wall").replace(
        "-1 -1 -1 1 -1 -1 1 1 -1 -1 1 -1", "-9 -9 -1 9 -9 -1 9 9 -1 -9 9 -1"
    )
    scene = scene_of(tmp_path, text + square("m") + wall, ("square instance", "wall instance"))
    assert scene.warnings == ()
    alphas = np.array([1, 128 / 255, 0, 1]).reshape(1, 4, 1)
    alpha = expected_of(lambda u, v: bilinear(alphas, u, v))[..., 0]
    seen = picture_of(scene, 256)
    assert_noise_about(seen[..., 0], alpha)
    assert_noise_about(seen[..., 1], 1 - alpha)
    assert (seen[..., 2] == 0).all()


def test_alpha_cuts_out_the_shadow(tmp_path: Path) -> None:
    """The card is seen by shadow rays alone, the sun stands above: light is 1 - alpha."""
    text = (
        CARD
        + """
    material "m" "mip_card_opacity" ("input" = "red", "opacity" = "alpha") end material
    material "white" "mib_illum_lambert" ("diffuse" 1 1 1) end material
    light "sun" "mib_light_infinite" ("color" 1 1 1) direction 0 0 -1 end light
    instance "sun instance" "sun" end instance
    """
    )
    card = square("m", z=1, name="card").replace("end instance", "visible off end instance")
    names = ("square instance", "card instance", "sun instance")
    scene = scene_of(tmp_path, text + square("white") + card, names)
    alphas = np.array([1, 128 / 255, 0, 1]).reshape(1, 4, 1)
    alpha = expected_of(lambda u, v: bilinear(alphas, u, v))[..., 0]
    lit = picture_of(scene, 256, 2)[..., 0]
    assert_noise_about(lit, 1 - alpha)
