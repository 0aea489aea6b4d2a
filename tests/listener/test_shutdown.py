"""A request to stop: gently once, at once the second time."""

from __future__ import annotations

import math
import os
import signal
import time

import pytest

from gpuqueue.errors import Interrupted
from gpuqueue.listener import Shutdown
from gpuqueue.listener.estimate import HAND_BACK_S
from gpuqueue.listener.lease import Lease
from gpuqueue.listener.shutdown import StopNow

from .fakes import lease_of, message


def wait_until_revoked(lease: Lease) -> None:
    with pytest.raises(Interrupted):
        lease.sleep(10)


def signal_and_sleep() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def test_a_request_revokes_the_lease_in_hand() -> None:
    shutdown, lease = Shutdown(), lease_of(message())
    with shutdown.holding(lease):
        lease.check()
        shutdown.request("scale-in")
        wait_until_revoked(lease)
    assert shutdown.requested


def test_the_grace_time_lets_the_job_in_hand_end() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    with shutdown.holding(lease):
        shutdown.request()
        assert shutdown.requested
        lease.check()
    lease.check()
    assert shutdown._timer is None


def test_a_second_request_waits_for_nothing() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    with shutdown.holding(lease):
        shutdown.request()
        shutdown.request()
        wait_until_revoked(lease)


def test_a_lease_taken_after_the_request_is_revoked_at_once() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    shutdown.request()
    with shutdown.holding(lease), pytest.raises(Interrupted):
        lease.check()


def test_a_request_ends_a_wait() -> None:
    shutdown = Shutdown()
    shutdown.request()
    start = time.monotonic()
    shutdown.wait(60)
    assert time.monotonic() - start < 10


def test_a_dying_machine_hands_back_a_job_that_tells_nothing() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    with shutdown.holding(lease):
        shutdown.drain("spot interruption", 120)
        wait_until_revoked(lease)
    assert shutdown.requested
    assert not shutdown.asked


def test_a_dying_machine_lets_a_job_end_that_is_about_to() -> None:
    shutdown, lease = Shutdown(), lease_of(message())
    lease.estimate.report(1)
    with shutdown.holding(lease):
        shutdown.drain("spot interruption", 120)
        lease.check()
        assert shutdown._timer is not None, "but not for longer than the machine lives"


def test_a_machine_that_may_die_finishes_its_job() -> None:
    shutdown, lease = Shutdown(), lease_of(message())
    with shutdown.holding(lease):
        shutdown.drain("rebalance recommendation", math.inf)
        assert shutdown.requested
        lease.check()
        assert shutdown._timer is None


def test_a_notice_is_not_the_first_of_two_requests() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    with shutdown.holding(lease):
        shutdown.drain("rebalance recommendation", math.inf)
        shutdown.request()
        lease.check()
        shutdown.request()
        wait_until_revoked(lease)


def test_a_request_does_not_prolong_what_a_notice_left() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    lease.estimate.report(1)
    with shutdown.holding(lease):
        shutdown.drain("spot interruption", HAND_BACK_S + 0.2)
        shutdown.request()
        wait_until_revoked(lease)


def test_the_end_of_one_job_is_not_that_of_the_next() -> None:
    shutdown, first, second = Shutdown(grace_s=0.2), lease_of(message()), lease_of(message())
    with shutdown.holding(first):
        shutdown.request()
    with shutdown.holding(second), pytest.raises(Interrupted):
        second.check()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_request_and_the_old_handler_comes_back(signum: signal.Signals) -> None:
    shutdown, before = Shutdown(), signal.getsignal(signum)
    with shutdown.on_signals():
        os.kill(os.getpid(), signum)
        shutdown.wait(10)
        assert shutdown.requested
    assert signal.getsignal(signum) is before


def test_a_second_signal_breaks_off_what_may_be_abandoned() -> None:
    shutdown = Shutdown()
    with shutdown.on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        shutdown.wait(10)
        with pytest.raises(StopNow), shutdown.abandonable():
            signal_and_sleep()


def test_a_second_signal_breaks_off_nothing_that_is_held() -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    with shutdown.on_signals(), shutdown.holding(lease):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        wait_until_revoked(lease)
