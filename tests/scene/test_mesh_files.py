"""OBJ, PLY and STL files as scenes."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene import Scene, load_document, load_scene, scene_pieces

OBJ = """\
mtllib colours.mtl
v 0 0 0
v 2 0 0
v 2 2 0
v 0 2 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 0 1
usemtl red
f 1/1/1 2/2/1 3/3/1 4/4/1
usemtl blue
f 1/1/1 4/4/1 2/2/1
"""
MTL = """\
newmtl red
Kd 0.8 0.1 0.1
newmtl blue
Kd 0 0 0.5
Ks 0.2 0.4 0.4
Ns 30
d 0.5
Ke 3 3 3
map_Kd ../../secret.png
"""
PLY = """\
ply
format ascii 1.0
element vertex 4
property float x
property float y
property float z
element face 1
property list uchar int vertex_indices
end_header
0 0 0
2 0 0
2 2 0
0 2 0
4 0 1 2 3
"""
STL = """\
solid square
facet normal 0 0 1
 outer loop
  vertex 0 0 0
  vertex 2 0 0
  vertex 2 2 0
 endloop
endfacet
facet normal 0 0 1
 outer loop
  vertex 0 0 0
  vertex 2 2 0
  vertex 0 2 0
 endloop
endfacet
endsolid square
"""


def convert(folder: Path, name: str, text: str) -> tuple[Scene, tuple[str, ...]]:
    """The scene that a file becomes, by way of its ``.mi`` text, and the warnings."""
    (folder / name).write_text(text)
    document = load_document(Path(name), folder)
    (folder / "new.mi").write_bytes(b"".join(scene_pieces(document)))
    return load_scene(Path("new.mi"), folder), document.warnings.all()


def area(scene: Scene) -> float:
    total = 0.0
    for mesh in scene.meshes:
        a, b, c = (mesh.positions[mesh.triangles[:, i]] for i in range(3))
        total += float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
    return total


@pytest.mark.parametrize(("name", "text"), [("a.ply", PLY), ("a.stl", STL)])
def test_a_square_keeps_its_area_and_is_lit(tmp_path: Path, name: str, text: str) -> None:
    scene, warnings = convert(tmp_path, name, text)
    assert area(scene) == 4
    assert scene.environment == (1, 1, 1)
    assert warnings == ()


def test_an_obj_has_its_materials_normals_and_texture_coordinates(tmp_path: Path) -> None:
    (tmp_path / "colours.mtl").write_text(MTL)
    scene, warnings = convert(tmp_path, "a.obj", OBJ)
    found = {material.name: material for material in scene.materials}
    assert found["red"].parameters["diffuse"] == pytest.approx((0.8, 0.1, 0.1))
    assert max(found["red"].parameters["reflection"]) == 0  # type: ignore[type-var]
    assert found["blue"].parameters["reflection"] == pytest.approx((0.2, 0.4, 0.4))
    assert found["blue"].parameters["alpha"] == pytest.approx((2 / 32) ** 0.5)
    assert found["blue"].opacity == 0.5
    assert found["blue"].emission == (3, 3, 3)
    assert area(scene) == 6
    assert all(mesh.normals is not None and mesh.uvs is not None for mesh in scene.meshes)
    assert "textures of OBJ materials are not rendered" in warnings[0]


@pytest.mark.parametrize(
    ("place", "message"),
    [("../colours.mtl", "lies outside"), ("colours.txt", "name must end in .mtl")],
)
def test_materials_are_read_from_the_scene_folder_alone(
    tmp_path: Path, place: str, message: str
) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / place).resolve().write_text(MTL)
    (folder / "a.obj").write_text(OBJ.replace("colours.mtl", place))
    with pytest.raises(SceneError, match=message):
        load_document(Path("a.obj"), folder)


def test_an_obj_without_its_materials_is_grey(tmp_path: Path) -> None:
    scene, _ = convert(tmp_path, "a.obj", OBJ)
    assert scene.materials[0].parameters["diffuse"] == pytest.approx((0.7, 0.7, 0.7))


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.ply", "ply\nnonsense"), ("a.stl", "x" * 200), ("a.obj", "f 1 2 3"), ("a.obj", "v 0 0 0"),
     ("a.ply", PLY.replace("4 0 1 2 3", "4 0 1 2 9")), ("a.ply", PLY[:-12]), ("a.obj", "")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_name(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SceneError, match=rf"^{name}"):
        load_document(Path(name), tmp_path)


def test_a_service_reads_no_such_files(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(PLY)
    with pytest.raises(SceneError, match=r"must end in .mi or .mi.gz or .gltf or .glb"):
        load_scene(Path("a.ply"), tmp_path)


def test_without_trimesh_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.ply").write_text(PLY)
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("trimesh"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SceneError, match=r"pip install 'gpuqueue\[convert\]'"):
        load_document(Path("a.ply"), tmp_path)
