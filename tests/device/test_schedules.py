"""Every schedule makes the film of the CPU; which one is taken, and what is remembered of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import DEVICES, Device, Work, calibration, native, schedules
from gpuqueue.device.cuda_cupy import CupyGpu
from gpuqueue.device.cuda_driver import CudaDriver
from gpuqueue.device.schedules import SCHEDULES, batches_of, samples_of
from gpuqueue.errors import OutOfMemory
from gpuqueue.log import Event
from gpuqueue.scene import SceneBuffers

from .conftest import SETTINGS, small_schedules
from .fake_gpu import FakeGpu
from .test_devices import HEIGHT, PIXELS, WIDTH, film_of, work

OTHERS = sorted(set(SCHEDULES) - {"loop"})
WORKS = [work(3), Work(300, 500, 3, 5, 7, 6), Work(800, PIXELS - 800, 3, 1, 7, 6)]


@pytest.fixture(scope="module")
def expected(scene: SceneBuffers) -> np.ndarray:
    return film_of(DEVICES.load("cpu")(SETTINGS), scene, WORKS)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES), indirect=True)
def test_every_schedule_makes_the_film_of_the_cpu(
    gpu: FakeGpu, schedule: RenderSettings, scene: SceneBuffers, expected: np.ndarray
) -> None:
    device = DEVICES.load("cupy")(schedule)
    np.testing.assert_array_equal(film_of(device, scene, WORKS), expected)
    kernels = {kernel for kernel, _ in gpu.launches}
    assert {
        "loop": "render",
        "persistent": "render_persistent",
        "wavefront": "extend_paths",
    }[schedule.gpu_schedule] in kernels
    device.close()
    assert not gpu.mistakes


def test_waves_go_on_with_the_turns_of_queues_and_counters_whatever_their_number(
    gpu: FakeGpu, scene: SceneBuffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_schedules(monkeypatch)
    device = DEVICES.load("cupy")(SETTINGS.model_copy(update={"gpu_schedule": "wavefront"}))
    film_of(device, scene, WORKS)
    waves = [
        int(job["wavefront"]["wave"]) for kernel, job in gpu.launches if kernel == "extend_paths"
    ]
    assert len(waves) > 20
    for before, after in pairwise(waves):
        assert (after - before - 1) % 6 == 0
    device.close()


def test_a_job_is_cut_into_batches_that_have_every_sample_once_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedules, "BATCH_SAMPLES", 1000)
    for pixels, samples in [(1, 1), (5000, 1), (700, 3), (3, 999), (2, 2500), (1, 1000)]:
        job = np.zeros(1, native.layouts()["RenderJob"])
        job["first_item"], job["item_count"] = 40, pixels
        job["first_sample"], job["sample_count"] = 7, samples
        taken = np.zeros(pixels, int)
        for batch in batches_of(job):
            assert samples_of(batch) <= 1000
            first, count = int(batch["first_item"][0]) - 40, int(batch["item_count"][0])
            assert (taken[first : first + count] == int(batch["first_sample"][0]) - 7).all()
            taken[first : first + count] += int(batch["sample_count"][0])
        assert (taken == samples).all()


@pytest.fixture
def calibrating(
    gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Callable[[], list[tuple[str, str]]]:
    """Opens the device with a small calibration; tells the events and their messages."""
    small_schedules(monkeypatch)
    monkeypatch.setattr(calibration, "SIDE", 16)
    monkeypatch.setattr(calibration, "MAX_SAMPLES", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(logging.getLogger("gpuqueue"), "propagate", True)
    caplog.set_level(logging.INFO)

    def open_it() -> list[tuple[str, str]]:
        caplog.clear()
        gpu.launches.clear()
        DEVICES.load("cupy")(RenderSettings(threads=1)).close()
        told = [(r.event, r.message) for r in caplog.records]
        return [row for row in told if row[0] in (Event.SCHEDULE_CHOSEN, Event.SCHEDULE_REFUSED)]

    return open_it


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the GPU's clock tells of a picture, by the kernel that it was made with."""
    clock = {"render": 0.3, "render_persistent": 0.2, "extend_paths": 0.1}
    ran: list[str] = []
    launch = CupyGpu.launch

    def note(self: CupyGpu, kernel: str, *rest: Any) -> None:
        ran.append(kernel)
        launch(self, kernel, *rest)

    monkeypatch.setattr(CupyGpu, "launch", note)
    monkeypatch.setattr(
        CupyGpu, "seconds", lambda *_: next(clock[k] for k in reversed(ran) if k in clock)
    )
    return clock


