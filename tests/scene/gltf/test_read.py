"""What glTF files mean, and that the same is written as ``.mi``."""

import base64
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.scene import Scene, load_document, load_scene, scene_pieces
from gpuqueue.scene.entities import Geometry, Object
from gpuqueue.scene.model import Falloff, LightKind
from tests.scene.gltf.make import CORNERS, SQUARE, Maker, one_square
from tests.scene.test_write import meaning


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def loaded(maker: Maker) -> Scene:
        (tmp_path / "scene.glb").write_bytes(maker.glb())
        return load_scene(Path("scene.glb"), tmp_path)

    return loaded


@pytest.fixture
def geometry(tmp_path: Path) -> Any:
    def read(maker: Maker) -> Geometry:
        (tmp_path / "scene.glb").write_bytes(maker.glb())
        entities = load_document(Path("scene.glb"), tmp_path).entities.values()
        (found,) = (e.geometry for e in entities if isinstance(e, Object) and e.geometry)
        return found

    return read


def places(scene: Scene) -> np.ndarray:
    """The corners of all instances in the world."""
    placed = scene.instances
    points = [
        scene.meshes[mesh].positions @ matrix[:3, :3].T + matrix[:3, 3]
        for mesh, matrix in zip(placed.mesh, placed.world_from_object, strict=True)
    ]
    return np.concatenate(points)


def test_a_square_is_seen_in_white_surroundings(load: Any) -> None:
    scene = load(one_square())
    assert len(scene.meshes) == 1
    assert scene.environment == (1, 1, 1)
    camera = scene.camera.world_from_camera
    towards = -camera[:3, 2]
    assert np.allclose(np.cross(towards, -camera[:3, 3]), 0), "it looks at the middle"
    seen = np.linalg.inv(camera) @ np.vstack([SQUARE.T, np.ones(4)])
    assert (abs(seen[0] / seen[2]) < scene.camera.plane[0] / 2).all()
    assert (abs(seen[1] / seen[2]) < scene.camera.plane[1] / 2).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_indices_of_every_size(geometry: Any, kind: type) -> None:
    maker = Maker()
    attributes = {"POSITION": maker.accessor(SQUARE)}
    indices = maker.accessor(CORNERS.astype(kind))
    mesh = maker.add("meshes", primitives=[{"attributes": attributes, "indices": indices}])
    maker.add("nodes", mesh=mesh)
    assert geometry(maker).triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize(
    ("mode", "triangles"),
    [(4, [[0, 1, 2]]), (5, [[0, 1, 2], [2, 1, 3]]), (6, [[0, 1, 2], [0, 2, 3]])],
)
def test_triangles_strips_and_fans_without_indices(
    geometry: Any, mode: int, triangles: list[list[int]]
) -> None:
    maker = Maker()
    primitive = {"attributes": {"POSITION": maker.accessor(SQUARE)}, "mode": mode}
    maker.add("nodes", mesh=maker.add("meshes", primitives=[primitive]))
    assert geometry(maker).triangles.tolist() == triangles


def test_normals_and_texture_coordinates_which_point_up_here(geometry: Any) -> None:
    maker = Maker()
    attributes = {
        "POSITION": maker.accessor(SQUARE),
        "NORMAL": maker.accessor(np.tile(np.array([0, 0, 127], np.int8), (4, 1)), normalized=True),
        "TEXCOORD_0": maker.accessor(
            np.array([[0, 0], [255, 0], [255, 51], [0, 51]], np.uint8), normalized=True
        ),
    }
    maker.add("nodes", mesh=maker.add("meshes", primitives=[{"attributes": attributes}]))
    found = geometry(maker)
    assert found.normals.tolist() == [[0, 0, 1]] * 4
    assert np.allclose(found.uvs, [[0, 1], [1, 1], [1, 0.8], [0, 0.8]])


def test_interleaved_and_sparse_positions(geometry: Any) -> None:
    maker = Maker()
    rows = np.hstack([SQUARE, np.full((4, 2), 9, np.float32)])
    view = maker.view(rows.tobytes(), byteStride=20)
    changed = np.array([[5, 6, 7]], np.float32)
    sparse = {
        "count": 1,
        "indices": {"bufferView": maker.view(b"\x02"), "componentType": 5121},
        "values": {"bufferView": maker.view(changed.tobytes())},
    }
    accessor = maker.add(
        "accessors", bufferView=view, componentType=5126, type="VEC3", count=4, sparse=sparse
    )
    maker.add(
        "nodes", mesh=maker.add("meshes", primitives=[{"attributes": {"POSITION": accessor}}])
    )
    assert geometry(maker).positions[:3].tolist() == [[-1, -1, 0], [1, -1, 0], [5, 6, 7]]


