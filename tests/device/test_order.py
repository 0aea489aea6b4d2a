"""What runs beside each other on a GPU is ordered: uploads, launches, reading back.

The pycuda device is held to the same on a double (test_pycuda_on_double). Both GPUs are late, so a
missing wait shows each time; `test_what_is_left_out_shows` leaves each of them out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest

from gpuqueue.device import DEVICES, Device, cuda_driver
from gpuqueue.device.cuda_cupy import CupyGpu
from gpuqueue.device.cuda_pycuda import PycudaGpu
from gpuqueue.device.film import pixel_bytes, sums
from gpuqueue.errors import DeviceLost
from gpuqueue.scene import SceneBuffers

from .conftest import SETTINGS
from .fake_gpu import FakeGpu
from .test_devices import HEIGHT, WIDTH, film_of, work

Open = Callable[[str], Device]
GPUS = {"cupy": CupyGpu, "pycuda": PycudaGpu}
HERE = ["cupy"]
BOTH = [work(3), work(2, first=3)]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads of many pieces."""
    monkeypatch.setattr(cuda_driver, "PIECE_BYTES", 64)


@pytest.fixture(scope="module")
def films(scene: SceneBuffers) -> np.ndarray:
    """The film of the CPU after the first work and after both."""
    device = DEVICES.load("cpu")(SETTINGS)
    return np.array([film_of(device, scene, works) for works in (BOTH[:1], BOTH)])


def two_films(
    device: Device,
    scene: SceneBuffers,
    around: Callable[[str], Any] = lambda _: nullcontext(),
    is_fetched_early: bool = False,
) -> np.ndarray:
    """A snapshot between two works, fetched after both or between them, and the film at the end."""
    with around("upload"):
        handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    with around("render"):
        device.render(handle, film, BOTH[0])
    with around("snapshot"):
        snapshot = device.snapshot(film)
    if is_fetched_early:
        snapshot.film()
    device.render(handle, film, BOTH[1])
    with around("fetch"):
        return np.array([sums(snapshot.film()), device.read(film)])


@pytest.mark.parametrize("name", HERE)
def test_a_snapshot_is_of_its_moment_whenever_it_is_fetched(
    name: str, open_device: Open, scene: SceneBuffers, films: np.ndarray
) -> None:
    np.testing.assert_array_equal(two_films(open_device(name), scene), films)


@pytest.mark.parametrize("name", HERE)
def test_another_thread_fetches_a_snapshot(
    name: str, open_device: Open, scene: SceneBuffers, films: np.ndarray
) -> None:
    device = open_device(name)
    handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    device.render(handle, film, BOTH[0])
    snapshot, fetched = device.snapshot(film), []
    thread = threading.Thread(target=lambda: fetched.append(sums(snapshot.film())))
    thread.start()
    device.render(handle, film, BOTH[1])
    thread.join()
    np.testing.assert_array_equal(fetched[0], films[0])
    np.testing.assert_array_equal(device.read(film), films[1])


@pytest.mark.parametrize("name", HERE)
def test_snapshots_that_nobody_fetches_give_their_memory_back(
    name: str, open_device: Open, camera: np.void
) -> None:
    device = open_device(name)
    film = device.new_film(camera, WIDTH, HEIGHT)
    before = device.memory().free
    kept = device.snapshot(film)
    for _ in range(5):
        device.snapshot(film)
    assert device.memory().free == before - WIDTH * HEIGHT * pixel_bytes()
    kept.film()
    assert device.memory().free == before


#: When a verb is left out, and which.
MISTAKES = [
    ("upload", "wait"),
    ("render", "order"),
    ("render", "wait"),
    ("snapshot", "order"),
    ("snapshot", "copy"),
    ("snapshot", "record"),
    ("fetch", "wait"),
]


def is_caught(
    name: str, device: Device, scene: SceneBuffers, films: np.ndarray, mistake: tuple[str, str]
) -> bool:
    """Whether a film is wrong, or an error is raised, where a verb is left out for a while."""
    when, verb = mistake

    @contextmanager
    def around(step: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            if step == when:
                patch.setattr(GPUS[name], verb, lambda *_: None)
            yield

    try:
        return any(
            (two_films(device, scene, around, is_early) != films).any()
            for is_early in (False, True)
        )
    except DeviceLost:
        return True


@pytest.mark.parametrize("mistake", MISTAKES, ids=" ".join)
def test_what_is_left_out_shows(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers, films: np.ndarray, mistake: Any
) -> None:
    assert is_caught("cupy", open_device("cupy"), scene, films, mistake)
    gpu.fault = RuntimeError("nothing of it is to be looked at any more")


def test_uploads_are_on_their_way_while_another_scene_is_rendered(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers, films: np.ndarray
) -> None:
    device = open_device("cupy")
    handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    device.render(handle, film, BOTH[0])
    assert gpu.bytes_on_their_way == 0
    following = device.upload(scene)
    assert gpu.bytes_on_their_way > 0
    device.render(handle, film, BOTH[1])
    assert gpu.bytes_on_their_way > 0
    np.testing.assert_array_equal(device.read(film), films[1])
    other = device.new_film(scene.camera, WIDTH, HEIGHT)
    device.render(following, other, BOTH[0])
    np.testing.assert_array_equal(device.read(other), films[0])


def test_a_launch_does_not_wait_for_a_film_that_is_read(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device("cupy")
    handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    device.render(handle, film, BOTH[0])
    snapshot = device.snapshot(film)
    device.render(handle, film, BOTH[1])
    assert gpu.bytes_on_their_way == WIDTH * HEIGHT * pixel_bytes()
    snapshot.film()
    assert gpu.bytes_on_their_way == 0
