"""The embedded queue: what was sent survives a crash, and a wrong file is explained."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gpuqueue.config import embedded_settings
from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.queues import PostMortem, open_queue, sqlite
from gpuqueue.queues.base import Message, Whereabouts
from gpuqueue.queues.dead_letters import list_dead
from gpuqueue.queues.local import LocalQueue


def open_at(path: Path) -> LocalQueue:
    return LocalQueue("jobs", path, visibility_timeout_s=30, max_receives=3)


def drain(queue: LocalQueue) -> list[str]:
    """Receive all there is; the ids in order."""
    return [message.id for message in iter(lambda: queue.receive(0), None)]


def receive(queue: LocalQueue) -> Message:
    message = queue.receive(0)
    assert message is not None
    return message


SEND_FOREVER = """
import sys
from pathlib import Path
from gpuqueue.queues.base import Message, Whereabouts
from gpuqueue.queues.local import LocalQueue
queue = LocalQueue("jobs", Path(sys.argv[1]), visibility_timeout_s=30, max_receives=3)
while True:
    print(queue.send("body", "job-1"), flush=True)
"""


def test_what_was_sent_survives_the_kill_of_the_sender(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", SEND_FOREVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout is not None
        sent = [sender.stdout.readline().strip() for _ in range(20)]
        sender.kill()
        sent += [line.strip() for line in sender.stdout if line.endswith("\n")]
    received = drain(open_at(path))
    # The sender may have stored one more that it had no time to report.
    assert received[: len(sent)] == sent
    assert len(received) - len(sent) in (0, 1)


OPEN_AND_SEND = """
import sys
from pathlib import Path
from gpuqueue.queues.base import Message, Whereabouts
from gpuqueue.queues.local import LocalQueue
sys.stdin.readline()
queue = LocalQueue("jobs", Path(sys.argv[1]), visibility_timeout_s=30, max_receives=3)
for _ in range(5):
    queue.send("body", "job-1")
