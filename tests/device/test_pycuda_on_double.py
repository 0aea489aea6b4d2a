"""Our pycuda device with the real PyCUDA, on a driver that runs the PTX that NVRTC makes."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.device import DEVICES, Device, Work, cuda_pycuda
from gpuqueue.device.film import pixel_bytes
from gpuqueue.device.kernel_image import OPTIONS, kernel_folder
from gpuqueue.device.schedules import SCHEDULES
from gpuqueue.errors import DeviceLost, OutOfMemory
from gpuqueue.scene import SceneBuffers
from tests.libcuda.control import Double, Schedule
from tests.ptx.compilers import nvrtc_ptx

from . import test_devices, test_order
from .conftest import SETTINGS, small_schedules

pytestmark = pytest.mark.libcuda_double

WORK = Work(0, 8, 0, 1, 0, 4)
Open = Callable[..., Device]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernels as NVRTC compiles them, but for contraction: with the bits of the CPU."""
    options = [option for option in OPTIONS if option not in ("-fmad=true", "-std=c++17")]
    ptx = nvrtc_ptx(kernel_folder() / "pathtrace.cu", 75, [*options, "-fmad=false"])
    file = tmp_path_factory.mktemp("image") / "pathtrace.ptx"
    file.write_text(ptx)
    return file


@pytest.fixture
def open_pycuda(libcuda: Double, image: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the device; what it still holds at the end is a mistake."""
    opened: list[Device] = []
    monkeypatch.setattr(cuda_pycuda, "kernel_image", lambda _: image)

    def open_it(schedule: str = "loop") -> Device:
        settings = SETTINGS.model_copy(update={"gpu_schedule": schedule})
        opened.append(DEVICES.load("pycuda")(settings))
        return opened[-1]

    yield open_it
    gc.collect()
    for device in opened:
        device.close()


def cases_of(test: Any) -> Iterator[dict[str, Any]]:
    """The values of a test's parameters, for one device."""
    marks = [m for m in test.pytestmark if m.name == "parametrize" and m.args[0] != "name"]
    if not marks:
        yield {}
    for mark in marks:
        for value in mark.args[1]:
            yield {mark.args[0]: value}


CONTRACT = [
    pytest.param(test, case, id=f"{name.removeprefix('test_')}-{number}")
    for name, test in {**vars(test_devices), **vars(test_order)}.items()
    if name.startswith("test_") and "name" in inspect.signature(test).parameters
    for number, case in enumerate(cases_of(test))
]


films, small_pieces = test_order.films, test_order.small_pieces


@pytest.fixture(scope="module")
def reference(scene: SceneBuffers) -> np.ndarray:
    return test_devices.film_of(DEVICES.load("cpu")(SETTINGS), scene, [test_devices.work()])


@pytest.mark.parametrize(("test", "case"), CONTRACT)
def test_the_device_keeps_the_contract(
    test: Any, case: dict[str, Any], request: pytest.FixtureRequest, open_pycuda: Open
) -> None:
    keep_contract(test, case, request, open_pycuda)


def keep_contract(
    test: Any, case: dict[str, Any], request: pytest.FixtureRequest, open_it: Open
) -> None:
    known = {"name": "pycuda", "open_device": lambda _: open_it(), **case}
    names = inspect.signature(test).parameters
    test(**{n: known[n] if n in known else request.getfixturevalue(n) for n in names})


RENDERING = [row for row in CONTRACT if "scene" in inspect.signature(row.values[0]).parameters]


@pytest.mark.parametrize("schedule", sorted(set(SCHEDULES) - {"loop"}))
@pytest.mark.parametrize(("test", "case"), RENDERING)
def test_the_device_keeps_it_with_other_schedules(
    test: Any,
    case: dict[str, Any],
    schedule: str,
    request: pytest.FixtureRequest,
    open_pycuda: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_schedules(monkeypatch)
    open_it = partial(open_pycuda, schedule)
    keep_contract(test, case, request, open_it)


@pytest.mark.parametrize("schedule", list(Schedule), ids=lambda schedule: schedule.name)
def test_a_film_does_not_depend_on_when_the_gpu_works(
    open_pycuda: Open,
    libcuda: Double,
    scene: SceneBuffers,
    reference: np.ndarray,
    schedule: Schedule,
) -> None:
    libcuda.set_schedule(schedule)
    film = test_devices.film_of(open_pycuda(), scene, [test_devices.work()])
    np.testing.assert_array_equal(film, reference)


@pytest.mark.parametrize("mistake", test_order.MISTAKES, ids=" ".join)
def test_what_is_left_out_shows(
    open_pycuda: Open, libcuda: Double, scene: SceneBuffers, films: np.ndarray, mistake: Any
) -> None:
    assert test_order.is_caught("pycuda", open_pycuda(), scene, films, mistake)
    gc.collect()
    libcuda.take_mistakes()


@pytest.mark.parametrize("seed", range(4))
def test_a_snapshot_does_not_depend_on_when_the_gpu_works(
    open_pycuda: Open, libcuda: Double, scene: SceneBuffers, films: np.ndarray, seed: int
) -> None:
    libcuda.set_schedule(Schedule.ANY, seed + 1)
    np.testing.assert_array_equal(test_order.two_films(open_pycuda(), scene), films)


def test_memory_goes_back_with_the_handles(
    open_pycuda: Open, libcuda: Double, scene: SceneBuffers
) -> None:
    device = open_pycuda()
    before = libcuda.memory_used
    handle, film = device.upload(scene), device.new_film(scene.camera, 4, 2)
    device.render(handle, film, WORK)
    used = libcuda.memory_used
    del film
    gc.collect()
    assert libcuda.memory_used == used - 4 * 2 * pixel_bytes()
    del handle
    gc.collect()
    assert libcuda.memory_used == before


def test_a_scene_that_does_not_fit_is_refused_before_anything_is_uploaded(
    open_pycuda: Open, libcuda: Double, scene: SceneBuffers
) -> None:
    device = open_pycuda()
    before = libcuda.memory_used
    libcuda.set_memory(before + 1000)
    with pytest.raises(OutOfMemory, match=r"the scene.* needs .* MiB, but .* has 0.0 MiB to give"):
        device.upload(scene)
    assert libcuda.memory_used == before


def test_running_out_of_memory_fails_the_try_and_keeps_the_device(
    open_pycuda: Open, libcuda: Double, scene: SceneBuffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = open_pycuda()
    monkeypatch.setattr("gpuqueue.device.kernel_device.require", lambda *_: None)
    libcuda.set_memory(libcuda.memory_used + 1000)
    with pytest.raises(OutOfMemory, match="out of memory"):
        device.upload(scene)
    libcuda.set_memory(1 << 30)
    libcuda.take_mistakes()
    gc.collect()
    device.render(device.upload(scene), device.new_film(scene.camera, 4, 2), WORK)


def test_a_sticky_error_loses_the_device(
    open_pycuda: Open, libcuda: Double, scene: SceneBuffers
) -> None:
    device = open_pycuda()
    handle, film = device.upload(scene), device.new_film(scene.camera, 4, 2)
    libcuda.break_device()
    with pytest.raises(DeviceLost, match="illegal memory access"):
        device.render(handle, film, WORK)
    with pytest.raises(DeviceLost):
        device.read(film)
    with pytest.raises(DeviceLost):
        device.memory()
    del handle, film
    gc.collect()
    libcuda.take_mistakes()
