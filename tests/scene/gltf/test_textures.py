"""Textures of glTF materials."""

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuqueue.scene import load_document, load_scene, scene_pieces
from gpuqueue.scene.entities import Connection, Material, NamedShader, ShaderCall, Texture
from gpuqueue.scene.gltf.item import root_item
from gpuqueue.scene.gltf.textures import uv_matrix
from gpuqueue.scene.source import Source
from tests.scene.gltf.make import Maker

PIXELS = np.array(
    [[[255, 0, 0, 255], [0, 255, 0, 128]], [[0, 0, 255, 0], [9, 9, 9, 255]]], np.uint8
)


def png(pixels: np.ndarray = PIXELS) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def textured(source: dict[str, Any], maker: Maker | None = None, **members: Any) -> Maker:
    """A square whose base colour is an image."""
    maker = maker or Maker()
    image = maker.add("images", name="picture", **source)
    texture = maker.add("textures", source=image)
    pbr = {"metallicFactor": 0, "baseColorTexture": {"index": texture}}
    pbr |= members.pop("pbr", {})
    material = maker.add("materials", name="m", pbrMetallicRoughness=pbr, **members)
    maker.add("nodes", mesh=maker.square(material=material))
    return maker


def embedded(**members: Any) -> Maker:
    maker = Maker()
    source = {"bufferView": maker.view(png()), "mimeType": "image/png"}
    return textured(source, maker, **members)


def entities(folder: Path, maker: Maker) -> dict[str, Any]:
    (folder / "scene.glb").write_bytes(maker.glb())
    return dict(load_document(Path("scene.glb"), folder).entities)


def argument(found: dict[str, Any], name: str) -> Any:
    material = found["m"]
    assert isinstance(material, Material)
    (call,) = material.shaders
    assert isinstance(call, ShaderCall)
    return call.arguments[name]


def call_of(found: dict[str, Any], connection: Any) -> ShaderCall:
    assert isinstance(connection, Connection)
    shader = found[connection.name]
    assert isinstance(shader, NamedShader)
    (call,) = shader.shaders
    assert isinstance(call, ShaderCall)
    return call


@pytest.mark.parametrize("place", ["view", "data", "file"])
def test_an_image_is_found_in_a_buffer_in_base64_or_in_a_file(tmp_path: Path, place: str) -> None:
    if place == "view":
        maker = embedded()
    elif place == "data":
        maker = textured({"uri": "data:image/png;base64," + base64.b64encode(png()).decode()})
    else:
        (tmp_path / "my picture.png").write_bytes(png())
        maker = textured({"uri": "my%20picture.png"})
    found = entities(tmp_path, maker)
    lookup = call_of(found, argument(found, "diffuse"))
    texture = found[lookup.arguments["tex"][0]]
    assert isinstance(texture, Texture)
    if place == "file":
        assert texture.file == "my picture.png"
    else:
        texels = np.frombuffer(texture.data or b"", np.uint8).reshape(2, 2, 4)
        assert (texels == PIXELS[::-1]).all(), "the bottom row comes first"


def test_a_factor_multiplies_the_image(tmp_path: Path) -> None:
    found = entities(tmp_path, embedded(pbr={"baseColorFactor": [0.5, 1, 0.25, 1]}))
    mix = call_of(found, argument(found, "diffuse"))
    assert mix.type == "mib_color_mix"
    assert mix.arguments["color_0"] == (0.5, 1, 0.25, 1)
    assert call_of(found, mix.arguments["color_base"]).type == "mib_texture_lookup2"


@pytest.mark.parametrize("mode", ["MASK", "BLEND"])
def test_alpha_of_the_image_is_the_opacity(tmp_path: Path, mode: str) -> None:
    found = entities(tmp_path, embedded(alphaMode=mode, pbr={"baseColorFactor": [1, 1, 1, 0.5]}))
    alpha = call_of(found, argument(found, "cutout_opacity"))
    assert alpha.type == "mib_color_alpha"
    assert alpha.arguments["factor"] == (0.5,)


