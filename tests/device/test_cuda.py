"""What goes wrong on a GPU, and what that means for a job."""

import gc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gpuqueue.device import Device, Work
from gpuqueue.device.film import pixel_bytes
from gpuqueue.errors import DeviceLost, JobFailed
from gpuqueue.scene import SceneBuffers

from . import fake_cupy, fake_pycuda
from .fake_gpu import FakeGpu

WORK = Work(0, 8, 0, 1, 0, 4)
FAULTS = {"cupy": fake_cupy.fault, "pycuda": fake_pycuda.fault}
Open = Callable[[str], Device]

pytestmark = pytest.mark.parametrize("name", sorted(FAULTS))


def test_memory_goes_back_with_the_handles(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device(name)
    handle, film = device.upload(scene), device.new_film(scene.camera, 4, 2)
    device.render(handle, film, WORK)
    used = gpu.used
    assert used > 4 * 2 * pixel_bytes()
    del film
    gc.collect()
    assert gpu.used == used - 4 * 2 * pixel_bytes()
    del handle
    gc.collect()
    assert gpu.used == 0


def test_a_scene_that_does_not_fit_is_refused_before_anything_is_uploaded(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device(name)
    gpu.total = 1000
    with pytest.raises(
        JobFailed, match=r"the scene needs .* MiB, but Fake A10G \(.*\) has 0.0 MiB"
    ):
        device.upload(scene)
    assert gpu.used == 0


def test_a_scene_takes_what_was_reckoned(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers, monkeypatch
) -> None:
    needed = []
    device = open_device(name)
    monkeypatch.setattr(
        "gpuqueue.device.kernel_device.require_memory", lambda _, n, __: needed.append(n)
    )
    handle = device.upload(scene)
    assert handle
    taken = sum(buffer.nbytes for buffer in handle.buffers)
    assert taken <= needed[0] < taken + 64


def test_running_out_of_memory_fails_the_try_and_keeps_the_device(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers, monkeypatch
) -> None:
    device = open_device(name)
    monkeypatch.setattr("gpuqueue.device.kernel_device.require_memory", lambda *_: None)
    gpu.total = 1000
    with pytest.raises(JobFailed, match="out of memory"):
        device.upload(scene)
    gpu.total = 1 << 28
    device.render(device.upload(scene), device.new_film(scene.camera, 4, 2), WORK)


def test_any_other_error_loses_the_device(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device(name)
    handle, film = device.upload(scene), device.new_film(scene.camera, 4, 2)
    gpu.fault = FAULTS[name]()
    with pytest.raises(DeviceLost, match=r"Fake A10G \(.*\) failed: .*illegal memory access"):
        device.render(handle, film, WORK)
    with pytest.raises(DeviceLost):
        device.read(film)
    with pytest.raises(DeviceLost):
        device.memory()


def test_a_launch_has_as_many_blocks_as_its_items_need(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device(name)
    handle, film = device.upload(scene), device.new_film(scene.camera, 16, 16)
    for count in (1, 127, 128, 129, 256):
        device.render(handle, film, Work(0, count, 0, 1, 0, 2))
    assert [launch["item_count"] for launch in gpu.launches] == [1, 127, 128, 129, 256]


def test_a_scene_without_lights_is_rendered(
    name: str, open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    dark = replace(
        scene,
        lights=scene.lights[:0],
        light_cdf=scene.light_cdf[:0],
        emission_density=0.0,
        environment=np.ones(3, np.float32),
    )
    device = open_device(name)
    film = device.new_film(scene.camera, 4, 2)
    device.render(device.upload(dark), film, WORK)
    assert np.isfinite(device.read(film)).all()
