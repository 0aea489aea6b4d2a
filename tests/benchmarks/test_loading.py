"""The section `loading`: each form gives the triangles back, and one that does not ends the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.loading.files import corners
from benchmarks.loading.readers import read_mi
from benchmarks.loading.section import check, loading, written
from benchmarks.options import CheckFailed, Options
from benchmarks.scenes import build


def test_every_form_of_a_file_is_measured() -> None:
    rows = list(loading(Options(quick=True, rounds=1)))
    assert {row.scene for row in rows} == {"terrain", "planet"}
    forms = {row.case for row in rows if row.metric == "MB/s"}
    assert {"polygons", "triangle lists", "binary triangle lists", "mitsuba, OBJ"} <= forms
    speeds = {row.case: row.note for row in rows if row.metric == "speed to the fastest"}
    assert speeds["binary triangle lists"].endswith("PLY")
    assert speeds["polygons"].endswith("OBJ")


def test_files_hold_the_bits_of_the_mesh(tmp_path: Path) -> None:
    mesh = max(build("planet", 0.0002).meshes, key=lambda one: len(one.triangles))
    awkward = np.float32([1e-30, 1 / 3, 16777217.0, 0.1, 9e14, -0.0])
    positions = mesh.positions.copy()
    positions[: len(awkward), 0] = awkward
    mesh = replace(mesh, positions=positions)
    for path in written(mesh, tmp_path).values():
        assert np.array_equal(read_mi(path)(), corners(mesh.positions, mesh.triangles)), path.name


def test_another_triangle_ends_the_run() -> None:
    mesh = max(build("planet", 0.0002).meshes, key=lambda one: len(one.triangles))
    found = corners(mesh.positions, mesh.triangles)
    check("planet", mesh, found)
    moved = found.copy()
    moved[5, 1, 2] = np.nextafter(moved[5, 1, 2], np.float32(9))
    with pytest.raises(CheckFailed, match="planet: other triangles than were written"):
        check("planet", mesh, moved)
    with pytest.raises(CheckFailed, match="other triangles"):
        check("planet", mesh, found[1:])
