"""Samples are added until a picture is good enough: 1, 2, 4 … a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.integrator.stage import Stage, mean_of
from benchmarks.options import CheckFailed
from benchmarks.pictures import Picture, relative_error
from benchmarks.timing import Clock, timed

MOST_SAMPLES = 1 << 15


@dataclass(frozen=True)
class Point:
    """A picture on its way: samples of a pixel, seconds so far, relMSE."""

    samples: int
    seconds: float
    error: float


Curve = tuple[Point, ...]


def converge(stage: Stage, truth: Picture, target: float, seed: int, clock: Clock) -> Curve:
    """The points up to the first whose error is at most `target`; reading is not timed.

    Raises CheckFailed where `MOST_SAMPLES` do not suffice.
    """
    film, seconds, first = stage.new_film(), 0.0, 0
    curve: list[Point] = []
    while not curve or curve[-1].error > target:
        until = 2 * first or 1
        if until > MOST_SAMPLES:
            raise CheckFailed(
                f"relMSE is still {curve[-1].error:.3g} after {first} samples a pixel; "
                f"expected {target:g}"
            )
        took, _ = timed(partial(stage.add, film, seed, first, until), clock)
        seconds += took
        error = relative_error(mean_of(stage.device.read_exact(film)), truth)
        curve.append(Point(until, seconds, error))
        first = until
    return tuple(curve)


def seconds_to(curve: Curve, target: float) -> float:
    """When the error passed `target`, by the line through the last two points in logarithms."""
    if len(curve) == 1:
        return curve[0].seconds
    before, after = curve[-2:]
    errors = np.log([after.error, before.error])
    seconds = np.log([after.seconds, before.seconds])
    return float(np.exp(np.interp(np.log(target), errors, seconds)))
