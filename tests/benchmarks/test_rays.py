"""The ray benchmark: scenes of the size asked for, other hits refused, rows for every kind."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from benchmarks.options import CheckFailed
from benchmarks.rays.__main__ import main
from benchmarks.rays.build import check
from benchmarks.rays.embree import Embree, EmbreeMissingError, library_path
from benchmarks.rays.places import OURS, PLACES, ROBUST
from benchmarks.rays.scenes import ray_kinds
from benchmarks.rays.section import (
    MAY_DIFFER,
    differing,
    embree_tracers,
    measure,
    our_tracer,
)
from benchmarks.rays.tree_cost import embree_tree_cost, our_tree_cost
from tests.kernels.ray_scenes import Array, RayScene, is_hit, placed_once


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


def test_a_scene_whose_tree_loses_triangles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, _ = PLACES["spheres-100k"].make(5000)
    closest = RayScene.closest

    def loses(self: RayScene, rays: Array, layout: str) -> Array:
        hits = closest(self, rays, layout)
        return hits if layout == "exhaustive" else np.where(np.arange(len(hits)) % 9, hits, hits[0])

    check("spheres", scene)
    monkeypatch.setattr(RayScene, "closest", loses)
    with pytest.raises(CheckFailed, match="not those of testing every triangle"):
        check("spheres", scene)


def test_the_cost_of_a_tree_is_that_of_its_boxes_by_hand() -> None:
    """Four equal triangles, and four others far away: a node of two leaves of a block each."""
    corners = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [8, 0, 1], [9, 0, 1], [8, 1, 1]], float)
    pair = placed_once(corners, np.array([[0, 1, 2]] * 4 + [[3, 4, 5]] * 4))
    assert our_tree_cost(pair.build()) == pytest.approx(1 + (2 * 2 + 1 * 1) / (9 * 2 + 2 + 9))
    single = placed_once(corners, np.array([[0, 1, 2]]))
    assert our_tree_cost(single.build()) == 1


def test_our_trees_and_those_of_embrees_builder_are_worth_about_the_same() -> None:
    needs_embree()
    scene, _ = PLACES["spheres-100k"].make(20_000)
    with Embree() as embree:
        assert our_tree_cost(scene.build()) < 1.15 * embree_tree_cost(embree, scene)


def test_the_command_writes_rows_with_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "rays.json"
    assert main(["--quick", "--rounds", "2", "--scenes", "grove", "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    assert told["machine"]["cores"] >= 1
    rates = [row for row in told["rows"] if row["metric"] == f"{OURS}, Mrays/s"]
    assert len(rates) == 5
    assert all(min(row["values"]) > 0 and len(row["values"]) == 2 for row in rates)
    built = {row["metric"]: row for row in told["rows"] if row["case"] == OURS}
    assert {"Mtriangles/s", "peak MiB", "MiB kept"} <= set(built)
    # The system counts pages a batch at a time.
    assert built["peak MiB"]["values"][0] > 0.9 * built["MiB kept"]["values"][0] > 0.5
