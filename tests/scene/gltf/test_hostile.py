"""Wrong glTF files are refused with the member that is wrong; none crashes or hangs."""

import contextlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuqueue.errors import SceneError
from gpuqueue.scene import load_scene
from tests.scene.gltf.make import Maker, one_square

Change = Callable[[dict[str, Any]], Any]


def refused(folder: Path, data: bytes, name: str = "scene.glb") -> str:
    (folder / name).write_bytes(data)
    with pytest.raises(SceneError) as error:
        load_scene(Path(name), folder)
    return str(error.value)


def changed(change: Change) -> bytes:
    maker = one_square()
    change(maker.json)
    return maker.glb()


WRONG: dict[str, tuple[Change, str]] = {
    "version": (
        lambda j: j.update(asset={"version": "1.0"}),
        "asset.version: expected glTF \"2.0\", found '1.0'",
    ),
    "extension": (
        lambda j: j.update(extensionsRequired=["KHR_draco_mesh_compression"]),
        "extensionsRequired: KHR_draco_mesh_compression is not supported",
    ),
    "table": (lambda j: j.update(meshes=3), "meshes: expected an array, found 3"),
    "entry": (lambda j: j.update(meshes=[3]), "meshes: expected an array of objects"),
    "mesh": (
        lambda j: j["nodes"][0].update(mesh=7),
        "nodes[0].mesh: there is no mesh 7; there are 1, counted from 0",
    ),
    "child": (
        lambda j: j["nodes"][0].update(children=[9]),
        "nodes[0].children: there is no node 9; there are 1",
    ),
    "mode": (
        lambda j: j["meshes"][0]["primitives"][0].update(mode=7),
        "meshes[0].primitives[0].mode: expected an integer from 0 to 6, found 7",
    ),
    "accessor": (
        lambda j: j["meshes"][0]["primitives"][0]["attributes"].update(POSITION=True),
        "attributes.POSITION: there is no entry of accessors True",
    ),
    "count": (
        lambda j: j["accessors"][0].update(count=5),
        "accessors[0]: 5 elements go beyond the 48 bytes of their buffer view",
    ),
    "zeros": (
        lambda j: (j["accessors"][0].pop("bufferView"), j["accessors"][0].update(
            count=1 << 27, sparse={})),
        "accessors[0].count: expected at most 4194304 elements without a buffer view",
    ),
    "component": (
        lambda j: j["accessors"][0].update(componentType=5124),
        "accessors[0].componentType: expected one of",
    ),
    "width": (
        lambda j: j["accessors"][0].update(type="VEC2"),
        "accessors[0].type: expected 3 numbers for each element",
    ),
    "type": (lambda j: j["accessors"][0].update(type="MAT4"), "accessors[0].type: expected one of"),
    "stride": (
        lambda j: j["bufferViews"][0].update(byteStride=1),
        "bufferViews[0].byteStride: expected an integer from 12",
    ),
    "view": (
        lambda j: j["bufferViews"][0].update(byteLength=1 << 30),
        "bufferViews[0]: it ends at byte",
    ),
    "rotation": (
        lambda j: j["nodes"][0].update(rotation=[0, 0, 0, 0]),
        "nodes[0].rotation: expected a quaternion of length 1",
    ),
    "matrix": (
        lambda j: j["nodes"][0].update(matrix=[1] * 15),
        "nodes[0].matrix: expected 16 numbers",
    ),
    "perspective": (
        lambda j: j["nodes"][0].update(matrix=[1] * 16),
        "nodes[0].matrix: expected an affine matrix",
    ),
    "translation": (
        lambda j: j["nodes"][0].update(translation=[0, 0, 1e30]),
        "nodes[0].translation: expected 3 numbers up to 1e+15",
    ),
    "index": (
        lambda j: j["accessors"].append({**j["accessors"][1], "bufferView": 0, "count": 12})
        or j["meshes"][0]["primitives"][0].update(indices=2),
        "accessors[2]: vertex",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_member_is_told_by_its_path(tmp_path: Path, name: str) -> None:
    change, message = WRONG[name]
    found = refused(tmp_path, changed(change))
    assert found.startswith("scene.glb: ")
    assert message in found


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("../secret.bin", "lies outside the scene folder"),
        ("/etc/passwd", "lies outside the scene folder"),
        ("secret.txt", "its name must end in .bin"),
        ("missing.bin", "'missing.bin' does not exist"),
        ("data:;base64,???", "this data URI is not base64"),
        ("data:,abc", "this data URI is not base64"),
        ("short.bin", "the buffer has 3 bytes, not"),
    ],
)
def test_buffers_are_taken_from_the_scene_folder_alone(
    tmp_path: Path, uri: str, message: str
) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"0" * 1000)
    (folder / "secret.txt").write_bytes(b"0" * 1000)
    (folder / "short.bin").write_bytes(b"000")
    found = refused(folder, one_square().text(uri=uri), "scene.gltf")
    assert message in found
    assert "scene.gltf: buffers[0]" in found


