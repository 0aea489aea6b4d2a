"""A render that was stopped goes on elsewhere, with the bits of one that never stopped."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuqueue.binary import Binary
from gpuqueue.config.settings import RenderSettings, Settings, embedded_settings
from gpuqueue.device.film import empty_film
from gpuqueue.errors import Interrupted, LeaseLost, TransientError
from gpuqueue.log import Event
from gpuqueue.records import checkpoint_key, remove_checkpoint
from gpuqueue.render import RenderRequest, progressive
from gpuqueue.render.checkpoint import Checkpoint, Checkpoints, checkpoints_of
from gpuqueue.render.progressive import Budget, Position, Stand, launches
from gpuqueue.render.renderer import Renderer
from gpuqueue.storage.local import LocalStorage

from .small_scenes import write_scene
from .test_progressive import plan

JOB_ID = "job-1"


@pytest.fixture
def bucket(tmp_path: Path) -> LocalStorage:
    return LocalStorage("state", tmp_path / "state")


@pytest.fixture
def checkpoints(bucket: LocalStorage) -> Checkpoints:
    return Checkpoints(bucket, JOB_ID, interval_s=3600)


@pytest.fixture(autouse=True)
def small_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many launches in a short render, some of them parts of a pass."""
    monkeypatch.setattr(progressive, "Budget", lambda: Budget(700))
    monkeypatch.setattr(Budget, "learn", lambda *_: None)


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    (tmp_path / "scenes").mkdir()
    write_scene(tmp_path / "scenes" / "a.mi")
    return Renderer(RenderSettings(device="cpu", threads=1), tmp_path / "scenes")


def request(**fields: Any) -> RenderRequest:
    asked = {"scene_file": "a.mi", "width": 40, "height": 30, "samples": 8, "format": "exr"}
    return RenderRequest.model_validate({**asked, **fields})


def stop_after(reports: int, error: type[Exception] = Interrupted) -> Callable[[float, str], None]:
    left = iter(range(reports))

    def report(fraction: float, message: str) -> None:
        if next(left, None) is None:
            raise error("stop")

    return report


def quiet(fraction: float, message: str) -> None:
    pass


def render_to_the_end(
    renderer: Renderer, checkpoints: Checkpoints, stops: random.Random
) -> tuple[Binary, int]:
    interruptions = 0
    while True:
        try:
            report = stop_after(stops.randrange(1, 12))
            return renderer.render(request(), report, checkpoints), interruptions
        except Interrupted:
            interruptions += 1


@pytest.mark.parametrize("seed", range(20))
def test_a_render_stopped_at_random_gives_the_bits_of_one_that_was_not(
    renderer: Renderer, checkpoints: Checkpoints, bucket: LocalStorage, seed: int
) -> None:
    whole = renderer.render(request(), quiet)
    pieced, interruptions = render_to_the_end(renderer, checkpoints, random.Random(seed))
    assert interruptions > 0
    assert pieced.data == whole.data
    assert bucket.keys("gpuqueue/", 10) == [], "a checkpoint outlived its render"


def test_it_goes_on_where_it_stood(
    renderer: Renderer, checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Interrupted):
        renderer.render(request(), stop_after(9), checkpoints)
    first: list[float] = []
    with caplog.at_level(logging.INFO, "gpuqueue"):
        renderer.render(request(), lambda f, _: first.append(f), checkpoints)
    assert first[1] > 0.2
    assert any(r.event == Event.CHECKPOINT_USED for r in caplog.records)


def test_a_render_is_saved_now_and_then(
    renderer: Renderer, bucket: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager = Checkpoints(bucket, JOB_ID, interval_s=1e-9)

    class Killed(BaseException):
        """As by SIGKILL: nothing is done about it."""

    def kill(fraction: float, message: str) -> None:
        if fraction > 0.5 and bucket.exists(checkpoint_key(JOB_ID)):
            raise Killed

    # More samples than it takes until the first save has come through.
    with pytest.raises(Killed):
        renderer.render(request(samples=4000), kill, eager)
    seen: list[float] = []
    renderer.render(request(samples=4000), lambda f, _: seen.append(f), eager)
    assert seen[1] > 0.001
    assert not bucket.exists(checkpoint_key(JOB_ID))


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"width": 41}, {"max_depth": 2}, {"scene_file": "b.mi"}],
    ids=lambda fields: next(iter(fields)),
)
def test_a_checkpoint_of_another_picture_is_not_used(
    renderer: Renderer,
    checkpoints: Checkpoints,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    other: dict[str, Any],
) -> None:
    write_scene(tmp_path / "scenes" / "b.mi", diffuse="0.1 0.2 0.3")
    with pytest.raises(Interrupted):
        renderer.render(request(), stop_after(9), checkpoints)
    with caplog.at_level(logging.INFO, "gpuqueue"):
        resumed = renderer.render(request(**other), quiet, checkpoints)
    assert resumed.data == renderer.render(request(**other), quiet).data
    assert any(r.event == Event.CHECKPOINT_REFUSED for r in caplog.records)


