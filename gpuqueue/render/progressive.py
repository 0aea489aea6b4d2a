"""Samples into a film, in launches short enough to stop between any two.

A launch takes so many samples as the device does within `LAUNCH_S`, measured by the device's own
clock: whole passes over the picture, 1, 2, 4 … samples for each pixel, or a part of one pass where
the picture is large or the device slow. So whoever waits between two launches, to cancel, to save
or to show progress, waits that long, and no display's watchdog ends one. How the work is cut
changes no bit of the film.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gpuqueue.device import Device, Work
from gpuqueue.render.request import Plan

#: How long a launch is to take: long beside its overhead, short for who waits for it to stop.
LAUNCH_S = 0.1
#: Samples of the first launch, before the device's speed is known.
FIRST_LAUNCH = 1 << 14
#: How much larger a launch may be than the one before.
GROWTH = 4
#: Work items come in whole tiles of the kernels (kernels/film.cuh).
TILE_PIXELS = 256

#: Told of progress: a fraction of 1 and a sentence. What it raises ends the render.
Report = Callable[[float, str], None]
#: Told of each launch that is done, before progress is.
Observer = Callable[["Stand"], None]


@dataclass(frozen=True)
class Position:
    """The next sample to take, counted from the plan's first one; within a pass, pixels before
    `pixel` have `count` samples more."""

    sample: int = 0
    pixel: int = 0
    count: int = 0

    @staticmethod
    def after(work: Work, plan: Plan) -> Position:
        """The position when `work` of the plan is done."""
        pixel, sample = work.first_pixel + work.pixel_count, work.first_sample - plan.first_sample
        if pixel < plan.pixels:
            return Position(sample, pixel, work.sample_count)
        return Position(sample + work.sample_count)

    @property
    def most(self) -> int:
        """Samples that some pixel has."""
        return self.sample + (self.count if self.pixel else 0)

    def done(self, pixels: int) -> int:
        """Samples taken so far, of all pixels."""
        return self.sample * pixels + self.pixel * self.count


@dataclass(frozen=True)
class Stand:
    """Where a render stands, and the seconds it took to get there."""

    position: Position = Position()
    seconds: float = 0.0


@dataclass
class Budget:
    """How many samples the next launch may take."""

    samples: int = FIRST_LAUNCH
    #: Most seconds that a sample took in this pass and in the one before, of launches long enough
    #: to tell. A part of a picture can be a hundred times as dear as the part before it: the first
    #: pass finds that out, later ones know.
    dearest: tuple[float, float] = (0.0, 0.0)

    def learn(self, work: Work, seconds: float) -> None:
        """Set the budget from what a launch took."""
        each = max(seconds, 1e-6) / work.samples
        here, before = self.dearest if work.first_pixel else (0.0, self.dearest[0])
        if seconds > LAUNCH_S / 2:
            here = max(here, each)
        self.dearest = (here, before)
        possible = LAUNCH_S / max(each, here, before)
        self.samples = max(1, round(min(possible, self.samples * GROWTH)))


@dataclass(frozen=True)
class Rendered:
    """What a render did."""

    samples: int
    seconds: float
    #: Whether the time limit ended it.
    is_cut_short: bool

    @property
    def samples_per_s(self) -> float:
        """Speed."""
        return self.samples / max(self.seconds, 1e-9)


def render_film(
    device: Device,
    scene: Any,
    film: Any,
    plan: Plan,
    report: Report,
    start: Stand | None = None,
    observe: Observer | None = None,
) -> Rendered:
    """Take the plan's samples until all are there or its time is over.

    The film has those before `start` already; by default none. Every pixel gets one sample at
    least. Calls `observe` and `report` after each launch.
    """
    start = start or Stand()
    budget = Budget()
    begun_at = time.monotonic() - start.seconds
    done = Rendered(start.position.done(plan.pixels), start.seconds, is_cut_short=False)
    for work in launches(plan, budget, start.position):
        if _time_is_over(plan, done):
            return Rendered(done.samples, done.seconds, is_cut_short=True)
        budget.learn(work, device.render(scene, film, work))
        seconds = time.monotonic() - begun_at
        done = Rendered(done.samples + work.samples, seconds, is_cut_short=False)
        if observe is not None:
            observe(Stand(Position.after(work, plan), seconds))
        report(*_progress(plan, done))
    return done


def launches(plan: Plan, budget: Budget, start: Position | None = None) -> Iterator[Work]:
    """Cut what is left of the plan into works of the budget's size when each is asked for."""
    at = start or Position()
    while at.sample < plan.samples:
        count = at.count if at.pixel else budget.samples // plan.pixels
        count = max(1, min(count, plan.samples - at.sample))
        pixels = _pixels_within(budget.samples // count, plan.pixels - at.pixel)
        sample = plan.first_sample + at.sample
        work = Work(at.pixel, pixels, sample, count, plan.seed, plan.max_depth)
        yield work
        at = Position.after(work, plan)


def _pixels_within(budget: int, left: int) -> int:
    """All that are left, or as many whole tiles as fit."""
    return left if left <= budget else min(left, max(1, budget // TILE_PIXELS) * TILE_PIXELS)


def _time_is_over(plan: Plan, done: Rendered) -> bool:
    has_first_pass = done.samples >= plan.pixels
    return plan.time_limit_s is not None and has_first_pass and done.seconds >= plan.time_limit_s


def _progress(plan: Plan, done: Rendered) -> tuple[float, str]:
    total = plan.pixels * plan.samples
    fraction = done.samples / total
    if plan.time_limit_s is not None and done.samples >= plan.pixels:
        fraction = max(fraction, min(1.0, done.seconds / plan.time_limit_s))
    return fraction, (
        f"{done.samples / plan.pixels:.3g} of {plan.samples} samples a pixel, "
        f"{done.samples_per_s / 1e6:.2f} million samples/s"
    )
