"""An exception's class decides what happens to its message."""

import pytest

from gpuqueue.errors import (
    Cancelled,
    ConfigError,
    DeviceLost,
    Interrupted,
    InvalidJob,
    JobFailed,
    LeaseLost,
    SceneError,
    TransientError,
    UnknownName,
)
from gpuqueue.listener.fate import Action, Fate, backoff_bound, fate_of

RELEASE_NOW = Fate(Action.RELEASE, 0)


def longest(_low: float, high: float) -> float:
    return high


@pytest.mark.parametrize(
    "error", [InvalidJob("x"), SceneError("x"), UnknownName("queue", "x", [])], ids=repr
)
def test_what_can_never_work_goes_to_the_dead_letters(error: Exception) -> None:
    assert fate_of(error, receives=1, max_backoff_s=900) == Fate(Action.DEAD_LETTER)


def test_what_may_not_be_the_jobs_fault_goes_back_at_once() -> None:
    assert fate_of(DeviceLost("x"), receives=4, max_backoff_s=900) == RELEASE_NOW


def test_what_is_not_the_jobs_fault_goes_back_as_if_it_had_not_been_received() -> None:
    assert fate_of(Interrupted("x"), receives=4, max_backoff_s=900) == Fate(Action.HAND_BACK)


def test_what_nobody_wants_any_more_is_removed() -> None:
    assert fate_of(Cancelled("x"), receives=4, max_backoff_s=900) == Fate(Action.DELETE)


def test_a_message_of_another_owner_is_left_alone() -> None:
    assert fate_of(LeaseLost("x"), receives=1, max_backoff_s=900) == Fate(Action.LEAVE)


@pytest.mark.parametrize(
    "error",
    [JobFailed("x"), TransientError("x"), ConfigError("x"), ZeroDivisionError(), MemoryError()],
    ids=repr,
)
def test_a_failed_try_goes_back_after_a_while(error: Exception) -> None:
    fate = fate_of(error, receives=3, max_backoff_s=900, uniform=longest)
    assert fate == Fate(Action.RELEASE, 60)


def test_the_wait_doubles_with_each_receive_up_to_its_bound() -> None:
    bounds = [backoff_bound(n, 15, 900) for n in (0, 1, 2, 3, 7, 8, 10**9)]
    assert bounds == [15, 15, 30, 60, 900, 900, 900]


def test_a_wait_that_the_other_side_asked_for_is_kept_within_its_bound() -> None:
    for asked, kept in ((200, 200), (5000, 900)):
        error = TransientError("busy", retry_after_s=asked)
        assert fate_of(error, 1, 900).delay_s == kept


def test_the_wait_is_drawn_from_all_of_zero_to_its_bound() -> None:
    drawn = [fate_of(JobFailed("x"), 2, 900).delay_s for _ in range(300)]
    assert 0 <= min(drawn) < 5
    assert 25 < max(drawn) <= 30
