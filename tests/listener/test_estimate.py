"""The end of a job as its reports foretell it, and what that is worth on a dying machine."""

from __future__ import annotations

import math

import pytest

from gpuqueue.listener.estimate import HAND_BACK_S, Estimate

from .fakes import Clock


def after(*reports: tuple[float, float]) -> tuple[Estimate, Clock]:
    """An estimate after reports: seconds from the start, and fractions."""
    clock = Clock()
    start = clock.now
    estimate = Estimate(clock)
    for seconds, fraction in reports:
        clock.now = start + seconds
        estimate.report(fraction)
    return estimate, clock


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], None),
        ([(5, 0.5)], None),
        ([(5, 0.5), (60, 0.5)], None),
        ([(5, 0.5), (6, 0.4)], None),
        ([(0, 0), (10, 0.25)], 30),
        # Loading a scene takes long, rendering it does not.
        ([(100, 0.1), (101, 0.2)], 8),
        ([(0, 0), (10, 1)], 0),
        ([(10, 1)], 0),
    ],
)
def test_the_rest_is_told_by_the_pace_between_reports(
    reports: list[tuple[float, float]], expected: float | None
) -> None:
    estimate, _ = after(*reports)
    assert estimate.remaining_s() == (None if expected is None else pytest.approx(expected))


def test_the_rest_shrinks_with_time_and_is_never_negative() -> None:
    estimate, clock = after((0, 0), (10, 0.5))
    clock.now += 4
    assert estimate.remaining_s() == pytest.approx(6)
    clock.now += 1000
    assert estimate.remaining_s() == 0


USABLE_S = 120 - HAND_BACK_S


@pytest.mark.parametrize(
    ("reports", "left_s", "grace_s"),
    [
        ([(0, 0), (10, 0.2)], 120, USABLE_S),  # 40 s to go
        ([(0, 0), (10, 0.1)], 120, 0),  # 90 s to go: too near
        ([(0, 0), (1, 0.001)], 120, 0),
        ([], 120, 0),
        ([(10, 1)], 120, USABLE_S),
        ([(10, 1)], 20, 20 - HAND_BACK_S),
        ([(10, 1)], 5, 0),
        ([(0, 0), (10, 0.9)], 0, 0),
        ([], math.inf, math.inf),
    ],
)
def test_a_job_goes_on_only_if_it_will_end_in_time(
    reports: list[tuple[float, float]], left_s: float, grace_s: float
) -> None:
    estimate, _ = after(*reports)
    assert estimate.grace_s(left_s) == pytest.approx(grace_s)