def test_a_checkpoint_of_other_kernels_is_not_used(
    renderer: Renderer, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        renderer.render(request(), stop_after(9), checkpoints)
    monkeypatch.setattr("gpuqueue.render.renderer.sources_hash", lambda: "of a later version")
    seen: list[float] = []
    renderer.render(request(), lambda f, _: seen.append(f), checkpoints)
    assert seen[1] < 0.1


def test_a_checkpoint_beyond_the_samples_asked_for_is_not_used(
    renderer: Renderer, checkpoints: Checkpoints
) -> None:
    with pytest.raises(Interrupted):
        renderer.render(request(), stop_after(12), checkpoints)
    fewer = renderer.render(request(samples=2), quiet, checkpoints)
    assert fewer.data == renderer.render(request(samples=2), quiet).data


def test_a_job_that_was_lost_leaves_the_checkpoint_to_its_new_owner(
    renderer: Renderer, checkpoints: Checkpoints, bucket: LocalStorage
) -> None:
    with pytest.raises(LeaseLost):
        renderer.render(request(), stop_after(9, LeaseLost), checkpoints)
    assert not bucket.exists(checkpoint_key(JOB_ID))


def test_a_bucket_that_cannot_be_reached_costs_warnings_and_no_picture(
    renderer: Renderer,
    checkpoints: Checkpoints,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise TransientError("no route")

    for verb in ("fetch", "put", "delete"):
        monkeypatch.setattr(LocalStorage, verb, fail)
    with caplog.at_level(logging.WARNING, "gpuqueue"):
        with pytest.raises(Interrupted):
            renderer.render(request(), stop_after(9), checkpoints)
        renderer.render(request(), quiet, checkpoints)
    told = [r.message for r in caplog.records if r.event == Event.CHECKPOINT_FAILED]
    assert [line.split()[4] for line in told] == ["read:", "written:", "read:"]


FILM = empty_film(3, 2)
FILM["red"]["fraction"] = np.arange(6).reshape(2, 3) << 40
FILM["blue"]["whole"] = 2**64 - 1
FILM["count"] = 7
STAND = Stand(Position(sample=4, pixel=2, count=3), seconds=1.5)


def test_a_checkpoint_comes_back_as_it_was_saved() -> None:
    found = Checkpoint.from_bytes(Checkpoint(FILM, STAND).to_bytes("print"), "print")
    assert found is not None
    assert found.stand == STAND
    np.testing.assert_array_equal(found.film, FILM)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_checkpoint_is_refused(place: int, value: int) -> None:
    whole = Checkpoint(FILM, STAND).to_bytes("print")
    at = place % len(whole)
    damaged = whole[:at] + bytes([value]) + whole[at + 1 :]
    found = Checkpoint.from_bytes(damaged, "print")
    if found is not None:
        np.testing.assert_array_equal(found.film, FILM)
    assert Checkpoint.from_bytes(whole[:at], "print") is None


@pytest.mark.parametrize("data", [b"", b"gpuqueue film 2\n", b"\xff" * 100])
def test_what_is_no_checkpoint_is_refused(data: bytes) -> None:
    assert Checkpoint.from_bytes(data, "print") is None


@given(st.integers(1, 2000), st.integers(1, 20), st.integers(1, 5000), st.integers(0, 30))
def test_every_sample_is_taken_once_wherever_it_is_stopped(
    pixels: int, samples: int, budget: int, stop: int
) -> None:
    taken = np.zeros(pixels, int)
    at = Position()
    asked = plan(pixels, 1, samples)
    for size, limit in ((budget, stop), (max(1, 5000 - budget), 10**9)):
        for number, work in enumerate(launches(asked, Budget(size), at)):
            if number == limit:
                break
            part = taken[work.first_pixel : work.first_pixel + work.pixel_count]
            assert (part == work.first_sample).all()
            part += work.sample_count
            at = Position.after(work, asked)
            assert at.done(pixels) == taken.sum()
    assert (taken == samples).all()


def test_without_a_job_or_a_bucket_nothing_is_kept(tmp_path: Path) -> None:
    settings = embedded_settings(tmp_path)
    assert checkpoints_of(settings, JOB_ID) is not None
    assert checkpoints_of(settings, None) is None
    assert checkpoints_of(Settings(), JOB_ID) is None


def test_what_a_job_left_is_removed_with_it(tmp_path: Path) -> None:
    settings = embedded_settings(tmp_path)
    found = checkpoints_of(settings, JOB_ID)
    assert found is not None
    found.save(Checkpoint(FILM, STAND), "print")
    remove_checkpoint(settings, JOB_ID)
    assert found.load("print") is None
