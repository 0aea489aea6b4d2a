"""Records in a bucket: found by id, newest first, and changed by one at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpuqueue.binary import Binary
from gpuqueue.errors import TransientError
from gpuqueue.job import made_at_ms, new_id
from gpuqueue.records import JobRecord, Records, State
from gpuqueue.storage.local import LocalStorage


@pytest.fixture
def bucket(tmp_path: Path) -> LocalStorage:
    return LocalStorage("records", tmp_path)


@pytest.fixture
def records(bucket: LocalStorage) -> Records:
    return Records(bucket)


def record(job_id: str, **fields: object) -> JobRecord:
    new = JobRecord(id=job_id, command="render", queue="q", submitted_at=1, updated_at=1)
    return new.model_copy(update=fields)


def test_an_id_tells_when_it_was_made() -> None:
    before = int(time.time() * 1000)
    made = made_at_ms(new_id())
    assert made is not None
    assert before <= made <= int(time.time() * 1000)
    assert len({new_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "job_id",
    ["", "job-1", "3b0e9f61-1c1c-4f8e-9b6b-2f2b6c1d7a10", "{01890a5d-ac96-774b-bcce-b302099a8057}"],
)
def test_other_ids_tell_no_time(job_id: str) -> None:
    assert made_at_ms(job_id) is None


def test_a_record_comes_back_as_it_was_created(records: Records) -> None:
    new = record(new_id(), reference="shot 12")
    assert records.create(new)
    assert records.get(new.id) == new
    assert not records.create(record(new.id, reference="another"))
    assert records.get(new.id) == new


def test_an_unknown_job_has_no_record(records: Records) -> None:
    assert records.get(new_id()) is None
    assert records.get("by-hand") is None


def test_a_removed_record_is_gone(records: Records) -> None:
    new = record(new_id())
    records.create(new)
    records.remove(new.id)
    assert records.get(new.id) is None


def test_the_newest_come_first_and_ids_without_time_last(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpuqueue.records.store.PAGE", 2)
    ids = []
    for at in range(5):
        monkeypatch.setattr("gpuqueue.job.time.time", lambda at=at: 1.7e9 + at)
        ids.append(new_id())
    for job_id in ["by-hand", *ids]:
        records.create(record(job_id))
    assert [found.id for found in records.newest(100)] == [*reversed(ids), "by-hand"]
    assert [found.id for found in records.newest(3)] == list(reversed(ids))[:3]
    assert list(records.newest(0)) == []


def test_changes_of_many_at_once_are_all_kept(records: Records) -> None:
    job_id = new_id()
    records.create(record(job_id, updated_at=0))

    def count_up(before: JobRecord | None) -> JobRecord:
        assert before is not None
        return before.model_copy(update={"updated_at": before.updated_at + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: records.update(job_id, count_up), range(20)))
    after = records.get(job_id)
    assert after is not None
    assert after.updated_at == 20


def test_a_change_of_nothing_writes_nothing(records: Records, bucket: LocalStorage) -> None:
    new = record(new_id())
    records.create(new)
    [key] = bucket.keys("gpuqueue/", 10)
    tag_before = bucket.fetch(key)
    assert records.update(new.id, lambda before: before) == new
    assert records.update(new.id, lambda _: None) == new
    assert records.update("unknown", lambda before: before) is None
    assert bucket.fetch(key) == tag_before


def test_a_record_that_never_holds_still_is_given_up(
    records: Records, bucket: LocalStorage
) -> None:
    new = record(new_id())
    records.create(new)
    [key] = bucket.keys("gpuqueue/", 10)
    turns = iter(range(1000))

    def disturbed(before: JobRecord | None) -> JobRecord:
        other = record(new.id, updated_at=next(turns))
        bucket.put(key, Binary(other.model_dump_json().encode(), "application/json"))
        return record(new.id, state=State.DEAD)

    with pytest.raises(TransientError, match="changes faster"):
        records.update(new.id, disturbed)


@pytest.mark.parametrize("data", [b"", b"not JSON", b"[]", b"\xff", b'{"id": 7}'])
def test_what_is_no_record_counts_as_none_and_can_be_replaced(
    records: Records, bucket: LocalStorage, data: bytes
) -> None:
    new = record(new_id())
    records.create(new)
    [key] = bucket.keys("gpuqueue/", 10)
    bucket.put(key, Binary(data, "application/json"))
    assert records.get(new.id) is None
    assert list(records.newest(10)) == []
    assert records.update(new.id, lambda before: before or new) == new
    assert records.get(new.id) == new