def test_the_fastest_is_taken_and_remembered(
    calibrating: Callable[[], list[tuple[str, str]]], seconds: dict[str, float], gpu: FakeGpu
) -> None:
    (chosen,) = calibrating()
    assert chosen[1].startswith("Samples are shared out by schedule wavefront (measured: ")
    for part in ("loop 300.0 ms", "persistent 200.0 ms", "wavefront 100.0 ms"):
        assert part in chosen[1]
    assert gpu.launches
    (chosen,) = calibrating()
    assert "schedule wavefront (as measured before)" in chosen[1]
    assert not gpu.launches


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schedule": 3}', b'{"schedule": "best"}'])
def test_what_is_remembered_wrongly_is_measured_again(
    calibrating: Callable[[], list[tuple[str, str]]],
    seconds: dict[str, float],
    tmp_path: Path,
    content: bytes,
) -> None:
    calibrating()
    (file,) = (tmp_path / "cache" / "gpuqueue" / "schedules").iterdir()
    file.write_bytes(content)
    seconds["render"] = 0.05
    (chosen,) = calibrating()
    assert "schedule loop (measured: " in chosen[1]
    assert json.loads(file.read_bytes())["schedule"] == "loop"


def test_another_driver_is_measured_anew(
    calibrating: Callable[[], list[tuple[str, str]]],
    seconds: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calibrating()
    init = CupyGpu.__init__

    def renewed(self: CupyGpu) -> None:
        init(self)
        self.driver_version = "13010"

    monkeypatch.setattr(CupyGpu, "__init__", renewed)
    (chosen,) = calibrating()
    assert "(measured: " in chosen[1]


@pytest.mark.parametrize("other", OTHERS)
def test_a_schedule_with_another_film_is_refused_however_fast_it_is(
    calibrating: Callable[[], list[tuple[str, str]]],
    seconds: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
    other: str,
) -> None:
    right = SCHEDULES[other].run  # type: ignore[attr-defined]

    def deeper(self: Any, driver: CudaDriver, job: np.ndarray, after: Any) -> None:
        job["seed"] += 1
        right(self, driver, job, after)

    monkeypatch.setattr(SCHEDULES[other], "run", deeper)
    seconds.update(render_persistent=0.1, extend_paths=0.1)
    refused, chosen = calibrating()
    assert refused[0] == Event.SCHEDULE_REFUSED
    assert f"Schedule {other} is not used on Fake A10G" in refused[1]
    assert "its film is not that of the loop, bit for bit" in refused[1]
    (rest,) = set(OTHERS) - {other}
    assert f"schedule {rest} (measured: " in chosen[1]


def test_where_nothing_has_room_the_loop_is_taken(
    calibrating: Callable[[], list[tuple[str, str]]], gpu: FakeGpu
) -> None:
    gpu.total = 1000
    (chosen,) = calibrating()
    assert "schedule loop (nothing was measured: the scene" in chosen[1]


def test_a_schedule_that_is_configured_but_has_no_room_gives_way_to_the_loop(
    gpu: FakeGpu, scene: SceneBuffers, caplog: pytest.LogCaptureFixture
) -> None:
    gpu.total = 1 << 20
    device: Device = DEVICES.load("cupy")(SETTINGS.model_copy(update={"gpu_schedule": "wavefront"}))
    film = device.new_film(scene.camera, WIDTH, HEIGHT)
    gpu.total = 1 << 28
    device.render(device.upload(scene), film, work(1))
    assert {kernel for kernel, _ in gpu.launches} == {"render"}
    device.close()


def test_a_wavefront_that_was_ended_half_way_begins_anew(
    gpu: FakeGpu, scene: SceneBuffers, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_schedules(monkeypatch)
    device = DEVICES.load("cupy")(SETTINGS.model_copy(update={"gpu_schedule": "wavefront"}))
    handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    with monkeypatch.context() as patch:
        patch.setattr(CudaDriver, "snapshot", lambda *_: _raise())
        with pytest.raises(OutOfMemory):
            device.render(handle, film, WORKS[0])
    np.testing.assert_array_equal(film_of(device, scene, WORKS), expected)
    device.close()


def _raise() -> None:
    raise OutOfMemory("no room to read it")
