"""How a render is cut into launches, and when it ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuqueue.device import Work
from gpuqueue.errors import Interrupted
from gpuqueue.render import progressive
from gpuqueue.render.progressive import Budget, launches, render_film
from gpuqueue.render.request import Plan


def plan(width: int = 100, height: int = 10, samples: int = 64, limit: float | None = None) -> Plan:
    return Plan(width, height, samples, max_depth=4, seed=3, time_limit_s=limit)


def quiet(fraction: float, message: str) -> None:
    pass


@dataclass
class Clock:
    """Time that passes only while a device works."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class SlowDevice:
    """Takes `seconds_per_sample` of the clock's time and keeps its works."""

    clock: Clock
    seconds_per_sample: float
    works: list[Work] = field(default_factory=list)

    def render(self, scene: Any, film: Any, work: Work) -> float:
        self.works.append(work)
        seconds = work.samples * self.seconds_per_sample
        self.clock.now += seconds
        return seconds


@pytest.fixture
def device_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Any]:
    def make(seconds_per_sample: float) -> Any:
        clock = Clock()
        monkeypatch.setattr(progressive.time, "monotonic", clock)
        return SlowDevice(clock, seconds_per_sample)

    return make


@given(
    st.integers(1, 3000),
    st.integers(1, 40),
    st.lists(st.integers(1, 200_000), min_size=1, max_size=8),
)
def test_every_sample_of_every_pixel_is_taken_once_and_in_order(
    pixels: int, samples: int, budgets: list[int]
) -> None:
    taken = np.zeros(pixels, int)
    budget = Budget()
    for i, work in enumerate(launches(plan(pixels, 1, samples), budget)):
        part = taken[work.first_pixel : work.first_pixel + work.pixel_count]
        assert len(part) == work.pixel_count
        assert (part == work.first_sample).all()
        part += work.sample_count
        budget.samples = budgets[i % len(budgets)]
    assert (taken == samples).all()


def test_a_launch_has_whole_tiles_or_the_rest_of_a_pass() -> None:
    budget = Budget(1000)
    works = list(launches(plan(100, 100, 1), budget))
    assert [w.pixel_count for w in works[:-1]] == [768] * (len(works) - 1)


def test_launches_grow_to_the_time_they_are_to_take(device_of) -> None:
    device = device_of(1e-6)
    render_film(device, None, None, plan(500, 500, 50), quiet)
    sizes = [work.samples for work in device.works]
    assert sizes[0] < progressive.FIRST_LAUNCH + 1
    assert all(b <= 4 * a + 256 for a, b in pairwise(sizes))
    assert max(sizes) * 1e-6 <= progressive.LAUNCH_S
    assert max(sizes) * 1e-6 > progressive.LAUNCH_S / 3


def test_a_slow_device_gets_parts_of_a_pass(device_of) -> None:
    device = device_of(1e-4)
    render_film(device, None, None, plan(500, 500, 1), quiet)
    assert len(device.works) > 100
    longest = max(work.samples for work in device.works[1:])
    assert longest * 1e-4 <= progressive.LAUNCH_S


def test_what_the_host_does_between_launches_does_not_count(device_of) -> None:
    device = device_of(1e-6)

    def dawdle(fraction: float, message: str) -> None:
        device.clock.now += 10

    render_film(device, None, None, plan(500, 500, 8), dawdle)
    assert max(work.samples for work in device.works) * 1e-6 > progressive.LAUNCH_S / 3


@dataclass
class UnevenDevice(SlowDevice):
    """Needs a hundred times as long for the second half of the picture."""

    seconds: list[float] = field(default_factory=list)

    def render(self, scene: Any, film: Any, work: Work) -> float:
        dear = max(0, work.first_pixel + work.pixel_count - max(work.first_pixel, 500 * 250))
        share = 1 + 99 * dear / work.pixel_count
        self.works.append(work)
        self.seconds.append(work.samples * self.seconds_per_sample * share)
        return self.seconds[-1]


def test_after_the_first_pass_no_launch_over_a_dear_part_is_long() -> None:
    device: Any = UnevenDevice(Clock(), 1e-6)
    render_film(device, None, None, plan(500, 500, 6), quiet)
    first = [
        s for work, s in zip(device.works, device.seconds, strict=True) if not work.first_sample
    ]
    later = [s for work, s in zip(device.works, device.seconds, strict=True) if work.first_sample]
    assert max(first) > 5 * progressive.LAUNCH_S
    assert max(later) <= 1.1 * progressive.LAUNCH_S
    assert len(later) < 5 * 400  # 163 a pass over the cheap part, 163 over the dear one


def test_a_hitch_is_forgotten_after_a_pass() -> None:
    budget = Budget(1000)
    for seconds in (0.1, 5.0, 0.1, 0.1, 0.1, 0.1, 0.1):
        budget.learn(Work(0, 1000, 0, max(1, budget.samples // 1000), 0, 4), seconds)
    assert budget.samples >= 1000


def test_a_fast_device_gets_many_samples_at_once(device_of) -> None:
    device = device_of(1e-10)
    render_film(device, None, None, plan(100, 10, 1 << 20), quiet)
    assert len(device.works) < 40


def test_progress_rises_to_one_and_tells_samples_and_speed(device_of) -> None:
    told: list[tuple[float, str]] = []
    render_film(device_of(1e-6), None, None, plan(samples=512), lambda *a: told.append(a))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert told[-1] == (1.0, "512 of 512 samples a pixel, 1.00 million samples/s")


def test_whatever_the_report_raises_ends_the_render_before_the_next_launch(device_of) -> None:
    device = device_of(1e-4)

    def stop(fraction: float, message: str) -> None:
        if len(device.works) == 3:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        render_film(device, None, None, plan(samples=1 << 20), stop)
    assert len(device.works) == 3


def test_the_time_limit_ends_a_render(device_of) -> None:
    rendered = render_film(device_of(1e-5), None, None, plan(samples=1 << 20, limit=3.0), quiet)
    assert rendered.is_cut_short
    assert 3.0 <= rendered.seconds <= 3.0 + 2 * progressive.LAUNCH_S
    assert rendered.samples_per_s == pytest.approx(1e5)


def test_progress_follows_the_time_limit_where_it_comes_first(device_of) -> None:
    told: list[float] = []
    device = device_of(1e-5)
    render_film(device, None, None, plan(samples=1 << 20, limit=2.0), lambda f, _: told.append(f))
    assert told[-1] == 1.0
    assert any(0.4 < fraction < 0.6 for fraction in told)


def test_every_pixel_gets_a_sample_however_short_the_time(device_of) -> None:
    device = device_of(1e-3)
    render_film(device, None, None, plan(100, 100, 64, limit=1e-6), quiet)
    assert sum(work.samples for work in device.works) == 100 * 100
    assert {work.sample_count for work in device.works} == {1}


def test_a_render_within_its_time_is_not_cut_short(device_of) -> None:
    assert not render_film(device_of(1e-6), None, None, plan(limit=1e3), quiet).is_cut_short
