"""Results that wait on disk for their tasks: used again, bounded, and never in the way."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.config.settings import QueueManagerSettings
from gpuqueue.listener import spool as module
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.spool import MAX_AGE_S, Spool, SpoolPlace

PICTURE = Binary(bytes(range(256)) * 4 + b"\n\n", "image/png")
LOG = JobLog("q", "job-1")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool.open(settings(tmp_path / "spool"))


def settings(folder: Path, max_bytes: int = 10_000) -> Settings:
    manager = QueueManagerSettings(spool_folder=folder, spool_bytes=max_bytes)
    return Settings(queue_manager=manager)


def place(spool: Spool, job_id: str = "job-1", body: str = "body") -> SpoolPlace:
    return spool.place_of(job_id, body, LOG)


def files(spool: Spool) -> list[Path]:
    assert spool.folder is not None
    return list(spool.folder.iterdir())


def test_a_result_waits_with_its_type_and_its_cost(spool: Spool) -> None:
    place(spool).save(PICTURE, 12.5)
    found = place(spool).load()
    assert found is not None
    assert (found.result, found.seconds) == (PICTURE, 12.5)
    place(spool).remove()
    place(spool).remove()
    assert place(spool).load() is None
    assert files(spool) == []


def test_another_job_and_another_payload_have_another_place(spool: Spool) -> None:
    place(spool).save(PICTURE, 2)
    assert place(spool, "job-2").load() is None
    assert place(spool, body="other").load() is None
    assert place(spool, "../../etc/passwd", "\udc80").load() is None


def test_what_is_made_quickly_is_not_kept(spool: Spool) -> None:
    place(spool).save(PICTURE, module.WORTH_S / 2)
    assert files(spool) == []


def test_it_is_its_owners_alone(spool: Spool) -> None:
    place(spool).save(PICTURE, 2)
    assert spool.folder is not None
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert files(spool)[0].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"x",
        lambda data: b"\n\n\n",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data.replace(b"image/png", b"text/html"),
        lambda data: b"\xff" + data[1:],
    ],
)
def test_what_is_damaged_is_removed_and_not_used(
    spool: Spool, damage: object, records: list
) -> None:
    place(spool).save(PICTURE, 2)
    [path] = files(spool)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert place(spool).load() is None
    assert files(spool) == []
    assert [record.event for record in records] == ["spool_unusable"]


def test_older_results_make_room(spool: Spool) -> None:
    for number in range(30):
        place(spool, f"job-{number}").save(PICTURE, 2)
    assert sum(path.stat().st_size for path in files(spool)) <= 10_000 + 512
    assert place(spool, "job-29").load() is not None
    place(spool, "large").save(Binary(bytes(20_000), "image/png"), 2)
    assert place(spool, "large").load() is None
    assert place(spool, "job-29").load() is not None


def test_a_full_disk_does_no_harm(
    spool: Spool, records: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "write_parts", fail)
    place(spool).save(PICTURE, 2)
    assert "No space left on device" in records[0].getMessage()
    assert place(spool).load() is None


@pytest.mark.parametrize("shared", [0o720, 0o702])
def test_a_folder_that_others_may_write_to_is_not_used(
    tmp_path: Path, shared: int, records: list
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    folder.chmod(shared)
    spool = Spool.open(settings(folder))
    place(spool).save(PICTURE, 2)
    assert place(spool).load() is None
    assert list(folder.iterdir()) == []
    assert [record.event for record in records] == ["spool_unusable"]


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    spool = Spool.open(settings(tmp_path / "spool", 0))
    place(spool).save(PICTURE, 2)
    assert not (tmp_path / "spool").exists()


def test_what_nobody_asks_for_any_more_is_forgotten(spool: Spool) -> None:
    for name in ("old", "new"):
        place(spool, name).save(PICTURE, 2)
    assert spool.folder is not None
    [old] = [path for path in files(spool) if path.name == old_name(spool)]
    long_ago = time.time() - MAX_AGE_S - 60
    os.utime(old, (long_ago, long_ago))
    Spool.open(settings(spool.folder))
    assert place(spool, "old").load() is None
    assert place(spool, "new").load() is not None


def old_name(spool: Spool) -> str:
    path = place(spool, "old")._path
    assert path is not None
    return path.name