"""


def test_several_processes_may_make_and_use_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "queue.sqlite"
    command = [sys.executable, "-W", "error", "-c", OPEN_AND_SEND, str(path)]
    senders = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.close()
    assert [sender.wait() for sender in senders] == [0] * 4
    assert open_at(path).counts().visible == 20


def test_messages_arrive_in_the_order_they_were_sent(tmp_path: Path) -> None:
    queue = open_at(tmp_path / "queue.sqlite")
    sent = [queue.send("body", f"job-{number}") for number in range(5)]
    assert drain(queue) == sent


def test_the_settings_reach_the_queue(tmp_path: Path) -> None:
    queue = open_queue(embedded_settings(tmp_path), "local_queue")
    queue.send("body", "job-1")
    assert queue.receive(0) is not None
    with closing(sqlite3.connect(tmp_path / "queue.sqlite")) as connection:
        [(hidden_s,)] = connection.execute("SELECT round(visible_at - sent_at) FROM messages")
    assert 119 <= hidden_s <= 130


def test_a_dead_letter_records_when_and_why(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    queue = LocalQueue(
        "jobs",
        path,
        visibility_timeout_s=30,
        max_receives=1,
        clock=iter(range(1000, 2000, 100)).__next__,
    )
    queue.send("body", "job-1")
    assert queue.receive(0) is not None
    assert queue.receive(0) is None
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT job_id, dead_at, reason FROM messages").fetchall()
    assert rows == [("job-1", 1200.0, "received 1 times and never finished")]


def test_a_dead_letter_tells_the_last_failure(tmp_path: Path) -> None:
    queue = LocalQueue("jobs", tmp_path / "queue.sqlite", visibility_timeout_s=30, max_receives=2)
    queue.send("body", "job-1")
    for reason in ("no GPU", "no disk\x00"):
        queue.release(receive(queue), reason=reason)
    assert queue.receive(0) is None
    found = queue.find("job-1")
    assert found is not None
    assert found.dead_because == (
        "received 2 times and never finished; the last failure: no disk\ufffd"
    )


def test_only_a_send_waits_for_the_disk(tmp_path: Path) -> None:
    queue = open_at(tmp_path / "queue.sqlite")
    statements: list[str] = []
    queue._connection.set_trace_callback(statements.append)
    queue.send("body", "job-1")
    queue.delete(receive(queue))
    synced = [s for s in statements if s.startswith(("PRAGMA", "INSERT", "UPDATE", "DELETE"))]
    assert [s.split()[0] if s[0] != "P" else s.split()[-1] for s in synced] == [
        "FULL", "INSERT", "NORMAL", "UPDATE", "UPDATE", "NORMAL", "DELETE",
    ]  # fmt: skip


def test_a_full_disk_is_transient_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    queue = open_at(path)
    queue.send("body", "job-1")
    queue._connection.execute("PRAGMA max_page_count = 9")  # the only way to fill it at once
    with pytest.raises(TransientError, match=r"queue 'jobs' .*full; make room on the disk"):
        queue.send("x" * 1_000_000, "job-2")
    assert queue.counts().visible == 1
    queue._connection.execute("PRAGMA max_page_count = 100000")
    queue.send("x" * 1_000_000, "job-2")
    assert queue.counts().visible == 2


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Another process's write that does not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_queue_is_its_owners_alone(tmp_path: Path) -> None:
    """Jobs may hold addresses with passwords in them."""
    queue = open_at(tmp_path / "queue.sqlite")
    queue.send("{}", "job")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_file_locked_for_long_is_transient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "queue.sqlite"
    queue = open_at(path)
    with writing(path):
        with pytest.raises(TransientError, match="locked"):
            queue.send("body", "job-1")
        with pytest.raises(TransientError, match="locked"):
            queue.check()
        assert queue.receive(0) is None
    queue.send("body", "job-1")


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"not a database, but long enough to be mistaken for one" * 100, "name a new file"),
        (b"SQLite format 3\x00" + b"\xff" * 4096, ""),
    ],
    ids=["text", "damaged"],
)
def test_a_file_that_is_no_queue_is_a_configuration_error(
    tmp_path: Path, content: bytes, advice: str
) -> None:
    path = tmp_path / "queue.sqlite"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"queue 'jobs' .*{advice}"):
        open_at(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE precious (value)")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is another database; name a new file"):
        open_at(path)
    assert path.read_bytes() == before


def test_a_queue_of_the_first_version_is_brought_up_to_date_with_its_messages(
    tmp_path: Path,
) -> None:
    path = tmp_path / "queue.sqlite"
    open_at(path).send("body", "job-1")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE messages DROP COLUMN details")
        connection.execute("PRAGMA user_version = 1")
    queue, known = open_at(path), PostMortem(error="E")
    queue.dead_letter(receive(queue), "reason", known)
    assert list_dead(queue, 1)[0].post_mortem == known


def test_a_queue_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    open_at(path).send("body", "job-1")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="another version"):
        open_at(path)


def test_a_file_that_gets_damaged_while_open_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    queue = open_at(path)
    for number in range(50):
        queue.send("x" * 1000, f"job-{number}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"malformed.*\.recover"):
        drain(queue)


@pytest.mark.parametrize("place", ["file/queue.sqlite", "folder"])
def test_a_path_that_cannot_be_a_file_is_a_configuration_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=f"queue 'jobs'.*{place}"):
        open_at(tmp_path / place)


def test_a_job_can_be_found_until_its_message_is_deleted(tmp_path: Path) -> None:
    queue = open_at(tmp_path / "queue.sqlite")
    assert queue.find("job-1") is None
    queue.send("body", "job-1")
    assert queue.find("job-1") == Whereabouts(0, False, None)
    queue.release(receive(queue))
    message = receive(queue)
    assert queue.find("job-1") == Whereabouts(2, True, None)
    queue.dead_letter(message, "no such scene")
    assert queue.find("job-1") == Whereabouts(2, False, "no such scene")
    queue.send("body", "job-2")
    queue.delete(receive(queue))
    assert queue.find("job-2") is None


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_file_taken_away_while_in_use_is_noticed(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "queue.sqlite"
    queue = open_at(path)
    queue.send("body", "job-1")
    path.rename(tmp_path / "moved.sqlite")
    if replaced:
        open_at(path)
    for call in (lambda: queue.send("body", "job-2"), lambda: queue.receive(0), queue.counts):
        with pytest.raises(ConfigError, match="removed or replaced while in use"):
            call()


def test_threads_share_one_queue_object(tmp_path: Path) -> None:
    queue = open_at(tmp_path / "queue.sqlite")
    message_id = queue.send("body", "job-1")
    message = receive(queue)
    failures: list[Exception] = []

    def extend() -> None:
        try:
            for _ in range(20):
                queue.extend(message, 30)
        except Exception as error:  # reported below, in the test's thread
            failures.append(error)

    threads = [threading.Thread(target=extend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        queue.send("body", f"job-{number}")
    for thread in threads:
        thread.join()
    assert failures == []
    assert queue.counts().in_flight == 1
    queue.delete(message)
    assert message.id == message_id
