from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuqueue.errors import InvalidJob
from gpuqueue.scene import Scene, load_scene, pack
from gpuqueue.scene.model import Material
from tests.scene.describe import ROOT, load
from tests.scene.test_graph import PARTS

kernels = pytest.importorskip("gpuqueue.device.native", reason="the kernels are not built")
LAYOUTS = kernels.layouts()
SHADERS = list(kernels.kernels().shaders())


def scene_of(tmp_path: Path, camera: str, transform: str = "") -> Scene:
    text = PARTS.replace('camera "view" end', f'camera "view" {camera} end')
    text = text.replace('"view" end instance', f'"view" {transform} end instance')
    (tmp_path / "s.mi").write_text(
        text + 'instance "i" "square" end instance instgroup "world" "camera" "i" end instgroup'
        ' render "world" "camera" "o"'
    )
    return load_scene(Path("s.mi"), tmp_path)


def direction(scene: Scene, x: float, y: float, **size: int) -> NDArray[np.float64]:
    """Where the film point (x, y) looks, scaled to z = -1."""
    camera = pack(scene, LAYOUTS, SHADERS, **size).camera
    toward = camera["corner"] + x * camera["dx"] + y * camera["dy"]
    result: NDArray[np.float64] = np.asarray(toward / -toward[2], np.float64)
    return result


CAMERA = "focal 50 aperture 40 aspect 2 resolution 200 100"


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (100, 50, (0, 0)),
        (0, 50, (-0.4, 0)),
        (200, 50, (0.4, 0)),
        (100, 0, (0, 0.2)),
        (0, 100, (-0.4, -0.2)),
    ],
)
def test_the_film_spans_the_aperture_from_the_upper_left(
    tmp_path: Path, x: float, y: float, expected: tuple[float, float]
) -> None:
    assert direction(scene_of(tmp_path, CAMERA), x, y)[:2] == pytest.approx(expected, abs=1e-6)


def test_the_aspect_of_the_plane_decides_the_height_not_the_resolution(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "focal 50 aperture 40 aspect 1 resolution 200 100")
    assert direction(scene, 0, 0)[:2] == pytest.approx((-0.4, 0.4))


def test_a_window_is_a_part_of_the_picture_counted_from_the_lower_left(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, CAMERA + " window 20 10 119 39")
    buffers = pack(scene, LAYOUTS, SHADERS)
    assert (buffers.width, buffers.height) == (100, 30)
    whole = scene_of(tmp_path, CAMERA)
    assert direction(scene, 0, 0) == pytest.approx(direction(whole, 20, 60), abs=1e-6)
    assert direction(scene, 100, 30) == pytest.approx(direction(whole, 120, 90), abs=1e-6)


def test_an_offset_shifts_the_plane_in_pixels(tmp_path: Path) -> None:
    shifted, plain = scene_of(tmp_path, CAMERA + " offset 10 5"), scene_of(tmp_path, CAMERA)
    assert direction(shifted, 50, 50) == pytest.approx(direction(plain, 60, 45), abs=1e-6)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({}, (200, 100)),
        ({"width": 50}, (50, 25)),
        ({"height": 50}, (100, 50)),
        ({"width": 30, "height": 90}, (30, 90)),
    ],
)
def test_a_size_left_out_keeps_the_proportion(
    tmp_path: Path, size: dict[str, int], expected: tuple[int, int]
) -> None:
    buffers = pack(scene_of(tmp_path, CAMERA), LAYOUTS, SHADERS, **size)
    assert (buffers.width, buffers.height) == expected


def test_a_film_of_another_proportion_keeps_the_width_and_square_pixels(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, CAMERA)
    assert direction(scene, 0, 50, width=100, height=100)[:2] == pytest.approx((-0.4, 0), abs=1e-6)
    assert direction(scene, 50, 0, width=100, height=100)[:2] == pytest.approx((0, 0.4), abs=1e-6)


