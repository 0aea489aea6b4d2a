"""The ray benchmark: scenes of the size asked for, other hits refused, rows for every kind."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from benchmarks.options import CheckFailed
from benchmarks.rays.__main__ import main
from benchmarks.rays.embree import EmbreeMissingError, library_path
from benchmarks.rays.scenes import ray_kinds
from benchmarks.rays.section import (
    MAY_DIFFER,
    OURS,
    PLACES,
    ROBUST,
    differing,
    embree_tracers,
    measure,
    our_tracer,
)
from tests.kernels.ray_scenes import Array, is_hit


def needs_embree() -> None:
    try:
        library_path()
    except EmbreeMissingError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", PLACES)
def test_a_scene_has_about_the_triangles_asked_for_and_all_kinds_of_rays(name: str) -> None:
    scene, view = PLACES[name].make(60_000)
    assert len(scene.triangles) == pytest.approx(60_000, rel=0.25)
    kinds = ray_kinds(scene, view, side=32)
    assert list(kinds) == ["camera", "bounce", "random", "shadow", "random any"]
    for kind in kinds.values():
        assert len(kind.rays) > 300
        assert (np.linalg.norm(kind.rays["direction"], axis=1) > 1e-3).all()
    assert 0.3 < is_hit(scene.closest(kinds["camera"].rays, "float8")).mean() <= 1


def test_embree_finds_the_same_hits_on_both_levels() -> None:
    needs_embree()
    scene, view = PLACES["grove"].make(5000)
    ours = our_tracer(scene)
    with ExitStack() as held:
        tracers = embree_tracers(scene, held)
        for kind in ray_kinds(scene, view, side=64).values():
            own = ours(kind.rays, kind.any_hit)
            for trace in tracers.values():
                other = trace(kind.rays, kind.any_hit)
                assert differing(own, other) <= len(own) * MAY_DIFFER * 1e-6


def test_a_tracer_that_misses_is_refused() -> None:
    scene, view = PLACES["spheres-100k"].make(5000)
    camera = ray_kinds(scene, view, side=32)["camera"]

    def misses_some(rays: Array, any_hit: bool) -> Array:
        shorter = rays.copy()
        shorter["t_max"][::100] = 1e-3
        return our_tracer(scene)(shorter, any_hit)

    tracers = {OURS: our_tracer(scene), ROBUST: misses_some}
    with pytest.raises(CheckFailed, match="of a million rays hit else in Embree robust"):
        list(measure("spheres", "camera", camera, tracers, 1, ""))


def test_the_command_writes_rows_with_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "rays.json"
    assert main(["--quick", "--rounds", "1", "--scenes", "grove", "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    assert told["machine"]["cores"] >= 1
    rates = [row for row in told["rows"] if row["metric"] == f"{OURS}, Mrays/s"]
    assert len(rates) == 5
    assert all(row["values"][0] > 0 for row in rates)
