"""Meshes that stand, are instanced, move and are refitted are closed, on a few rays of those that
``python -m tests.kernels.leaks`` aims; that it would tell of a hole."""

from dataclasses import replace

import pytest

from .leaks import CASES, DISTANCES, Aimed, main, measure, on_cpu
from .ray_scenes import LAYOUTS, NO_INSTANCE, Array, is_hit


@pytest.mark.parametrize("case", CASES)
def test_no_ray_gets_out_and_both_layouts_find_the_same_hits(case: str) -> None:
    tracers = {layout: on_cpu(layout) for layout in LAYOUTS}
    found = list(measure(60_000, tracers, (case,)))
    assert [distance for _, distance, _, _ in found] == list(DISTANCES)
    for _, _, rays, out in found:
        assert rays > 50_000
        assert out == dict.fromkeys(LAYOUTS, 0)


@pytest.mark.parametrize("case", CASES)
def test_a_ray_from_outside_that_misses_is_told_of(case: str) -> None:
    aimed = CASES[case](3000, 100)
    away = aimed.rays.copy()
    away["origin"][::500] += 1000 * away["direction"][::500]
    hits = on_cpu("float8")(replace(aimed, rays=away))
    assert (~is_hit(hits)).sum() == len(away[::500])


def test_a_hole_and_a_differing_hit_fail_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = on_cpu("float8")

    def through_a_hole(aimed: Aimed) -> Array:
        hits = trace(aimed).copy()
        hits["instance"][7] = NO_INSTANCE
        return hits

    monkeypatch.setattr("tests.kernels.leaks.LAYOUTS", ("float8",))
    monkeypatch.setattr("tests.kernels.leaks.on_cpu", lambda layout: through_a_hole)
    assert main(["--rays", "3000"]) == 1
    assert "{'float8': 1} got out" in capsys.readouterr().out
