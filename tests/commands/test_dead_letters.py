"""The commands on dead letters: what they take, give and refuse."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from gpuqueue.commands import dead_letters
from gpuqueue.commands.context import RunContext
from gpuqueue.commands.submit import submit
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import InvalidJob, UnknownName
from gpuqueue.queues import PostMortem, QueueCounts, open_queue
from gpuqueue.records import Attempt, State, kept_records


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return embedded_settings(tmp_path / "data", tmp_path)


def bury(
    settings: Settings, reason: str = "no such scene", post_mortem: PostMortem | None = None
) -> str:
    job_id = submit(settings, "get_version", {})
    queue = open_queue(settings, "local_queue")
    message = queue.receive(0)
    assert message is not None
    queue.dead_letter(message, reason, post_mortem)
    return job_id


def counts(settings: Settings) -> QueueCounts:
    return open_queue(settings, "local_queue").counts()


def call(settings: Settings, name: str, **parameters: Any) -> Any:
    return RunContext(settings).call(f"queue_manager_{name}", parameters)


def test_a_dead_letter_is_listed_and_shown(settings: Settings) -> None:
    job_id = bury(settings)
    [listed] = call(settings, "list_dead")
    assert (listed["job_id"], listed["reason"], listed["receives"]) == (job_id, "no such scene", 1)
    assert listed["sent_at"] <= listed["died_at"]
    shown = call(settings, "get_dead", job_id=job_id)
    assert job_id in shown.pop("body")
    assert shown == {**listed, "attempts": [], "log": []}


def test_a_list_has_a_limit(settings: Settings) -> None:
    for _ in range(3):
        bury(settings)
    assert len(call(settings, "list_dead", limit=2)) == 2


def test_jobs_are_redriven_by_name_or_all(settings: Settings) -> None:
    first, second, third = (bury(settings) for _ in range(3))
    assert call(settings, "redrive", job_ids=[second]) == [second]
    assert counts(settings) == QueueCounts(1, 0, 2)
    assert call(settings, "redrive", all=True) == [first, third]
    assert counts(settings) == QueueCounts(3, 0, 0)


def test_all_are_purged_only_with_a_confirmation(settings: Settings) -> None:
    job_id = bury(settings)
    for wrong in ({}, {"confirm": False}):
        with pytest.raises(InvalidJob, match="confirm"):
            call(settings, "purge_dead", **wrong)
    assert call(settings, "purge_dead", confirm=True) == [job_id]
    assert counts(settings) == QueueCounts(0, 0, 0)


def test_one_call_does_a_bounded_number(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MAX_AT_ONCE", 2)
    for _ in range(5):
        bury(settings)
    assert len(call(settings, "redrive", all=True)) == 2
    assert len(call(settings, "purge_dead", confirm=True)) == 2
    assert counts(settings) == QueueCounts(2, 0, 1)


@pytest.mark.parametrize(
    ("name", "wrong", "why"),
    [
        ("redrive", {}, "either job_ids or all"),
        ("redrive", {"job_ids": ["a"], "all": True}, "either job_ids or all"),
        ("redrive", {"job_ids": ["nope"]}, "unknown dead letter 'nope'"),
        ("get_dead", {"job_id": "nope"}, "unknown dead letter 'nope'; known: none"),
        ("list_dead", {"limit": 0}, "limit"),
        ("list_dead", {"limit": 1001}, "limit"),
        ("list_dead", {"queue_name": "nope"}, "unknown queue 'nope'; known: local_queue"),
    ],
)
def test_what_does_not_fit_is_refused(
    settings: Settings, name: str, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidJob, match=why):
        call(settings, name, **wrong)


def test_a_letter_that_is_not_there_is_an_unknown_name(settings: Settings) -> None:
    with pytest.raises(UnknownName):
        call(settings, "get_dead", job_id="nope")


@pytest.mark.parametrize("chosen", ["default_queue", "listen_queue"])
def test_the_queue_is_the_default_one_or_the_one_listened_to(
    settings: Settings, chosen: str
) -> None:
    bury(settings)
    names = {"default_queue": None, "listen_queue": None, chosen: "local_queue"}
    manager = settings.queue_manager.model_copy(update=names)
    assert len(call(settings.model_copy(update={"queue_manager": manager}), "list_dead")) == 1


def test_without_a_queue_the_error_says_what_to_give(settings: Settings) -> None:
    manager = settings.queue_manager.model_copy(
        update={"default_queue": None, "listen_queue": None}
    )
    with pytest.raises(InvalidJob, match="name one, or set default_queue"):
        call(settings.model_copy(update={"queue_manager": manager}), "list_dead")


def test_a_letter_without_words_takes_those_of_its_record_and_the_record_learns_of_it(
    settings: Settings,
) -> None:
    job_id = submit(settings, "get_version", {})
    queue = open_queue(settings, "local_queue")
    message = queue.receive(0)
    assert message is not None
    queue.dead_letter(message, "received 5 times and never finished")
    lost = Attempt(host="gpu-1", started_at=time.time() - 3600, receives=5)
    records = kept_records(settings)
    records.update(job_id, lambda before: before and before.begun(lost))
    shown = call(settings, "get_dead", job_id=job_id)
    assert [a["host"] for a in shown["attempts"]] == ["gpu-1"]
    assert "lost" in shown["attempts"][0]["reason"]
    record = records.get(job_id)
    assert record is not None
    assert record.state is State.DEAD
    assert call(settings, "redrive", job_ids=[job_id]) == [job_id]
    assert call(settings, "get_job", job_id=job_id)["state"] == "queued"


def test_a_letter_that_explains_itself_needs_no_record(settings: Settings) -> None:
    job_id = bury(settings, post_mortem=PostMortem(error="SceneError", place="a.mi:3:1"))
    [listed] = call(settings, "list_dead")
    assert (listed["job_id"], listed["error"], listed["place"]) == (
        job_id,
        "SceneError",
        "a.mi:3:1",
    )
