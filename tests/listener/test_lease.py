"""A lease: renewed in time, given up in time, revoked once."""

import threading
import time

import pytest

from gpuqueue.errors import Interrupted, JobFailed, LeaseLost, TransientError

from .fakes import LOST, Clock, FakeQueue, lease_of, message


def test_a_renewed_lease_goes_on() -> None:
    clock, queue = Clock(), FakeQueue()
    lease = lease_of(message(), queue, clock=clock)
    for _ in range(20):
        clock.now += 40
        lease.renew()
        lease.check()
    assert {timeout_s for _, timeout_s in queue.did("extend")} == {120}


def test_a_lease_that_is_not_renewed_ends_before_the_visibility_time_does() -> None:
    clock = Clock()
    lease = lease_of(message(), clock=clock)
    clock.now += 109
    lease.check()
    assert lease.remaining_s() == pytest.approx(1)
    clock.now += 2
    with pytest.raises(LeaseLost, match="in time"):
        lease.check()


def test_time_that_the_receive_took_counts() -> None:
    clock = Clock()
    lease = lease_of(message(), clock=clock, received_at=clock.now - 100)
    assert lease.remaining_s() == pytest.approx(10)


def test_a_renewal_counts_from_when_it_was_asked_for() -> None:
    clock, queue = Clock(), FakeQueue()
    lease = lease_of(message(), queue, clock=clock)

    def slow(*_: object) -> None:
        clock.now += 50

    queue.extend = slow  # type: ignore[method-assign]
    lease.renew()
    assert lease.remaining_s() == pytest.approx(120 - 50 - 10)


def test_an_unreachable_queue_costs_nothing_until_the_time_is_up() -> None:
    clock = Clock()
    queue = FakeQueue().failing("extend", *[TransientError("no route")] * 2)
    lease = lease_of(message(), queue, clock=clock)
    for _ in range(2):
        clock.now += 40
        lease.renew()
        lease.check()
    lease.renew()
    assert lease.remaining_s() == pytest.approx(110)


def test_a_lost_lease_stops_the_work_with_the_queues_reason() -> None:
    lease = lease_of(message(), FakeQueue().failing("extend", LOST))
    lease.renew()
    with pytest.raises(LeaseLost, match="another listener"):
        lease.check()


def test_a_job_that_takes_too_long_has_failed() -> None:
    clock, queue = Clock(), FakeQueue()
    lease = lease_of(message(), queue, clock=clock, max_job_time_s=130)
    clock.now += 100
    lease.renew()
    assert queue.did("extend")[0][1] < 120, "never asked to be hidden far past the job's end"
    assert lease.remaining_s() == pytest.approx(30)
    clock.now += 31
    with pytest.raises(JobFailed, match=r"max_job_time_s \(130 s\)"):
        lease.check()
    lease.renew()
    assert len(queue.did("extend")) == 1, "not renewed after its end"


def test_the_first_reason_stands_and_is_told_once() -> None:
    lease = lease_of(message())
    calls: list[str] = []
    with lease.watched_by(lambda: calls.append("watching")):
        lease.revoke(Interrupted("first"))
        lease.revoke(LeaseLost("second"))
    with pytest.raises(Interrupted, match="first"):
        lease.check()
    with lease.watched_by(lambda: calls.append("too late")):
        pass
    assert calls == ["watching", "too late"]


def test_a_sleep_ends_when_the_lease_is_revoked() -> None:
    lease = lease_of(message())
    threading.Timer(0.05, lease.revoke, [Interrupted("stop")]).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        lease.sleep(60)
    assert time.monotonic() - start < 10


def test_the_heartbeat_renews_until_the_block_ends_and_never_after() -> None:
    renewed = threading.Semaphore(0)
    queue = FakeQueue()
    queue.extend = lambda *_: renewed.release()  # type: ignore[method-assign]
    with lease_of(message(), queue, visibility_timeout_s=0.06) as lease:
        for _ in range(3):
            assert renewed.acquire(timeout=10)
        lease.check()
    assert not any(t.name == "heartbeat" and t.is_alive() for t in threading.enumerate())
