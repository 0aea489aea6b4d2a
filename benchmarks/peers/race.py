"""Renderers take turns on one scene; their pictures must agree before anything is reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.options import CheckFailed
from benchmarks.peers.environments import PeerMissing
from benchmarks.peers.process import Worker, WorkerFailed
from benchmarks.pictures import Bounds, Picture, differences, noise
from benchmarks.rows import Row, ratio

SECTION = "peers"
OURS = "gpuqueue"
MAX_DEPTH = 8
FIRST_SAMPLES, MOST_SAMPLES = 4, 4096
#: What LuxCore's metal, the closest to plain GGX that it has, may differ.
LUXCORE_METAL = Bounds(mean=0.03, blocks=0.02)
BOUNDS = {("room", "luxcore"): LUXCORE_METAL}


@dataclass
class Runner:
    """A worker in the race and what it has done."""

    worker: Worker
    loaded: dict[str, Any]
    samples: int = FIRST_SAMPLES
    seconds: list[float] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    peak_mib: float = 0.0

    def turn(self, seed: int) -> None:
        """Draw a picture and keep it."""
        answer, picture = self.worker.render(self.samples, seed)
        self.seconds.append(answer["cpu_s"])
        self.pictures.append(picture)
        self.peak_mib = answer["peak_mib"]


@dataclass(frozen=True)
class Course:
    """What is run: the scene, the size of its pictures, rounds, seconds for each picture."""

    scene: str
    detail: float = 1.0
    size: int = 256
    rounds: int = 5
    seconds: float = 3.0


def race(course: Course, names: Sequence[str], cache: Path) -> Iterator[Row]:
    """Rows of a scene for all renderers of `names` that run here, ours among them.

    Prints who cannot run, and why. Raises CheckFailed where pictures differ.
    """
    with ExitStack() as stack:
        runners = {}
        for name in dict.fromkeys([OURS, *names]):
            try:
                worker = stack.enter_context(Worker(name, cache))
                runners[name] = started(worker, course)
            except (PeerMissing, WorkerFailed) as error:
                print(f"{course.scene}: without {name}: {error}")
        for seed in range(1, course.rounds + 1):
            for runner in runners.values():
                runner.turn(seed)
    check(course.scene, {name: runner.pictures for name, runner in runners.items()})
    yield from rows(course, runners)


def started(worker: Worker, course: Course) -> Runner:
    """A worker with its scene, warm, and with as many samples as it draws in `course.seconds`.

    So errors compare at equal time. A power of two, as sequences of low discrepancy want it.
    """
    loaded = worker.load(course.scene, course.detail, course.size, MAX_DEPTH)
    samples = FIRST_SAMPLES
    worker.render(samples, 0)  # compiles, where a renderer does
    while worker.render(samples, 0)[0]["cpu_s"] < 0.7 * course.seconds and samples < MOST_SAMPLES:
        samples *= 2
    return Runner(worker, loaded, samples)


def check(scene: str, pictures: dict[str, list[Picture]]) -> None:
    """Raise CheckFailed unless every renderer's pictures show what ours do."""
    for name, own in pictures.items():
        bounds = BOUNDS.get((scene, name), Bounds())
        if found := differences(own, pictures[OURS], bounds) if name != OURS else []:
            raise CheckFailed(
                f"{scene}: the pictures of {name} and {OURS} differ: {'; '.join(found)}"
            )


def rows(course: Course, runners: dict[str, Runner]) -> Iterator[Row]:
    """Rates, error times seconds, building and memory; ratios above one say that we are ahead."""
    for name, runner in runners.items():

        def row(
            metric: str, values: Sequence[float], better: Any = "higher", name: str = name
        ) -> Row:
            return Row(SECTION, course.scene, name, metric, tuple(values), better)

        yield row("Msamples/s", rates(course, runner))
        yield row("relMSE x s", costs(runner), "lower")
        yield row("samples a pixel", [runner.samples], "neither")
        yield row("s to load", [runner.loaded["cpu_s"]], "lower")
        yield row("peak MiB", [runner.peak_mib], "lower")
        if name != OURS:
            ours = runners[OURS]
            yield row("our speed to its", ratio(rates(course, ours), rates(course, runner)))
            yield row("its error time to ours", ratio(costs(runner), costs(ours)))


def rates(course: Course, runner: Runner) -> list[float]:
    """Million samples a processor second, for each round."""
    return [course.size**2 * runner.samples / s * 1e-6 for s in runner.seconds]


def costs(runner: Runner) -> list[float]:
    """relMSE times seconds: what an error of one costs; a renderer's noise over its rounds."""
    error = noise(runner.pictures)
    return [error * s for s in runner.seconds]
