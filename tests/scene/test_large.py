"""Big meshes load in time that grows with their size, not faster."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.scene import load_scene, pack, watch
from tests.scene.test_buffers import LAYOUTS, SHADERS
from tests.scene.test_graph import PARTS

END = ' instance "i" "big" end instance instgroup "world" "camera" "i" end instgroup'


def grid(steps: int) -> tuple[np.ndarray, np.ndarray]:
    axis = np.linspace(0, 1, steps + 1)
    points = np.array([[x, y, np.sin(9 * x * y)] for x in axis for y in axis])
    a = (np.arange(steps)[:, None] * (steps + 1) + np.arange(steps)).reshape(-1)
    corners = np.stack([a, a + steps + 1, a + steps + 2, a + 1], axis=1)
    return points, corners


def trilist(steps: int) -> str:
    points, quads = grid(steps)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    vertices = "\n".join(f"{x:.6f} {y:.6f} {z:.6f} 0. 0. 1. {x:.4f} {y:.4f}" for x, y, z in points)
    corners = "\n".join(f"{a} {b} {c}" for a, b, c in triangles)
    return (
        f'object "big" trilist vertex {len(points)} p n t 2 triangle {len(triangles)}\n'
        f"[ {vertices} ]\n[ {corners} ]\nend trilist end object"
    )


def group(steps: int) -> str:
    points, quads = grid(steps)
    vectors = "\n".join(f"{x:.6f} {y:.6f} {z:.6f}" for x, y, z in points)
    vertices = "\n".join(f"v {i} n {i} t {i}" for i in range(len(points)))
    polygons = "\n".join(f'p "" {a} {b} {c} {d}' for a, b, c, d in quads)
    return f'object "big" group\n{vectors}\n{vertices}\n{polygons}\nend group end object'


def seconds(folder: Path, text: str) -> tuple[float, int]:
    (folder / "s.mi").write_text(PARTS + text + END)
    start = time.process_time()
    scene = load_scene(Path("s.mi"), folder)
    return time.process_time() - start, len(scene.meshes[0].triangles)


@pytest.mark.parametrize("write", [trilist, group])
def test_four_times_the_triangles_take_about_four_times_as_long(
    tmp_path: Path, write: object
) -> None:
    assert callable(write)
    small, count = seconds(tmp_path, write(30))
    large, larger_count = seconds(tmp_path, write(120))
    assert (count, larger_count) == (1800, 28800)
    assert large < 16 * max(small, 0.01) * 3


def test_a_trilist_is_read_in_bulk(tmp_path: Path) -> None:
    """Token by token this takes ten times as long as the same text takes to split into words."""
    text = trilist(180)
    start = time.process_time()
    words = text.split()
    splitting = time.process_time() - start
    loading, _ = seconds(tmp_path, text)
    assert len(words) > 450_000
    assert loading < 10 * splitting + 0.2


@pytest.mark.parametrize("write", [trilist, group])
def test_a_load_needs_no_more_than_three_times_the_memory_of_its_arrays(
    tmp_path: Path, write: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The map of the file is not counted: the system can drop it at any time."""
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    (tmp_path / "s.mi").write_text(PARTS + write(400) + END)
    seen: list[int] = []
    before = private_bytes()
    scene = load_scene(
        Path("s.mi"), tmp_path, report=lambda *_: seen.append(private_bytes() - before)
    )
    buffers = pack(scene, LAYOUTS, SHADERS)
    seen.append(private_bytes() - before)
    arrays = (buffers.positions, buffers.normals, buffers.uvs, buffers.triangles)
    assert len(seen) > 4
    assert max(seen) < 3 * sum(array.nbytes for array in arrays)


def private_bytes() -> int:
    """Resident memory that is no map of a file."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024
