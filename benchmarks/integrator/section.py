"""The section `integrator`: samples a second, and seconds to equal error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.device import clock_of, open_device, runs, schedules_of
from benchmarks.integrator.convergence import Curve, converge, seconds_to
from benchmarks.integrator.reference import Reference, reference_of, witnessed
from benchmarks.integrator.stage import Stage
from benchmarks.options import CheckFailed, Options
from benchmarks.pictures import Bounds, differences
from benchmarks.report import IMAGE_SECONDS
from benchmarks.rows import Row
from benchmarks.scenes import Scene, build
from benchmarks.scenes.to_gpuqueue import to_buffers
from benchmarks.timing import timed
from gpuqueue.device import Device

#: relMSE of a picture that counts as done, some hundred samples for each scene.
TARGETS = {"cornell": 0.002, "terrain": 0.002, "room": 0.01, "lamps": 0.02, "planet": 0.0002}
QUICK_TARGET = 0.1
#: Of it, what a reference may have.
REFERENCE_SHARE = 0.1
#: Pictures that are checked: few have a noise that is hardly known.
CHECKED_SEEDS, CHECKED_SAMPLES = (1, 2, 3, 4), 16


def integrator(options: Options) -> Iterator[Row]:
    """Rows of each scene. Raises CheckFailed where the device draws something else than the
    reference shows, or another renderer than the reference does."""
    with open_device(options) as device:
        schedules = schedules_of(device.name)
    for name in options.scenes:
        scene = build(name, options.detail)
        for schedule in schedules:
            with open_device(options, schedule) as device:
                if runs(device, schedule):
                    yield from measured(device, schedule, scene, options)
                else:
                    print(f"{name}: without {schedule}, which finds no room on the device")


def measured(device: Device, schedule: str, scene: Scene, options: Options) -> Iterator[Row]:
    """Rows of one scene on an open device, which runs the schedule."""
    size, rounds = extent(options)
    target = QUICK_TARGET if options.quick else TARGETS[scene.name]
    clock = clock_of(device, options)
    build_s, stage = timed(partial(Stage.of, device, to_buffers(scene, size), size), clock)
    reference = reference_of(stage, scene, target * REFERENCE_SHARE, options.cache)
    reference = witnessed(reference, stage, scene, options)
    check(stage, scene, reference)
    truth = reference.picture
    curves = [converge(stage, truth, target, seed, clock) for seed in range(1, rounds + 1)]
    row = partial(Row, "integrator", scene.name, f"{device.name} {schedule}".strip())
    witness = f"seen by {reference.witness}" if reference.witness else "no witness"
    yield row("s to build", (build_s,), "lower")
    yield from rates(row, size, curves)
    seconds = tuple(seconds_to(curve, target) for curve in curves)
    yield row(IMAGE_SECONDS, seconds, "lower", f"to relMSE {target:g}; reference {witness}")


def extent(options: Options) -> tuple[int, int]:
    """Pixels a side, rounds."""
    if options.quick:
        return min(options.size, 64), min(options.rounds, 2)
    return options.size, options.rounds


def check(stage: Stage, scene: Scene, reference: Reference) -> None:
    """Pictures with few samples show what the reference does."""
    own = [stage.picture(seed, CHECKED_SAMPLES) for seed in CHECKED_SEEDS]
    if found := differences(own, reference.halves, Bounds()):
        raise CheckFailed(f"{scene.name}: {stage.device.name}, reference: {'; '.join(found)}")


def rates(row: Callable[..., Row], size: int, curves: list[Curve]) -> Iterator[Row]:
    """Rates, costs of error, and the curves on the way to the target."""
    ends = [curve[-1] for curve in curves]
    yield row("Msamples/s", tuple(size**2 * end.samples / end.seconds * 1e-6 for end in ends))
    yield row("relMSE x s", tuple(end.error * end.seconds for end in ends), "lower")
    for points in zip(*curves, strict=False):
        metric = f"{points[0].samples} samples"
        yield row(f"relMSE at {metric}", tuple(point.error for point in points), "lower")
        yield row(f"s to {metric}", tuple(point.seconds for point in points), "lower")
