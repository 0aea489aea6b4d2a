"""The benchmark scenes: deterministic, sound geometry, and the same for our own renderer."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scenes import SCENES, build
from benchmarks.scenes.description import Mesh, bounds
from benchmarks.scenes.shapes import box, sphere, torus
from benchmarks.scenes.to_gpuqueue import to_buffers
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Work
from gpuqueue.device.cpu import open_cpu

ROOT = Path(__file__).parents[2]
QUICK = 0.002


def corners(mesh: Mesh) -> np.ndarray:
    return mesh.positions[mesh.triangles].astype(float)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_the_same_each_time(name: str) -> None:
    first, second = build(name, QUICK), build(name, QUICK)
    for a, b in zip(first.meshes, second.meshes, strict=True):
        assert np.array_equal(a.positions, b.positions)
        assert np.array_equal(a.triangles, b.triangles)
    assert np.array_equal(first.matrices, second.matrices)


@pytest.mark.parametrize("name", SCENES)
def test_triangles_have_area_and_name_vertices_that_exist(name: str) -> None:
    for mesh in build(name, QUICK).meshes:
        assert mesh.triangles.min() >= 0
        assert mesh.triangles.max() < len(mesh.positions)
        a, b, c = np.moveaxis(corners(mesh), 1, 0)
        assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0


@pytest.mark.parametrize(
    ("name", "triangles", "placed"),
    [("cornell", 38, 38), ("lamps", 324_000, 324_000), ("room", 295_000, 295_000)],
)
def test_full_scenes_have_the_stated_sizes(name: str, triangles: int, placed: int) -> None:
    scene = build(name)
    assert scene.triangle_count == pytest.approx(triangles, rel=0.01)
    assert scene.placed_triangle_count == pytest.approx(placed, rel=0.01)


def test_detail_sets_the_triangles_of_a_scene_but_not_its_things() -> None:
    small, large = build("terrain", 0.002), build("terrain", 0.02)
    assert large.triangle_count == pytest.approx(10 * small.triangle_count, rel=0.15)
    assert len(small.placed) == len(large.placed) == 201


@pytest.mark.parametrize(
    "shape", [box((1, 2, 3), (1, 2, 3), 0.3), sphere(12, 6), torus(12, 6, 2, 1)]
)
def test_shapes_are_closed_and_face_outward(shape: tuple[np.ndarray, np.ndarray]) -> None:
    positions, triangles = shape
    a, b, c = np.moveaxis((positions - positions.mean(axis=0))[triangles], 1, 0)
    assert (a * np.cross(b, c)).sum() > 0  # six times the volume
    assert np.allclose(np.cross(b - a, c - a).sum(axis=0), 0)  # a closed surface has no net area


def test_the_lamps_of_the_room_lie_inside_its_walls_and_nothing_else_meets_them() -> None:
    scene = build("room", QUICK)
    low, high = bounds(scene)
    walls = scene.meshes[0].positions
    assert np.allclose([low, high], [walls.min(axis=0), walls.max(axis=0)])


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_renders_finite_and_lit(name: str) -> None:
    buffers = to_buffers(build(name, QUICK), 32)
    device = open_cpu(RenderSettings(threads=1))
    film = device.new_film(buffers.camera, 32, 32)
    device.render(device.upload(buffers), film, Work(0, 32 * 32, 0, 4, 1, 8))
    pixels = device.read(film)
    assert (pixels[..., 3] == 4).all()
    assert pixels[..., :3].mean() > 0.05


def test_the_scenes_need_nothing_but_numpy() -> None:
    code = (
        "import sys, benchmarks.scenes;"
        "assert not [m for m in sys.modules if m.startswith(('gpuqueue', 'pydantic'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(("name", "detail"), [("attic", 1.0), ("room", 0.0), ("room", 2.0)])
def test_an_unknown_scene_or_detail_is_refused(name: str, detail: float) -> None:
    with pytest.raises(ValueError, match=r"attic|detail is"):
        build(name, detail)
