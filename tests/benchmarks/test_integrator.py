"""The section `integrator`: what it measures, and that a wrong picture ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.device import open_device, runs, schedules_of, settings_of
from benchmarks.integrator.convergence import Point, converge, seconds_to
from benchmarks.integrator.reference import read, reference_of, witnessed, write_reference
from benchmarks.integrator.section import check, integrator
from benchmarks.integrator.stage import Stage
from benchmarks.options import CheckFailed, Options
from benchmarks.pictures import relative_error
from benchmarks.scenes import build
from benchmarks.scenes.to_gpuqueue import to_buffers
from benchmarks.timing import CPU

SIZE = 32
SCENE = build("cornell")


@pytest.fixture
def stage() -> Iterator[Stage]:
    with open_device(Options(device="cpu")) as device:
        yield Stage.of(device, to_buffers(SCENE, SIZE), SIZE)


def test_it_measures_every_scene(tmp_path: Path) -> None:
    options = Options(device="cpu", quick=True, scenes=("cornell", "lamps"), cache=tmp_path)
    rows = list(integrator(options))
    assert {row.scene for row in rows} == {"cornell", "lamps"}
    assert {"Msamples/s", "relMSE x s", "s an image", "s to build"} <= {r.metric for r in rows}


def test_a_kept_reference_gets_the_samples_that_it_lacks(stage: Stage, tmp_path: Path) -> None:
    rough = reference_of(stage, SCENE, 0.05, tmp_path)
    fine = reference_of(stage, SCENE, rough.error / 1.9, tmp_path)
    assert fine.samples > rough.samples
    assert reference_of(stage, SCENE, 0.05, tmp_path).samples == fine.samples
    again = reference_of(stage, SCENE, rough.error / 1.9, tmp_path / "elsewhere")
    for kept, new in zip(fine.films, again.films, strict=True):
        assert np.array_equal(kept, new), "adding samples changes no bit"


def test_the_error_of_a_reference_is_that_against_a_better_one(
    stage: Stage, tmp_path: Path
) -> None:
    rough = reference_of(stage, SCENE, 0.01, tmp_path)
    truth = replace(rough, films=(stage_film(stage, 5), stage_film(stage, 6)))
    assert rough.error == pytest.approx(relative_error(rough.picture, truth.picture), rel=0.25)


def stage_film(stage: Stage, seed: int) -> np.ndarray:
    film = stage.new_film()
    stage.add(film, seed, 0, 768)
    return stage.device.read_exact(film)


def test_a_damaged_reference_is_made_anew(stage: Stage, tmp_path: Path) -> None:
    made = reference_of(stage, SCENE, 0.05, tmp_path)
    [path] = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert read(path) is None
    assert np.array_equal(reference_of(stage, SCENE, 0.05, tmp_path).picture, made.picture)


def test_without_another_renderer_a_reference_has_no_witness(stage: Stage, tmp_path: Path) -> None:
    made = reference_of(stage, SCENE, 0.05, tmp_path)
    assert witnessed(made, stage, SCENE, Options(cache=tmp_path)).witness == ""


def test_a_picture_of_something_else_ends_the_run(stage: Stage, tmp_path: Path) -> None:
    reference = reference_of(stage, SCENE, 0.05, tmp_path)
    check(stage, SCENE, reference)
    other = Stage.of(stage.device, to_buffers(build("room", 0.002), SIZE), SIZE)
    wrong = reference_of(other, SCENE, 0.5, tmp_path / "other")
    with pytest.raises(CheckFailed, match="cornell: cpu, reference: the mean is"):
        check(stage, SCENE, wrong)


def test_a_reference_survives_its_file(stage: Stage, tmp_path: Path) -> None:
    made = replace(reference_of(stage, SCENE, 0.05, tmp_path), witness="mitsuba-llvm 3.9")
    write_reference(tmp_path / "kept.npz", made)
    kept = read(tmp_path / "kept.npz")
    assert kept is not None
    assert kept.witness == "mitsuba-llvm 3.9"
    assert np.array_equal(kept.picture, made.picture)


def test_samples_are_added_until_the_error_is_small_enough(stage: Stage, tmp_path: Path) -> None:
    truth = reference_of(stage, SCENE, 0.002, tmp_path).picture
    curve = converge(stage, truth, 0.05, 1, CPU)
    assert [point.samples for point in curve] == [2**i for i in range(len(curve))]
    assert curve[-1].error <= 0.05 < curve[-2].error
    assert np.all(np.diff([point.seconds for point in curve]) > 0)


def test_the_time_to_an_error_lies_on_the_line_between_two_points() -> None:
    curve = (Point(1, 1.0, 0.4), Point(2, 2.0, 0.2), Point(4, 4.0, 0.1))
    assert seconds_to(curve, 0.1) == pytest.approx(4.0)
    assert seconds_to(curve, 0.1 * 2**0.5) == pytest.approx(4.0 / 2**0.5)
    assert seconds_to(curve[:1], 0.5) == 1.0


def test_a_picture_that_never_becomes_good_is_an_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.integrator.convergence.MOST_SAMPLES", 4)
    with pytest.raises(CheckFailed, match="after 4 samples a pixel; expected 1e-06"):
        converge(stage, np.ones((SIZE, SIZE, 3), np.float32), 1e-6, 1, CPU)


def test_every_schedule_of_a_gpu_is_measured_and_the_cpu_has_one() -> None:
    assert schedules_of("cpu") == ("",)
    for device in ("cupy", "pycuda"):
        schedules = schedules_of(device)
        assert "auto" not in schedules
        assert {"loop", "wavefront"} <= set(schedules)
        for schedule in schedules:
            assert settings_of(Options(device=device), schedule).gpu_schedule == schedule


def test_a_schedule_that_gave_way_to_another_is_not_measured(stage: Stage) -> None:
    assert runs(stage.device, "")
    assert runs(stage.device, "loop")
    assert not runs(stage.device, "wavefront")