def test_nodes_move_turn_and_scale_what_is_below_them(load: Any) -> None:
    half = math.sqrt(0.5)  # a quarter turn about y: x becomes -z
    maker = one_square(name="leaf", scale=[2, 1, 1])
    maker.add("nodes", children=[0], rotation=[0, half, 0, half], name="turn")
    maker.add("nodes", children=[1], translation=[10, 0, 0], name="shift")
    expected = np.column_stack([SQUARE[:, 2] + 10, SQUARE[:, 1], -2 * SQUARE[:, 0]])
    assert np.allclose(places(load(maker)), expected, atol=1e-6)


def test_a_matrix_stands_column_by_column(load: Any) -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = 3, 4, 5
    maker = one_square(matrix=matrix.T.ravel().tolist())
    assert np.allclose(places(load(maker)), SQUARE + np.array([3, 4, 5]))


def test_the_default_scene_is_shown_and_nothing_else(load: Any) -> None:
    maker = Maker()
    mesh = maker.square()
    for x in (1, 2, 3):
        maker.add("nodes", mesh=mesh, translation=[x, 0, 0])
    maker.add("scenes", nodes=[0])
    maker.add("scenes", nodes=[1, 2])
    maker.json["scene"] = 1
    assert sorted(set(places(load(maker))[:, 0])) == [1, 2, 3, 4]


def test_a_camera_has_its_angle_and_aspect(load: Any) -> None:
    maker = one_square()
    view = {"yfov": 1.0, "aspectRatio": 2.0, "znear": 0.1}
    camera = maker.add("cameras", type="perspective", perspective=view)
    maker.add("nodes", camera=camera, translation=[0, 0, 5])
    scene = load(maker)
    width, height = scene.camera.plane
    assert height == pytest.approx(2 * math.tan(0.5))
    assert width == pytest.approx(2 * height)
    assert scene.camera.resolution == (1440, 720)
    assert np.allclose(scene.camera.world_from_camera[:3, 3], [0, 0, 5])


def test_an_orthographic_camera_shows_its_width(load: Any) -> None:
    maker = one_square()
    camera = maker.add("cameras", type="orthographic", orthographic={"xmag": 3, "ymag": 1.5})
    maker.add("nodes", camera=camera)
    document = load(maker)
    distance = document.camera.world_from_camera[2, 3]
    assert document.camera.plane[0] * distance == pytest.approx(6)


def lights_of(scene: Scene) -> dict[str, Any]:
    return {light.name: light for light in scene.lights}


def test_lights_keep_their_intensity(load: Any) -> None:
    maker = one_square()
    cone = {"innerConeAngle": 0.2, "outerConeAngle": 0.5}
    lights = [
        {"name": "a", "type": "point", "intensity": 7, "color": [1, 0.5, 0]},
        {"name": "b", "type": "spot", "intensity": 3, "spot": cone},
        {"name": "c", "type": "directional", "intensity": 2},
    ]
    maker.json["extensions"] = {"KHR_lights_punctual": {"lights": lights}}
    for i in range(3):
        reference = {"KHR_lights_punctual": {"light": i}}
        maker.add("nodes", extensions=reference, translation=[0, i, 0])
    scene = load(maker)
    found = lights_of(scene)
    assert found["a"].color == pytest.approx((7, 3.5, 0))
    assert found["a"].falloff is Falloff.INVERSE_SQUARE
    assert found["b"].kind is LightKind.SPOT
    assert (found["b"].cos_inner, found["b"].cos_outer) == (math.cos(0.2), math.cos(0.5))
    assert found["b"].color == pytest.approx((3, 3, 3))
    assert found["b"].position == pytest.approx((0, 1, 0))
    assert found["c"].kind is LightKind.DIRECTIONAL
    assert found["c"].color == pytest.approx((2, 2, 2))
    assert scene.environment == (0, 0, 0), "it has lights of its own"


def material_of(load: Any, **members: Any) -> Any:
    maker = Maker()
    mesh = maker.square(material=maker.add("materials", name="m", **members))
    maker.add("nodes", mesh=mesh)
    scene = load(maker)
    return scene.materials[scene.material_lists[scene.instances.material_list[0]][0]]


