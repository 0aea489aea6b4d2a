"""A picture in parts: the last part to be stored makes a picture of the same bits."""

from __future__ import annotations

import logging
import random
from itertools import permutations
from pathlib import Path

import pytest

from gpuqueue.binary import NOTHING, Binary
from gpuqueue.config.settings import RenderSettings
from gpuqueue.errors import Cancelled, Interrupted, InvalidJob
from gpuqueue.job import Part, new_id
from gpuqueue.log import Event
from gpuqueue.records import JobRecord, Parts, Records, State, cancel_parts
from gpuqueue.render import RenderRequest, parts
from gpuqueue.render.checkpoint import Checkpoints
from gpuqueue.render.parts import render_part
from gpuqueue.render.renderer import Renderer
from gpuqueue.storage.local import LocalStorage

from .small_scenes import write_scene
from .test_checkpoint import quiet, request, stop_after

JOB_ID = new_id()


@pytest.fixture
def bucket(tmp_path: Path) -> LocalStorage:
    bucket = LocalStorage("state", tmp_path / "state")
    Records(bucket).create(JobRecord(id=JOB_ID, command="c", queue="q", updated_at=0, parts=3))
    return bucket


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    (tmp_path / "scenes").mkdir()
    write_scene(tmp_path / "scenes" / "a.mi")
    return Renderer(RenderSettings(device="cpu", threads=1), tmp_path / "scenes")


def part(bucket: LocalStorage, index: int, count: int = 3) -> Parts:
    return Parts(bucket, Part(of=JOB_ID, index=index, count=count))


def render(renderer: Renderer, bucket: LocalStorage, index: int, count: int = 3) -> Binary:
    return render_part(renderer, request(), part(bucket, index, count), quiet)


def left(bucket: LocalStorage) -> list[str]:
    return bucket.keys("gpuqueue/parts/", 100) + bucket.keys("gpuqueue/checkpoints/", 100)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_part_makes_the_picture_whatever_the_order(
    renderer: Renderer, bucket: LocalStorage, order: tuple[int, ...]
) -> None:
    *first, last = (render(renderer, bucket, index) for index in order)
    assert first == [NOTHING, NOTHING]
    assert last.data == renderer.render(request(), quiet).data
    part(bucket, order[-1]).finish(["there"], "hash")
    record = Records(bucket).get(JOB_ID)
    assert record is not None
    assert (record.state, record.results, record.result_sha256) == (
        State.SUCCEEDED,
        ("there",),
        "hash",
    )
    assert left(bucket) == []


@pytest.mark.parametrize("count", [2, 7, 16])
def test_any_number_of_parts_makes_the_same_picture(
    renderer: Renderer, bucket: LocalStorage, count: int
) -> None:
    """With more parts than samples, some are empty."""
    pictures = [render(renderer, bucket, index, count) for index in range(count)]
    assert pictures[-1].data == renderer.render(request(), quiet).data


def test_a_part_goes_on_from_its_checkpoint(renderer: Renderer, bucket: LocalStorage) -> None:
    checkpoints = Checkpoints(bucket, part(bucket, 1).part.id, interval_s=3600)
    asked = request(samples=60)
    with pytest.raises(Interrupted):
        render_part(renderer, asked, part(bucket, 1), stop_after(2), checkpoints)
    assert any("checkpoints" in key for key in left(bucket)), "the test needs one"
    for index in (0, 2):
        assert render_part(renderer, asked, part(bucket, index), quiet) == NOTHING
    picture = render_part(renderer, asked, part(bucket, 1), quiet, checkpoints)
    assert picture.data == renderer.render(asked, quiet).data


def test_who_is_lost_in_mid_merge_is_followed_by_the_same_part(
    renderer: Renderer, bucket: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    render(renderer, bucket, 0)
    render(renderer, bucket, 1)
    with monkeypatch.context() as patch:
        patch.setattr(parts, "add_film", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            render(renderer, bucket, 2)
    assert render(renderer, bucket, 0) == NOTHING, "part 2 has the right to merge"
    assert render(renderer, bucket, 2).data == renderer.render(request(), quiet).data


@pytest.mark.parametrize("damage", ["lost", "damaged", "of another scene"])
def test_what_cannot_be_merged_is_rendered_anew(
    renderer: Renderer, bucket: LocalStorage, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    render(renderer, bucket, 0)
    render(renderer, bucket, 1)
    key = f"gpuqueue/parts/{JOB_ID}/1.film"
    if damage == "damaged":
        data = bytearray(bucket.get(key))
        data[len(data) // 2] ^= 1
        bucket.put(key, Binary(bytes(data), "application/octet-stream"))
    elif damage == "of another scene":
        other = request(seed=5)
        bucket.delete(key)
        assert render_part(renderer, other, part(bucket, 1), quiet) == NOTHING
    last = part(bucket, 2)
    if damage == "lost":
        assert last.load(1) is not None
        last.load = lambda index: None if index == 1 else Parts.load(last, index)  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING, "gpuqueue"):
        picture = render_part(renderer, request(), last, quiet)
    assert picture.data == renderer.render(request(), quiet).data
    assert [r.__dict__["event"] for r in caplog.records] == [Event.PART_REFUSED]


def test_of_a_finished_picture_nothing_is_stored_again(
    renderer: Renderer, bucket: LocalStorage
) -> None:
    """A message that was delivered twice renders beside the one that finished."""
    for index in range(3):
        render(renderer, bucket, index)
    late = part(bucket, 0)
    assert late.is_wanted()
    part(bucket, 2).finish([], None)
    assert render_part(renderer, request(), late, quiet) == NOTHING
    assert left(bucket) == []
    assert not late.is_wanted()


def test_of_a_cancelled_picture_nothing_is_left(renderer: Renderer, bucket: LocalStorage) -> None:
    render(renderer, bucket, 0)
    records = Records(bucket)
    records.update(JOB_ID, lambda before: before and before.cancelled(1.0))
    cancel_parts(records, JOB_ID, 3, 1.0)
    assert left(bucket) == []
    with pytest.raises(Cancelled):
        render(renderer, bucket, 1)
    part(bucket, 1).forget()
    assert left(bucket) == []


def test_a_part_of_a_job_without_a_record_is_refused(bucket: LocalStorage) -> None:
    with pytest.raises(InvalidJob, match="no record of job"):
        Parts(bucket, Part(of=new_id(), index=0, count=2)).is_wanted()


def test_parts_claim_the_merge_one_of_them_only(bucket: LocalStorage) -> None:
    film = Binary(b"film", "application/octet-stream")
    order = random.Random(3).sample(range(5), 5)
    for index in order:
        assert part(bucket, index, 5).store(film)
    claims = [part(bucket, index, 5).may_merge() for index in order]
    assert claims == [True, False, False, False, False]


def test_a_film_too_large_to_be_stored_is_told(
    renderer: Renderer, bucket: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_BYTES", 1000)
    asked = RenderRequest(scene_file="a.mi", width=40, height=30, samples=8)
    with pytest.raises(InvalidJob, match="40 x 30 pixels are too many"):
        render_part(renderer, asked, part(bucket, 0), quiet)
