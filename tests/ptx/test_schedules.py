"""Persistent threads and wavefronts as nvcc and NVRTC make them, executed on the CPU.

Here warps have 32 lanes that vote and share counters; on the CPU build they have one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gpuqueue.device.film import Film, sums
from gpuqueue.scene import SceneBuffers
from tests.kernels import schedules
from tests.kernels.schedules import (
    STAGES,
    Batch,
    CpuMachine,
    Persistent,
    Schedule,
    Scheduled,
    Wavefront,
    Waves,
    render,
)

from . import LaunchError, Program
from .driver import PtxDriver
from .zoo import HEIGHT, SCENES, TEXTURED, WIDTH, WORK, zoo_scene

#: In the middle of the picture, where every scene has something.
PART = replace(WORK, first_pixel=700, pixel_count=150, first_sample=1, sample_count=2)
SAMPLES = PART.samples

#: Less than a block, more blocks than samples fill; launches that end early.
SCHEDULES: list[Schedule] = [
    Persistent(threads=50, bound=SAMPLES),
    Persistent(threads=640, bound=211),
    Wavefront(slots=SAMPLES, bound=SAMPLES),
    Wavefront(slots=70, bound=200, waves=4),
]


Run = Callable[[Callable[[Batch], None]], Film]


@pytest.fixture(scope="module", params=sorted(SCENES.keys() - TEXTURED))
def scene(request: pytest.FixtureRequest) -> SceneBuffers:
    return zoo_scene(request.param)


def rendered(program: Program, schedule: Schedule, scene: SceneBuffers) -> Film:
    return render(Scheduled(PtxDriver(program), schedule), scene, WIDTH, HEIGHT, PART)


def rendered_on_cpu(scene: SceneBuffers) -> Film:
    film = render(CpuMachine(), scene, WIDTH, HEIGHT, PART)
    assert sums(film)[..., :3].max() > 0
    return film


@pytest.mark.parametrize(("compiler", "architecture"), [("nvcc", 75), ("nvcc", 120), ("nvrtc", 90)])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_without_fused_products_the_film_is_that_of_the_cpu_bit_for_bit(
    compiled: Callable[[str, int, bool], Program],
    scene: SceneBuffers,
    schedule: Schedule,
    compiler: str,
    architecture: int,
) -> None:
    film = rendered(compiled(compiler, architecture, False), schedule, scene)
    assert film.tobytes() == rendered_on_cpu(scene).tobytes()


@pytest.mark.parametrize(("compiler", "architecture"), [("nvcc", 120), ("nvrtc", 75)])
@pytest.mark.parametrize("schedule", [SCHEDULES[1], SCHEDULES[3]], ids=str)
def test_as_it_is_shipped_the_film_differs_by_roundings(
    compiled: Callable[[str, int, bool], Program],
    scene: SceneBuffers,
    schedule: Schedule,
    compiler: str,
    architecture: int,
) -> None:
    film = sums(rendered(compiled(compiler, architecture, True), schedule, scene))
    expected = sums(rendered_on_cpu(scene))
    assert (film[..., 3] == expected[..., 3]).all()
    color, other = film[..., :3], expected[..., :3]
    agreeing = (np.abs(color - other) <= 1e-4 * np.maximum(np.abs(other), 1e-2)).all(-1)
    assert agreeing.sum() > film.shape[0] * film.shape[1] - 0.04 * PART.pixel_count


class TestMistakesOfAHostAreCaught:
    """Where memory is too small a kernel would write elsewhere: it is told, with the line."""

    @pytest.fixture
    def run(self, compiled: Callable[[str, int, bool], Program]) -> Run:
        """Has something done with a batch of the box, whose scene and film are there meanwhile."""
        program, box = compiled("nvcc", 75, False), zoo_scene("cornell")
        return lambda act: rendered(program, lambda *given: act(Batch(*given)), box)

    def test_too_few_places_for_radiances(self, run: Run) -> None:
        def launch(batch: Batch) -> None:
            job = batch.job("QueuedJob", 50, SAMPLES)
            small = schedules.rubbish(batch.machine, 100)
            job["queue"]["radiances"] = small.address
            batch.run("render_persistent", job)

        with pytest.raises(LaunchError, match=r"sample_queue\.cuh:.*global memory"):
            run(launch)

    @pytest.mark.parametrize(
        ("array", "stage"),
        [("paths", 0), ("live", 0), ("hits", 1), ("shading", 1), ("connections", 2)],
    )
    def test_too_few_slots(self, run: Run, array: str, stage: int) -> None:
        def roll(batch: Batch) -> None:
            waves = Waves(batch, 200)
            job = waves.job(SAMPLES)
            for name in STAGES[:stage]:
                batch.run(name, job)
            small = schedules.rubbish(batch.machine, 40)
            job["wavefront"][array] = small.address
            batch.run(STAGES[stage], job)

        with pytest.raises(LaunchError, match=r"(wavefront|word_array)\.cuh:.*global memory"):
            run(roll)
