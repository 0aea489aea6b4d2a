"""What goes wrong on a GPU, and what that means for a job; test_pycuda_on_double does as much."""

import gc
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gpuqueue.device import Device, Work
from gpuqueue.device.film import pixel_bytes
from gpuqueue.device.kernel_device import KernelDevice, UploadedScene
from gpuqueue.device.memory import Memory, Need, film_needs, require, sum_of
from gpuqueue.errors import DeviceLost, OutOfMemory
from gpuqueue.scene import SceneBuffers

from . import fake_cupy
from .fake_gpu import FakeGpu

WORK = Work(0, 8, 0, 1, 0, 4)
Open = Callable[[str], Device]


def test_memory_goes_back_with_the_handles(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device("cupy")
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


#: What the stacks of 2 x 1536 threads take, and a share for the driver.
RESERVE = 2 * 1536 * 100 + (1 << 28) // 50
REFUSED = (
    r"the scene.* needs .* MiB, but Fake A10G \(.*\) has .* MiB to give: .* MiB free of .* MiB"
)


@pytest.fixture
def reckoned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Need, ...]]:
    """All tables that are made, which are taken to fit."""
    tables: list[tuple[Need, ...]] = []
    monkeypatch.setattr(
        "gpuqueue.device.kernel_device.require", lambda needs, *_: tables.append(needs)
    )
    return tables


def test_a_scene_that_does_not_fit_is_refused_before_anything_is_built(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = open_device("cupy")
    gpu.total = 1000
    monkeypatch.setattr(KernelDevice, "_values", lambda *_: pytest.fail("it was built"))
    with pytest.raises(OutOfMemory, match=f"{REFUSED}.*Use a device with .* or more"):
        device.upload(scene)
    assert gpu.used == 0


def test_a_scene_of_which_only_the_accelerator_is_too_much_is_refused_before_anything_is_uploaded(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers, reckoned: list[tuple[Need, ...]]
) -> None:
    device = open_device("cupy")
    device.upload(scene)
    given, whole = map(sum_of, reckoned)
    assert given < whole
    reserve = device.memory().reserve
    room = Memory(1 << 28, reserve + whole - 1, reserve)
    with pytest.raises(OutOfMemory, match=r"the scene needs .*Needed: .*accelerator .* MiB, "):
        require(reckoned[1], room, "the scene", device.description)
    require(reckoned[1], replace(room, free=reserve + whole), "the scene", device.description)


def test_a_scene_is_refused_where_the_film_does_not_fit_beside_it(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device("cupy")
    width = height = 1024  # 56 MiB, and as much to read it
    gpu.total = RESERVE + (100 << 20)
    with pytest.raises(OutOfMemory, match=r"Needed: film of 1024 x 1024 pixels 56\.0 MiB, film be"):
        device.upload(scene, film_size=(width, height))
    assert gpu.used == 0
    gpu.total = RESERVE + (120 << 20)
    assert device.upload(scene, film_size=(width, height))


def test_a_scene_takes_what_was_reckoned(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers, reckoned: list[tuple[Need, ...]]
) -> None:
    handle = open_device("cupy").upload(scene)
    assert isinstance(handle, UploadedScene)
    taken = sum(buffer.nbytes for buffer in handle.buffers)
    assert taken <= sum_of(reckoned[-1]) < taken + 64
    assert taken <= gpu.used < taken + 64  # an empty array takes a byte


def test_memory_that_others_use_is_to_be_freed(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device("cupy")
    gpu.allocate(gpu.total - 1000)
    with pytest.raises(OutOfMemory, match=r"End what else uses the device's memory"):
        device.upload(scene)


def test_what_commands_left_in_cupys_pools_is_free(open_device: Open, gpu: FakeGpu) -> None:
    device = open_device("cupy")
    cupy = sys.modules["cupy"]
    cupy.get_default_memory_pool().blocks.append(cupy.cuda.Memory(1 << 20))
    assert device.memory().free == gpu.total


def test_a_part_stays_for_the_driver_and_the_kernels_stacks(
    open_device: Open, gpu: FakeGpu
) -> None:
    memory = open_device("cupy").memory()
    assert memory.reserve == RESERVE
    assert memory.usable == memory.free - RESERVE
    assert sum_of(film_needs(3, 2)) == 2 * 3 * 2 * pixel_bytes()


def test_running_out_of_memory_fails_the_try_and_keeps_the_device(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers, monkeypatch
) -> None:
    device = open_device("cupy")
    monkeypatch.setattr("gpuqueue.device.kernel_device.require", lambda *_: None)
    gpu.total = 1000
    with pytest.raises(OutOfMemory, match="out of memory"):
        device.upload(scene)
    gpu.total = 1 << 28
    device.render(device.upload(scene), device.new_film(scene.camera, 4, 2), WORK)


def test_any_other_error_loses_the_device(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device("cupy")
    handle, film = device.upload(scene), device.new_film(scene.camera, 4, 2)
    gpu.fault = fake_cupy.fault()
    with pytest.raises(DeviceLost, match=r"Fake A10G \(.*\) failed: .*illegal memory access"):
        device.render(handle, film, WORK)
    with pytest.raises(DeviceLost):
        device.read(film)
    with pytest.raises(DeviceLost):
        device.memory()


def test_a_launch_has_as_many_blocks_as_its_items_need(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    device = open_device("cupy")
    handle, film = device.upload(scene), device.new_film(scene.camera, 16, 16)
    for count in (1, 127, 128, 129, 256):
        device.render(handle, film, Work(0, count, 0, 1, 0, 2))
    assert [job["item_count"] for _, job in gpu.launches] == [1, 127, 128, 129, 256]


def test_a_scene_without_lights_is_rendered(
    open_device: Open, gpu: FakeGpu, scene: SceneBuffers
) -> None:
    dark = replace(
        scene,
        lights=scene.lights[:0],
        light_cdf=scene.light_cdf[:0],
        emission_density=0.0,
        environment=np.ones(3, np.float32),
    )
    device = open_device("cupy")
    film = device.new_film(scene.camera, 4, 2)
    device.render(device.upload(dark), film, WORK)
    assert np.isfinite(device.read(film)).all()