def test_the_camera_is_placed_by_the_inverse_of_its_transform(tmp_path: Path) -> None:
    # Parent to camera: world x is the camera's -z.
    scene = scene_of(tmp_path, CAMERA, "transform 0 0 -1 0 0 1 0 0 1 0 0 0 3 0 0 1")
    camera = pack(scene, LAYOUTS, SHADERS).camera
    middle = camera["corner"] + 100 * camera["dx"] + 50 * camera["dy"]
    assert middle / np.linalg.norm(middle) == pytest.approx([1, 0, 0], abs=1e-6)
    assert camera["origin"].tolist() == pytest.approx([0, 0, -3])


def test_an_orthographic_camera_becomes_a_telephoto_of_the_same_width(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "focal infinity aperture 4 aspect 1 resolution 10 10")
    assert any("orthographic" in warning for warning in scene.warnings)
    camera = pack(scene, LAYOUTS, SHADERS).camera
    left = camera["corner"] + 5 * camera["dy"]
    assert (camera["origin"] - left / left[2] * camera["origin"][2])[0] == pytest.approx(
        -2, rel=1e-4
    )


def test_instances_hold_both_matrices_and_point_to_their_materials() -> None:
    scene = load(ROOT / "valid" / "instances.mi")
    buffers = pack(scene, LAYOUTS, SHADERS)
    first = buffers.instances[0]
    world = np.asarray(first["world_from_object"]).reshape(3, 4)
    inverse = np.asarray(first["object_from_world"]).reshape(3, 4)
    assert world[:, 3].tolist() == [1, 2, 3]
    assert inverse[:, 3].tolist() == [-1, -2, -3]
    slots = buffers.material_slots[buffers.instances["first_material"]]
    names = [scene.materials[slot].name for slot in slots]
    assert names == ["a", "default", "default", "default", "default", "b", "a", "a", "a"]


def test_vertices_and_triangles_of_all_meshes_lie_end_to_end() -> None:
    scene = load(ROOT / "valid" / "trilist.mi")
    buffers = pack(scene, LAYOUTS, SHADERS)
    assert buffers.meshes["first_vertex"].tolist() == [0, 4, 7]
    assert buffers.meshes["first_triangle"].tolist() == [0, 2, 4]
    assert buffers.meshes["flags"].tolist() == [3, 0, 0]
    assert buffers.normals[:4].tolist() == [[0, 0, 1]] * 4
    assert buffers.uvs[:4].tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    assert not buffers.normals[4:].any()
    assert buffers.triangles["vertex"][:3].tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
    assert buffers.triangles["material"].tolist() == [0, 0, 0, 1, 0, 1, 0]


def test_parameters_of_each_material_stand_at_its_offset_in_the_layout_of_its_kind() -> None:
    scene = load(ROOT / "valid" / "materials.mi")
    buffers = pack(scene, LAYOUTS, SHADERS)
    for record, material in zip(buffers.materials, scene.materials, strict=True):
        assert SHADERS[record["shader"]] == material.kind
        assert record["parameters"] % 16 == 0
        layout = LAYOUTS[material.kind]
        start = int(record["parameters"])
        values = buffers.parameters[start : start + layout.itemsize].view(layout)[0]
        assert set(layout.names or ()) == set(material.parameters)
        for name, value in material.parameters.items():
            assert values[name] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("material", "message"),
    [
        (
            Material("m", "velvet", {}),
            "material 'm' is of kind 'velvet'; the kernels have: .*lambert",
        ),
        (Material("m", "lambert", {"albedo": 1.0}), "'lambert' has no parameter 'albedo'"),
    ],
)
def test_a_material_that_the_kernels_do_not_have_is_refused(
    material: Material, message: str
) -> None:
    scene = replace(load(ROOT / "valid" / "materials.mi"), materials=(material,) * 20)
    with pytest.raises(InvalidJob, match=message):
        pack(scene, LAYOUTS, SHADERS)


@pytest.mark.parametrize("path", sorted((ROOT / "valid").glob("*.mi")), ids=lambda path: path.stem)
def test_every_valid_scene_packs_to_finite_numbers(path: Path) -> None:
    buffers = pack(load(path), LAYOUTS, SHADERS)
    for name in ("positions", "normals", "uvs", "light_cdf", "environment"):
        assert np.isfinite(getattr(buffers, name)).all()
    for records in (buffers.instances, buffers.lights, buffers.materials):
        for field in records.dtype.names or ():
            if records.dtype[field].names is None:
                assert np.isfinite(records[field]).all()
