"""Several frames in one submit: a job each, a group of all; and submits that are sent twice."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpuqueue.cli import app
from gpuqueue.commands.context import RunContext
from gpuqueue.commands.frames import parse_frames
from gpuqueue.commands.submit import Order, submit_order
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import ConfigError, GpuqueueError, InvalidJob, TransientError
from gpuqueue.job import Job
from gpuqueue.queues import open_queue
from gpuqueue.queues.local import LocalQueue
from gpuqueue.records import State, kept_records, tokens
from gpuqueue.storage import open_bucket

SCENE = {"scene_file": "shot.${frame:4}.mi", "samples": 4}
TASKS = [
    {"name": "s3_upload", "config": {"bucket": "local_bucket", "key": "shot/${frame}.${mime_ext}"}}
]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    for frame in range(1, 10):
        (tmp_path / f"shot.{frame:04}.mi").write_text("")
    return embedded_settings(tmp_path / "gpuqueue-data", tmp_path)


def call(settings: Settings, name: str, **parameters: Any) -> Any:
    return RunContext(settings).call(f"queue_manager_{name}", parameters)


def submit(settings: Settings, **parameters: Any) -> Any:
    asked = {"command": "rs_fancy_render", "parameters": SCENE, "tasks": TASKS, **parameters}
    return call(settings, "submit_job", **asked)


def bodies(settings: Settings) -> list[dict[str, Any]]:
    queue, found = open_queue(settings, "local_queue"), []
    while (message := queue.receive(0)) is not None:
        found.append(json.loads(message.body))
    return found


def test_each_frame_is_a_job_with_its_number_in_its_texts(settings: Settings) -> None:
    answer = submit(settings, frames={"first": 2, "last": 8, "step": 3})
    assert [job["frame"] for job in answer["jobs"]] == [2, 5, 8]
    queued = bodies(settings)
    assert {body["id"] for body in queued} == {job["job_id"] for job in answer["jobs"]}
    told = sorted(
        (body["parameters"]["scene_file"], body["tasks"][0]["config"]["key"]) for body in queued
    )
    assert told == [(f"shot.{n:04}.mi", f"shot/{n}.${{mime_ext}}") for n in (2, 5, 8)]


def test_a_group_tells_how_far_its_frames_are(settings: Settings) -> None:
    answer = submit(settings, frames=[1, 2, 3, 4])
    first = answer["jobs"][0]["job_id"]
    assert call(settings, "cancel_job", job_id=first) == "cancelled"
    told = call(settings, "get_group", group_id=answer["group"])
    assert (told["progress"], told["states"]) == (0.25, {"cancelled": 1, "queued": 3})
    assert [job["frame"] for job in told["jobs"]] == [1, 2, 3, 4]
    assert call(settings, "get_job", job_id=first)["group"] == answer["group"]
    assert call(settings, "cancel_group", group_id=answer["group"]) == {"cancelled": 4}


def test_frames_may_be_in_parts(settings: Settings) -> None:
    answer = submit(settings, frames=[1, 2], parts=3)
    queued = bodies(settings)
    assert len(queued) == 6
    assert {body["part"]["of"] for body in queued} == {job["job_id"] for job in answer["jobs"]}
    assert call(settings, "get_job", job_id=answer["jobs"][0]["job_id"])["parts"] == 3
    assert call(settings, "cancel_group", group_id=answer["group"]) == {"cancelled": 2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": [1, 1]}, "a number is there twice"),
        ({"frames": [1, 99]}, "frame 99: scene_file 'shot.0099.mi' is no file"),
        ({"frames": {"first": 1, "last": 0}}, "expected last to be at least first"),
        ({"frames": {"first": 1, "last": 1001}}, "1001 frames; at most 1000"),
        ({"frames": list(range(1001))}, "1001 frames; at most 1000"),
        ({"frames": [1, 2], "parameters": {"scene_file": "shot.0001.mi"}}, "all would be alike"),
        (
            {
                "frames": [1, 2],
                "tasks": [{**TASKS[0], "config": {**TASKS[0]["config"], "key": "a"}}],
            },
            "all would be stored as 'a'",
        ),
        ({"parameters": {"scene_file": "shot.0001.mi"}}, "unknown substitution"),
        ({"frames": [1, 2], "parameters": {"scene_file": "../${frame}.mi"}}, "without '..'"),
    ],
)
def test_frames_that_cannot_be_are_refused_and_none_is_queued(
    settings: Settings, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidJob, match=message):
        submit(settings, **changes)
    assert bodies(settings) == []


def test_frames_that_could_not_all_be_sent_are_cancelled(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, count, lock = LocalQueue.send, iter(range(9)), threading.Lock()

    def send(self: LocalQueue, body: str, job_id: str) -> str:
        with lock:
            number = next(count)
        if number >= 2:
            raise TransientError("no more")
        return original(self, body, job_id)

    with monkeypatch.context() as patch:
        patch.setattr(LocalQueue, "send", send)
        with pytest.raises(TransientError, match="no more"):
            submit(settings, frames=[1, 2, 3, 4])
    states = {record.state for record in kept_records(settings).newest(10)}
    assert states == {State.CANCELLED}


@pytest.mark.parametrize(
    ("text", "numbers"), [("1-4", (1, 2, 3, 4)), ("1-9x4", (1, 5, 9)), ("7,3", (7, 3)), ("5", (5,))]
)
def test_the_command_line_s_frames(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_frames(text) == numbers


@pytest.mark.parametrize("text", ["", "a", "1-", "4-1", "1-9x0", "1-99999", "1,,2"])
def test_what_is_no_frames_is_told(text: str) -> None:
    with pytest.raises(InvalidJob, match="expected 1-100"):
        parse_frames(text)


def test_the_command_line_submits_shows_and_cancels_a_group(settings: Settings) -> None:
    parameters = ["-p", "scene_file=shot.${frame:4}.mi"]
    words = ["submit", "rs_fancy_render", *parameters, "--frames", "1-3", "--token", "t"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    group = done.stdout.strip()
    assert CliRunner().invoke(app, words).stdout.strip() == group
    assert len(bodies(settings)) == 3
    shown = CliRunner().invoke(app, ["jobs", "group", group], env={"COLUMNS": "250"})
    assert "0% done: 3 queued" in shown.stdout
    shown = CliRunner().invoke(app, ["jobs", "group", group, "--cancel"], env={"COLUMNS": "250"})
    assert "100% done: 3 cancelled" in shown.stdout


def test_the_same_token_and_submit_queues_nothing(settings: Settings) -> None:
    first = submit(settings, frames=[1, 2], idempotency_token="t1")
    assert submit(settings, frames=[1, 2], idempotency_token="t1") == first
    assert len(bodies(settings)) == 2
    assert submit(settings, frames=[1, 2], idempotency_token="t2") != first


@pytest.mark.parametrize(
    "change", [{"frames": [1, 3]}, {"parts": 2}, {"reference": "r"}, {"tasks": []}]
)
def test_the_same_token_for_another_submit_is_refused(
    settings: Settings, change: dict[str, Any]
) -> None:
    submit(settings, frames=[1, 2], idempotency_token="t")
    with pytest.raises(InvalidJob, match="used for another submit"):
        submit(settings, **{"frames": [1, 2], "idempotency_token": "t", **change})
    assert len(bodies(settings)) == 2


def test_of_many_calls_with_one_token_at_once_one_sends(settings: Settings) -> None:
    order = Order(Job.new("get_version", {}), token="t")
    answers: list[object] = []

    def call_once() -> None:
        try:
            answers.append(submit_order(settings, order).jobs)
        except GpuqueueError as error:
            answers.append(type(error))

    threads = [threading.Thread(target=call_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies(settings)) == 1
    assert len({a for a in answers if a is not TransientError}) == 1
    assert submit_order(settings, order).jobs in answers


def test_a_submit_that_failed_may_be_sent_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(Job.new("get_version", {}), token="t")
    with monkeypatch.context() as patch:
        patch.setattr(LocalQueue, "send", lambda *_: (_ for _ in ()).throw(TransientError("down")))
        with pytest.raises(TransientError, match="down"):
            submit_order(settings, order)
    receipt = submit_order(settings, order)
    assert [body["id"] for body in bodies(settings)] == list(receipt.jobs)


def test_a_submit_that_died_is_sent_by_who_asks_again_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(Job.new("get_version", {}), token="t")
    token = tokens.Token(kept_records(settings).bucket, "t", order.payload)
    token.begin({"jobs": ["of-the-dead"], "group": None})
    with pytest.raises(TransientError, match="under way"):
        submit_order(settings, order)
    later = time.time() + tokens.SENDING_S + 1
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    assert submit_order(settings, order).jobs == ("of-the-dead",)
    assert [body["id"] for body in bodies(settings)] == ["of-the-dead"]


def test_old_tokens_are_forgotten_and_removed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = open_bucket(settings, "local_state")
    for number in range(20):
        submit_order(settings, Order(Job.new("get_version", {}), token=f"old {number}"))
    later = time.time() + 2 * tokens.KEPT_S + 1
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    for number in range(60):
        submit_order(settings, Order(Job.new("get_version", {}), token=f"new {number}"))
    keys = bucket.keys("gpuqueue/tokens/", 100)
    assert 60 <= len(keys) < 75, "most of the old ones are gone"
    first = submit_order(settings, Order(Job.new("get_version", {}), token="old 3"))
    assert first == submit_order(settings, Order(Job.new("get_version", {}), token="old 3"))


def test_tokens_and_frames_need_a_state_bucket(settings: Settings) -> None:
    manager = settings.queue_manager.model_copy(update={"state_bucket": None})
    bare = settings.model_copy(update={"queue_manager": manager})
    for more in ({"frames": [1]}, {"idempotency_token": "t", "tasks": []}):
        with pytest.raises(ConfigError, match="state_bucket"):
            submit(bare, **more)
