"""A record moves forward and never back."""

from __future__ import annotations

import pytest

from gpuqueue.records import Attempt, JobRecord, Progress, State
from gpuqueue.records.record import MAX_ATTEMPTS

FINAL = {State.SUCCEEDED, State.CANCELLED, State.DEAD}


def attempt(at: float = 10, **fields: object) -> Attempt:
    return Attempt(host="gpu-1", started_at=at, receives=1).model_copy(update=fields)


def record(state: State = State.QUEUED, **fields: object) -> JobRecord:
    new = JobRecord(id="j", command="render", queue="q", submitted_at=1, updated_at=1)
    return new.model_copy(update={"state": state, **fields})


def ended(before: JobRecord, number: int, outcome: State, **fields: object) -> JobRecord:
    return before.ended(number, attempt(outcome=outcome, ended_at=20, **fields), None)


def test_a_job_that_goes_well_is_queued_then_running_then_succeeded() -> None:
    running = record().begun(attempt())
    assert (running.state, running.attempt_count) == (State.RUNNING, 1)
    done = ended(running, 1, State.SUCCEEDED)
    assert (done.state, done.attempts[0].outcome) == (State.SUCCEEDED, State.SUCCEEDED)
    assert done.updated_at == 20


@pytest.mark.parametrize("outcome", [State.FAILED, State.INTERRUPTED, State.DEAD])
def test_what_may_come_back_begins_again(outcome: State) -> None:
    again = ended(record().begun(attempt()), 1, outcome).begun(attempt(30))
    assert again.state is State.RUNNING
    assert [a.outcome for a in again.attempts] == [outcome, State.RUNNING]


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.CANCELLED])
def test_what_is_over_does_not_begin_again(state: State) -> None:
    over = record(state)
    assert over.begun(attempt()) is over


def test_a_listener_that_lost_the_job_cannot_speak_for_the_next_one() -> None:
    second = record().begun(attempt(10)).begun(attempt(30))
    for stale in (
        ended(second, 1, State.SUCCEEDED),
        second.progressed(1, Progress(fraction=0.5, message="", at=31)),
    ):
        assert stale is second


def test_an_attempt_that_told_no_end_is_told_as_lost_by_the_next() -> None:
    first, second = record().begun(attempt(10)).begun(attempt(30)).attempts
    assert (first.outcome, first.ended_at) == (State.FAILED, 30)
    assert "lost" in (first.reason or "")
    assert second.outcome is State.RUNNING


def test_attempts_beyond_the_bound_are_counted() -> None:
    told = record()
    for number in range(MAX_ATTEMPTS + 7):
        told = told.begun(attempt(number))
    assert told.attempt_count == MAX_ATTEMPTS + 7
    assert len(told.attempts) == MAX_ATTEMPTS
    assert ended(told, MAX_ATTEMPTS + 7, State.SUCCEEDED).state is State.SUCCEEDED


@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED, State.INTERRUPTED])
def test_a_waiting_job_is_cancelled_at_once(state: State) -> None:
    assert record(state).cancelled(5).state is State.CANCELLED


def test_a_running_job_is_asked_to_stop() -> None:
    asked = record().begun(attempt()).cancelled(15)
    assert (asked.state, asked.cancel_requested_at) == (State.RUNNING, 15)
    assert asked.cancelled(16) is asked
    assert ended(asked, 1, State.CANCELLED).state is State.CANCELLED


def test_a_job_asked_to_stop_that_fails_instead_does_not_run_again() -> None:
    failed = ended(record().begun(attempt()).cancelled(15), 1, State.FAILED)
    assert failed.state is State.CANCELLED
    assert failed.attempts[0].outcome is State.FAILED


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_over_cannot_be_cancelled(state: State) -> None:
    over = record(state)
    assert over.cancelled(5) is over


def test_a_redriven_job_is_queued_again_and_no_other_is() -> None:
    assert record(State.DEAD).redriven(9).state is State.QUEUED
    for state in set(State) - {State.DEAD}:
        assert record(state).redriven(9).state is state


def test_the_estimate_goes_on_at_the_pace_so_far() -> None:
    running = record().begun(attempt(100))
    assert running.eta_at is None
    quarter = running.progressed(1, Progress(fraction=0.25, message="", at=110))
    assert quarter.eta_at == 140
    assert ended(quarter, 1, State.SUCCEEDED).eta_at is None


def test_the_cost_is_that_of_all_attempts() -> None:
    first = record().begun(attempt())
    again = first.ended(1, attempt(outcome=State.FAILED, device_s=1800), 3.0).begun(attempt(9))
    done = again.ended(2, attempt(outcome=State.SUCCEEDED, device_s=3600), 3.0)
    assert done.cost == pytest.approx(4.5)
    assert ended(first, 1, State.SUCCEEDED, device_s=60).cost is None


def test_final_states_are_those_from_which_no_listener_takes_a_job() -> None:
    assert {state for state in State if state.is_final} == FINAL


def test_a_running_job_that_is_heard_of_is_running() -> None:
    running = record().begun(attempt(100))
    assert running.unheard_of(150, 60, 1) is running
    assert record().unheard_of(1e9, 60, 1).state is State.QUEUED


@pytest.mark.parametrize(
    ("limit", "state"), [(None, State.FAILED), (2, State.FAILED), (1, State.DEAD)]
)
def test_a_job_not_heard_of_has_failed_and_after_its_last_receive_is_dead(
    limit: int | None, state: State
) -> None:
    lost = record().begun(attempt(100)).unheard_of(200, 60, limit)
    assert lost.state is state
    assert (lost.attempts[0].outcome, lost.attempts[0].ended_at) == (State.FAILED, 100)
    assert "lost" in (lost.attempts[0].reason or "")
    assert lost.begun(attempt(300)).state is State.RUNNING


def test_a_job_not_heard_of_that_nobody_wants_is_cancelled() -> None:
    asked = record().begun(attempt(100)).cancelled(110)
    assert asked.unheard_of(500, 60, 1).state is State.CANCELLED


def test_a_letter_of_the_queues_policy_makes_its_job_dead_but_no_other() -> None:
    running = record().begun(attempt(100))
    assert running.buried(150, 60) is running
    assert running.buried(200, 60).state is State.DEAD
    assert ended(running, 1, State.FAILED).buried(30, 60).state is State.DEAD
    assert ended(running, 1, State.SUCCEEDED).buried(200, 60).state is State.SUCCEEDED


def test_the_log_is_kept_of_the_last_attempt_alone() -> None:
    again = ended(record().begun(attempt()), 1, State.FAILED, log=("line",)).begun(attempt(30))
    assert [a.log for a in again.attempts] == [(), ()]
    assert ended(again, 2, State.DEAD, log=("line",)).attempts[-1].log == ("line",)