def test_a_metal_reflects_its_colour(load: Any) -> None:
    pbr = {"baseColorFactor": [0.9, 0.6, 0.1, 1], "metallicFactor": 1, "roughnessFactor": 0.3}
    material = material_of(load, pbrMetallicRoughness=pbr)
    assert material.kind == "conductor"
    assert material.parameters["f0"] == pytest.approx((0.9, 0.6, 0.1))
    assert material.parameters["alpha"] == pytest.approx(0.3**2)


def test_a_dielectric_has_a_coat_of_its_index(load: Any) -> None:
    pbr = {"baseColorFactor": [0.9, 0.6, 0.1, 1], "metallicFactor": 0, "roughnessFactor": 0.5}
    material = material_of(
        load, pbrMetallicRoughness=pbr, extensions={"KHR_materials_ior": {"ior": 1.6}}
    )
    assert material.parameters["diffuse"] == pytest.approx((0.9, 0.6, 0.1))
    assert material.parameters["r0"] == pytest.approx((0.6 / 2.6) ** 2)
    assert material.parameters["alpha"] == pytest.approx(0.25)
    assert max(material.parameters["transmission"]) == 0


@pytest.mark.parametrize("solid", [False, True])
def test_glass_transmits_and_is_thin_without_a_volume(load: Any, solid: bool) -> None:
    extensions = {"KHR_materials_transmission": {"transmissionFactor": 0.8}}
    if solid:
        extensions["KHR_materials_volume"] = {}
    pbr = {"metallicFactor": 0}
    material = material_of(load, pbrMetallicRoughness=pbr, extensions=extensions)
    assert material.parameters["transmission"] == pytest.approx((0.8, 0.8, 0.8))
    assert material.parameters["thin_walled"] == float(not solid)


@pytest.mark.parametrize(
    ("mode", "opacity"),
    [({}, 1), ({"alphaMode": "BLEND"}, 0.4), ({"alphaMode": "MASK"}, 0),
     ({"alphaMode": "MASK", "alphaCutoff": 0.3}, 1)],
)  # fmt: skip
def test_opacity_follows_the_alpha_mode(load: Any, mode: dict[str, Any], opacity: float) -> None:
    pbr = {"baseColorFactor": [1, 1, 1, 0.4]}
    assert material_of(load, pbrMetallicRoughness=pbr, **mode).opacity == opacity


def test_what_glows_is_the_light(load: Any) -> None:
    maker = Maker()
    extensions = {"KHR_materials_emissive_strength": {"emissiveStrength": 5}}
    material = maker.add("materials", emissiveFactor=[1, 0.5, 0], extensions=extensions)
    maker.add("nodes", mesh=maker.square(material=material))
    scene = load(maker)
    assert scene.materials[0].emission == (5, 2.5, 0)
    assert scene.environment == (0, 0, 0)


def test_buffers_beside_the_file_and_in_base64(tmp_path: Path) -> None:
    maker = one_square()
    packed = base64.b64encode(maker.data).decode()
    (tmp_path / "in.gltf").write_bytes(
        maker.text(uri=f"data:application/octet-stream;base64,{packed}")
    )
    (tmp_path / "my data.bin").write_bytes(maker.data)
    (tmp_path / "out.gltf").write_bytes(maker.text(uri="my%20data.bin"))
    found = [load_scene(Path(f"{name}.gltf"), tmp_path) for name in ("in", "out")]
    assert np.array_equal(places(found[0]), places(found[1]))
    assert [source.path.name for source in found[1].sources] == ["out.gltf", "my data.bin"]


def test_the_written_scene_means_the_same(tmp_path: Path) -> None:
    maker = one_square(name="square", rotation=[0.1, 0.2, 0.3, 0.9])
    maker.add("nodes", name="square", children=[0], mesh=0, translation=[1, 2, 3])
    maker.add("nodes", name="back\\slash", mesh=0, scale=[1, 2, 3])
    (tmp_path / "scene.glb").write_bytes(maker.glb())
    pieces = scene_pieces(load_document(Path("scene.glb"), tmp_path))
    (tmp_path / "scene.mi").write_bytes(b"".join(pieces))
    first, second = (meaning(load_scene(Path(f"scene.{s}"), tmp_path)) for s in ("glb", "mi"))
    assert second == first