def test_the_means_of_green_and_blue_are_roughness_and_metal(tmp_path: Path) -> None:
    """Assets leave metallicFactor at 1 where an image says how metallic they are."""
    maker = Maker()
    pixels = np.full((2, 2, 3), 0, np.uint8)
    pixels[..., 1] = 51
    view = maker.view(png(pixels))
    image = maker.add("images", bufferView=view, mimeType="image/png")
    texture = maker.add("textures", source=image)
    pbr = {"metallicRoughnessTexture": {"index": texture}, "roughnessFactor": 0.5}
    material = maker.add("materials", name="m", pbrMetallicRoughness=pbr)
    maker.add("nodes", mesh=maker.square(material=material))
    found = entities(tmp_path, maker)
    assert argument(found, "refl_gloss")[0] == pytest.approx(1 - 0.5 * 0.2)
    assert argument(found, "diffuse_weight") == (1.0,), "not a metal"


def test_emission_by_an_image_is_a_light(tmp_path: Path) -> None:
    found = entities(tmp_path, embedded(emissiveTexture={"index": 0}, emissiveFactor=[1, 1, 0.5]))
    mix = call_of(found, argument(found, "additional_color"))
    assert mix.arguments["color_0"] == (1, 1, 0.5, 1)
    (tmp_path / "scene.glb").write_bytes(embedded(emissiveTexture={"index": 0}).glb())
    dark = load_scene(Path("scene.glb"), tmp_path)
    assert dark.environment == (1, 1, 1), "emissiveFactor is black if it is left out"


def test_a_damaged_image_is_told_and_left_out(tmp_path: Path) -> None:
    maker = Maker()
    source = {"bufferView": maker.view(png()[:40]), "mimeType": "image/png"}
    (tmp_path / "scene.glb").write_bytes(textured(source, maker).glb())
    document = load_document(Path("scene.glb"), tmp_path)
    assert "scene.glb: images[0]: this image cannot be used" in document.warnings.all()[0]
    assert argument(dict(document.entities), "diffuse") == (1.0, 1.0, 1.0)


def transform(**members: Any) -> np.ndarray:
    source = Source("none", Path("none"), b"")
    return uv_matrix(root_item(members, source))


def test_a_transform_of_coordinates_turns_with_v_up() -> None:
    point = np.array([0.25, 0.75, 0, 1])
    assert transform() @ point == pytest.approx(point)
    # In the file's coordinates v points down: (0.25, 0.25), moved, is (0.35, 0.45).
    assert transform(offset=[0.1, 0.2]) @ point == pytest.approx([0.35, 0.55, 0, 1])
    assert transform(scale=[2, 4]) @ point == pytest.approx([0.5, 0, 0, 1])
    quarter = transform(rotation=math.pi / 2)
    assert quarter @ [1, 1, 0, 1] == pytest.approx([0, 2, 0, 1]), "right becomes up"


def test_a_transform_is_a_remapping_without_end(tmp_path: Path) -> None:
    change = {"KHR_texture_transform": {"offset": [0.5, 0], "scale": [2, 2]}}
    maker = embedded(pbr={"baseColorTexture": {"index": 0, "extensions": change}})
    found = entities(tmp_path, maker)
    lookup = call_of(found, argument(found, "diffuse"))
    remap = call_of(found, lookup.arguments["coord"])
    assert remap.type == "mib_texture_remap"
    rows = np.reshape(np.array(remap.arguments["transform"], float), (4, 4))
    assert [0.25, 0.75, 0, 1] @ rows == pytest.approx([1, 0.5, 0, 1])


def test_what_is_written_holds_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "scene.glb").write_bytes(embedded().glb())
    pieces = scene_pieces(load_document(Path("scene.glb"), tmp_path))
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "scene.mi").write_bytes(b"".join(pieces))
    scene = load_scene(Path("scene.mi"), alone)
    assert scene.textures[0].size == (2, 2)
