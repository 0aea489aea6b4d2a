"""One queue and one bucket of every registered module, opened for a test."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gpuqueue.config.settings import LocalBucketSettings, QueueManagerSettings, Settings
from gpuqueue.queues import QUEUES, Queue
from gpuqueue.queues.local import LocalQueue
from gpuqueue.queues.sqs import SqsQueue
from gpuqueue.storage import STORAGES, Storage
from gpuqueue.storage.local import LocalStorage
from gpuqueue.storage.s3 import S3Storage
from tests.cloud import REGION, Cloud

VISIBILITY_TIMEOUT_S = 30
MAX_RECEIVES = 3


@dataclass
class Clock:
    """The time of day as the queue sees it, moved by the test instead of waited for."""

    offset_s: float = 0

    def now(self) -> float:
        return time.time() + self.offset_s

    def advance(self, seconds: float) -> None:
        self.offset_s += seconds


@dataclass
class QueueUnderTest:
    """A queue, what moves its time, and a look at what it does not show."""

    queue: Queue
    open_again: Callable[[], Queue]
    dead_letters: Callable[[], list[tuple[str, str]]]
    #: A configuration file with this queue under the name "jobs", for another process.
    configuration: str
    #: Whether the server refuses a receipt that is no longer the message's.
    refuses_stale_receipts: bool
    clock: Clock = field(default_factory=Clock)


def open_local(tmp_path: Path, clock: Clock) -> QueueUnderTest:
    path = tmp_path / "queue.sqlite"

    def open_it() -> LocalQueue:
        return LocalQueue(
            "jobs",
            path,
            visibility_timeout_s=VISIBILITY_TIMEOUT_S,
            max_receives=MAX_RECEIVES,
            clock=clock.now,
        )

    def dead_letters() -> list[tuple[str, str]]:
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT body, reason FROM messages WHERE dead_at IS NOT NULL")
        found = rows.fetchall()
        connection.close()
        return found

    configuration = f"""
<user queue_manager>
    visibility_timeout_s {VISIBILITY_TIMEOUT_S}
</user>
<user local>
    <user queue>
        name jobs
        path {path}
        max_receives {MAX_RECEIVES}
    </user>
</user>
"""
    return QueueUnderTest(open_it(), open_it, dead_letters, configuration, True, clock)


def open_sqs(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> QueueUnderTest:
    # The server runs in a thread of this process: its visibility clock can be moved as well.
    monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda: clock.now() * 1000)
    queue = cloud.make_queue(max_receives=MAX_RECEIVES)
    settings = Settings(
        queue_manager=QueueManagerSettings(visibility_timeout_s=VISIBILITY_TIMEOUT_S),
        aws=cloud.aws,
    )

    def dead_letters() -> list[tuple[str, str]]:
        return [
            (m["Body"], m.get("MessageAttributes", {}).get("error", {}).get("StringValue", ""))
            for m in cloud.dead_letters(queue)
        ]

    configuration = f"""
<user queue_manager>
    visibility_timeout_s {VISIBILITY_TIMEOUT_S}
</user>
<user aws>
    access_key AKIDEXAMPLE
    secret_key exampleSecret
    region {REGION}
    endpoint_url {cloud.endpoint}
    <user sqs>
        <user queue>
            name jobs
            queue_url {queue.queue_url}
        </user>
    </user>
</user>
"""
    return QueueUnderTest(
        SqsQueue.open(settings, queue),
        lambda: SqsQueue.open(settings, queue),
        dead_letters,
        configuration,
        # moto takes the receipt of any receive; Amazon does not.
        refuses_stale_receipts=False,
        clock=clock,
    )


@pytest.fixture(params=sorted(QUEUES))
def under_test(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> QueueUnderTest:
    if request.param == "local":
        return open_local(tmp_path, Clock())
    assert request.param == "sqs", "a queue module needs a way to be opened for its contract"
    return open_sqs(request.getfixturevalue("cloud"), Clock(), monkeypatch)


@pytest.fixture
def queue(under_test: QueueUnderTest) -> Queue:
    return under_test.queue


@pytest.fixture(params=sorted(STORAGES))
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        settings = LocalBucketSettings(name="results", path=tmp_path / "bucket")
        return LocalStorage.open(Settings(), settings)
    assert request.param == "s3", "a storage module needs a way to be opened for its contract"
    cloud: Cloud = request.getfixturevalue("cloud")
    return S3Storage.open(Settings(aws=cloud.aws), cloud.make_bucket())