def test_broken_containers(tmp_path: Path) -> None:
    whole = one_square().glb()
    assert "expected a JSON object" in refused(tmp_path, b"[1]")
    assert "ends within its header" in refused(tmp_path, whole[:15])
    assert "goes beyond" in refused(tmp_path, whole[:12] + b"\xff" * 8 + whole[20:])
    version_1 = whole[:4] + struct.pack("<I", 1) + whole[8:]
    assert "found version 1" in refused(tmp_path, version_1)
    assert "nested deeper" in refused(tmp_path, b"[" * 100 + b"]" * 100, "deep.gltf")


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = one_square().glb()
    for end in range(0, len(whole) - 4, 7):
        assert refused(tmp_path, whole[:end])


def test_a_long_chain_of_nodes_is_no_deep_recursion(tmp_path: Path) -> None:
    maker = one_square()
    for child in range(3000):
        maker.add("nodes", children=[child])
    (tmp_path / "long.glb").write_bytes(maker.glb())
    assert len(load_scene(Path("long.glb"), tmp_path).instances) == 1


def test_nodes_that_contain_each_other_end(tmp_path: Path) -> None:
    maker = one_square(children=[1])
    maker.add("nodes", children=[0])
    maker.add("scenes", nodes=[0])
    (tmp_path / "ring.glb").write_bytes(maker.glb())
    assert len(load_scene(Path("ring.glb"), tmp_path).instances) == 1


def test_nodes_doubled_again_and_again_are_counted_before_they_are_placed(tmp_path: Path) -> None:
    maker = one_square()
    for child in range(40):
        maker.add("nodes", children=[child, child])
    assert "instances; at most" in refused(tmp_path, maker.glb())


_WORDS = st.sampled_from(
    [b"0", b"-1", b"99999999999", b"1e308", b"null", b"[]", b"{}", b'""', b"true", b"3"]
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), _WORDS, st.integers(0, 4))
def test_any_change_of_the_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, word: bytes, length: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz", numbered=True)
    maker = full_maker()
    (folder / "my.bin").write_bytes(maker.data)
    text = maker.text(uri="my.bin")
    place %= len(text)
    (folder / "scene.gltf").write_bytes(text[:place] + word + text[place + length :])
    with contextlib.suppress(SceneError):
        load_scene(Path("scene.gltf"), folder)


def full_maker() -> Maker:
    """A file that uses every part that is read."""
    maker = Maker()
    pbr = {"baseColorFactor": [1, 1, 1, 0.5], "metallicFactor": 0, "roughnessFactor": 1}
    material = maker.add("materials", pbrMetallicRoughness=pbr, alphaMode="BLEND")
    mesh = maker.square(material=material, mode=4)
    view = {"yfov": 1.0, "aspectRatio": 2.0}
    camera = maker.add("cameras", type="perspective", perspective=view)
    light = {"type": "spot", "intensity": 3, "spot": {"outerConeAngle": 0.3}}
    maker.json["extensions"] = {"KHR_lights_punctual": {"lights": [light]}}
    maker.add("nodes", mesh=mesh, rotation=[0, 0, 0, 1], translation=[0, 0, 0], scale=[1, 1, 1])
    maker.add("nodes", camera=camera, children=[0])
    maker.add("nodes", extensions={"KHR_lights_punctual": {"light": 0}}, children=[1])
    maker.add("scenes", nodes=[2])
    maker.json["scene"] = 0
    return maker


def test_the_whole_file_of_the_fuzzer_is_right(tmp_path: Path) -> None:
    (tmp_path / "scene.glb").write_bytes(full_maker().glb())
    scene = load_scene(Path("scene.glb"), tmp_path)
    assert len(scene.lights) == len(scene.instances) == 1
    assert json.loads(full_maker().text())["scene"] == 0
