"""Notices of the machine: each becomes a wish to stop, once, and none is made up."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator

import pytest

from gpuqueue.errors import Interrupted, TransientError
from gpuqueue.listener import Shutdown, interruption
from gpuqueue.listener.interruption import (
    NOTICE_S,
    InterruptionWatcher,
    Notice,
    lifecycle_notice,
    spot_notice,
    watching_interruptions,
)
from gpuqueue.listener.metadata import MetadataService
from tests.cloud import answering

from .fakes import lease_of, message
from .metadata_server import SPOT, FakeMetadata, metadata_server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "POLL_S", 0.01)
    monkeypatch.setattr(interruption, "MAX_POLL_S", 0.02)


@pytest.fixture
def fake() -> Iterator[FakeMetadata]:
    with metadata_server() as server:
        yield server


class RecordingShutdown(Shutdown):
    """Remembers how long each notice left."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[float] = []
        self.drained = threading.Event()

    def drain(self, why: str, left_s: float) -> None:
        super().drain(why, left_s)
        self.left.append(left_s)
        self.drained.set()


def look(fake: FakeMetadata, times: int = 1) -> RecordingShutdown:
    shutdown = RecordingShutdown()
    watcher = InterruptionWatcher(MetadataService(fake.url), shutdown)
    for _ in range(times):
        watcher.look()
    return shutdown


def test_without_a_notice_nothing_happens(fake: FakeMetadata) -> None:
    fake.set_lifecycle_state("InService")
    shutdown = look(fake, times=3)
    assert not shutdown.requested
    assert len(fake.asked) == 9


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_a_spot_notice_is_passed_on_once_with_the_time_left(
    fake: FakeMetadata, action: str
) -> None:
    fake.announce_spot_end(90, action)
    shutdown = look(fake, times=3)
    assert shutdown.requested
    [left_s] = shutdown.left
    assert 80 < left_s <= 91


@pytest.mark.parametrize("state", ["Terminated", "Warmed:Terminated", "Terminated\n"])
def test_a_termination_is_passed_on_once(fake: FakeMetadata, state: str) -> None:
    fake.set_lifecycle_state(state)
    assert look(fake, times=3).left == [NOTICE_S]


@pytest.mark.parametrize("state", ["InService", "Standby", "Warmed:Stopped", "", "terminated?"])
def test_another_state_is_no_termination(state: str) -> None:
    assert lifecycle_notice(state) is None


def test_a_rebalance_recommendation_leaves_all_the_time_until_a_notice_comes(
    fake: FakeMetadata,
) -> None:
    shutdown = RecordingShutdown()
    watcher = InterruptionWatcher(MetadataService(fake.url), shutdown)
    fake.recommend_rebalance()
    watcher.look()
    fake.announce_spot_end(120)
    watcher.look()
    watcher.look()
    assert shutdown.left[0] == math.inf
    assert 100 < shutdown.left[1] <= NOTICE_S
    assert len(shutdown.left) == 2


NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("moment", "left_s"),
    [
        ("2026-01-01T00:01:30Z", 90),
        ("2026-01-01T01:01:30+01:00", 90),
        ("2025-12-31T23:59:00Z", 0),
        # A clock that is wrong, or a notice of another kind: no more than two minutes.
        ("2026-01-01T09:00:00Z", NOTICE_S),
    ],
)
def test_the_time_left_is_within_bounds(moment: str, left_s: float) -> None:
    text = json.dumps({"action": "terminate", "time": moment})
    assert spot_notice(text, NOW) == Notice(f"spot interruption: terminate at {moment}", left_s)


@pytest.mark.parametrize(
    "text",
    ["", "<html>", "[]", "{}", '{"action": "stop"}', '{"action": "stop", "time": 7}', "[" * 9999],
)
def test_nonsense_is_no_notice(fake: FakeMetadata, text: str) -> None:
    fake.answers[SPOT] = text[:4000]
    with pytest.raises(TransientError, match="spot/instance-action: expected JSON"):
        look(fake)


def test_the_watcher_hands_the_job_in_hand_back(fake: FakeMetadata) -> None:
    shutdown, lease = Shutdown(grace_s=3600), lease_of(message())
    with InterruptionWatcher(MetadataService(fake.url), shutdown), shutdown.holding(lease):
        lease.check()
        fake.announce_spot_end()
        with pytest.raises(Interrupted, match="spot interruption: terminate at"):
            lease.sleep(20)


def wait_until(is_so: Callable[[], bool]) -> None:
    limit = threading.Event()
    for _ in range(2000):
        if is_so():
            return
        limit.wait(0.005)
    raise AssertionError("it did not happen")


def events(records: list[logging.LogRecord]) -> list[str]:
    return [record.event for record in records]  # type: ignore[attr-defined]


def test_an_outage_is_one_line_and_the_watch_goes_on(
    fake: FakeMetadata, records: list[logging.LogRecord]
) -> None:
    fake.status = 500
    shutdown = RecordingShutdown()
    with InterruptionWatcher(MetadataService(fake.url), shutdown):
        wait_until(lambda: "metadata_unreachable" in events(records))
        fake.status = None
        wait_until(lambda: len(fake.asked) > 10)
        assert events(records) == ["metadata_unreachable"]
        fake.announce_spot_end()
        assert shutdown.drained.wait(10)
    assert "interruptions are not seen" in records[0].getMessage()
    assert events(records) == ["metadata_unreachable", "interruption_notice", "stopping"]


def test_nobody_there_is_asked_ever_more_seldom(
    records: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(200, "", "text/plain") as url:
        pass
    waits: list[float] = []

    class Closed(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return len(waits) > 10

    monkeypatch.setattr(interruption, "POLL_S", 1.0)
    monkeypatch.setattr(interruption, "MAX_POLL_S", 60.0)
    watcher = InterruptionWatcher(MetadataService(url), Shutdown())
    watcher._closed = Closed()
    watcher._watch()
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert events(records) == ["metadata_unreachable"]


def test_the_watch_ends_with_its_block(fake: FakeMetadata) -> None:
    with InterruptionWatcher(MetadataService(fake.url), Shutdown()) as watcher:
        pass
    assert not watcher._thread.is_alive()


@pytest.mark.parametrize(("is_wanted", "notes"), [(False, []), (True, ["config_note"])])
def test_a_disabled_service_is_not_watched(
    is_wanted: bool,
    notes: list[str],
    fake: FakeMetadata,
    records: list[logging.LogRecord],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", str(is_wanted).lower())
    with watching_interruptions(is_wanted, Shutdown()):
        assert not [t for t in threading.enumerate() if t.name == "interruption"]
    assert fake.asked == []
    assert events(records) == notes
