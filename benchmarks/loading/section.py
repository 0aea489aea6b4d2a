"""The section `loading`: megabytes and triangles a second from file to scene, in one thread."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.loading.files import corners, rewrite, write_ply, write_polygons
from benchmarks.options import CheckFailed, Options
from benchmarks.rows import Row, ratio
from benchmarks.scenes import build
from benchmarks.scenes.description import Mesh
from benchmarks.timing import take_turns
from gpuqueue.scene import load_scene

#: Of the benchmark scenes those whose largest mesh is large, and what of it is read.
SCENES = {"terrain": 1.0, "planet": 0.2}
OTHER = "trimesh, binary PLY"

#: From a file to the corners of its triangles, float32 [T, 3, 3].
Reader = Callable[[], NDArray[np.float32]]


def loading(options: Options) -> Iterator[Row]:
    """Rows of every form of a file. Raises CheckFailed where a triangle differs in any bit."""
    for name in [known for known in SCENES if known in options.scenes]:
        scene = build(name, options.detail * SCENES[name])
        mesh = max(scene.meshes, key=lambda one: len(one.triangles))
        with tempfile.TemporaryDirectory() as folder:
            yield from measured(name, mesh, Path(folder), options.rounds)


def measured(name: str, mesh: Mesh, folder: Path, rounds: int) -> Iterator[Row]:
    """The readers take turns on one mesh."""
    files = written(mesh, folder)
    readers: dict[str, Reader] = {form: partial(read_mi, path) for form, path in files.items()}
    files[OTHER] = folder / "mesh.ply"
    note = ""
    try:
        import trimesh  # noqa: F401 - whether it is there
    except ModuleNotFoundError:
        note = "trimesh is not installed"
    else:
        write_ply(files[OTHER], mesh)
        readers[OTHER] = partial(read_ply, files[OTHER])
    for form, read in readers.items():
        check(f"{name}, {form}", mesh, read())
    seconds = take_turns(readers, rounds)
    for form, taken in seconds.items():
        row = partial(Row, "loading", name, form, note=note)
        size, count = files[form].stat().st_size, len(mesh.triangles)
        yield row("MB/s", tuple(size / s * 1e-6 for s in taken))
        yield row("Mtriangles/s", tuple(count / s * 1e-6 for s in taken))
        if form != OTHER and OTHER in seconds:
            yield row(f"speed to {OTHER}", ratio(seconds[OTHER], taken))


def written(mesh: Mesh, folder: Path) -> dict[str, Path]:
    """The mesh in each form of a ``.mi`` file."""
    names = ("polygons", "triangle lists", "binary triangle lists")
    files = {form: folder / f"{form.replace(' ', '-')}.mi" for form in names}
    source, *others = files.values()
    write_polygons(source, mesh)
    for target, binary in zip(others, (False, True), strict=True):
        rewrite(source, target, binary=binary)
    return files


def check(what: str, mesh: Mesh, found: NDArray[np.float32]) -> None:
    """Every bit of every triangle."""
    expected = corners(mesh.positions, mesh.triangles)
    if found.shape != expected.shape or not np.array_equal(found, expected):
        raise CheckFailed(f"{what}: other triangles than were written ({found.shape[0]} of them)")


def read_mi(path: Path) -> NDArray[np.float32]:
    """As a job reads it."""
    [mesh] = load_scene(path, path.parent).meshes
    return corners(mesh.positions, mesh.triangles)


def read_ply(path: Path) -> NDArray[np.float32]:
    """By trimesh, which is asked to change nothing."""
    import trimesh

    mesh = trimesh.load_mesh(path, process=False)
    return corners(mesh.vertices, mesh.faces)
