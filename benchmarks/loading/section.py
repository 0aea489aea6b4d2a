"""The section `loading`: megabytes and triangles a second from file to arrays, in one thread."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.loading.files import corners, rewrite, write_obj, write_ply, write_polygons
from benchmarks.loading.readers import others, read_mi
from benchmarks.options import CheckFailed, Options
from benchmarks.rows import Row, ratio
from benchmarks.scenes import build
from benchmarks.scenes.description import Mesh
from benchmarks.timing import take_turns

#: Of a ``.mi`` file.
FORMS = ("polygons", "triangle lists", "binary triangle lists")
#: Of the benchmark scenes those whose largest mesh is large, and what of it is read.
SCENES = {"terrain": 1.0, "planet": 0.2}


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
    readers = {form: partial(read_mi, path) for form, path in files.items()}
    for case, (suffix, read) in others().items():
        files[case] = folder / f"mesh{suffix}"
        (write_obj if suffix == ".obj" else write_ply)(files[case], mesh)
        readers[case] = partial(read, files[case])
    for case, load in readers.items():  # which also warms up
        check(f"{name}, {case}", mesh, load()())
    seconds = take_turns(readers, rounds)
    for case, taken in seconds.items():
        row = partial(Row, "loading", name, case)
        size, count = files[case].stat().st_size, len(mesh.triangles)
        yield row("MB/s", tuple(size / s * 1e-6 for s in taken))
        yield row("Mtriangles/s", tuple(count / s * 1e-6 for s in taken))
    yield from compared(name, seconds)


def compared(name: str, seconds: dict[str, list[float]]) -> Iterator[Row]:
    """How many times as fast each of our forms is as the fastest other that reads numbers of its
    kind, decimal or binary."""
    for case in (case for case in seconds if case in FORMS):
        is_binary = case == FORMS[-1]
        kin = [c for c in seconds if c not in FORMS and c.endswith("PLY") is is_binary]
        if kin:
            fastest = min(kin, key=lambda other: float(np.median(seconds[other])))
            times = ratio(seconds[fastest], seconds[case])
            yield Row("loading", name, case, "speed to the fastest", times, note=fastest)


def written(mesh: Mesh, folder: Path) -> dict[str, Path]:
    """The mesh in each form of a ``.mi`` file."""
    files = {form: folder / f"{form.replace(' ', '-')}.mi" for form in FORMS}
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
