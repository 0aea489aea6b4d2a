"""The `render` kernel as nvcc and NVRTC make it, executed on the CPU, against the CPU build.

Both are made of the same lines. Without fused multiply-add, which the CPU build does not use, the
films agree bit for bit, although the kernel for GPUs walks other nodes. With it, as it is shipped,
roundings differ, and now and then a path takes another turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gpuqueue.device import Device, native
from gpuqueue.device.base import Work
from gpuqueue.device.cpu import CpuDriver
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.scene import SceneBuffers

from . import LaunchError, Program
from .driver import PtxDriver
from .zoo import HEIGHT, SCENES, WIDTH, WORK, zoo_scene

Film = npt.NDArray[np.float32]


@pytest.fixture(scope="module", params=sorted(SCENES))
def scene(request: pytest.FixtureRequest) -> SceneBuffers:
    return zoo_scene(request.param)


def render(device: Device, scene: SceneBuffers, *works: Work) -> Film:
    uploaded = device.upload(scene)
    film = device.new_film(scene.camera, WIDTH, HEIGHT)
    for work in works:
        device.render(uploaded, film, work)
    return device.read(film)


def render_on_cpu(scene: SceneBuffers) -> Film:
    film = render(KernelDevice(CpuDriver(threads=1)), scene, WORK)
    assert film[..., :3].max() > 0
    return film


@pytest.mark.parametrize(("compiler", "architecture"), [("nvcc", 75), ("nvcc", 120), ("nvrtc", 90)])
def test_without_fused_products_the_film_is_that_of_the_cpu_bit_for_bit(
    compiled: Callable[[str, int, bool], Program],
    scene: SceneBuffers,
    compiler: str,
    architecture: int,
) -> None:
    device = KernelDevice(PtxDriver(compiled(compiler, architecture, False)))
    film, expected = render(device, scene, WORK), render_on_cpu(scene)
    differing = np.argwhere((film != expected).any(-1))
    assert len(differing) == 0, f"{len(differing)} pixels, the first at {differing[0]}"


@pytest.mark.parametrize(("compiler", "architecture"), [("nvcc", 120), ("nvrtc", 75)])
def test_as_it_is_shipped_the_film_differs_by_roundings(
    compiled: Callable[[str, int, bool], Program],
    scene: SceneBuffers,
    compiler: str,
    architecture: int,
) -> None:
    device = KernelDevice(PtxDriver(compiled(compiler, architecture, True)))
    film, expected = render(device, scene, WORK), render_on_cpu(scene)
    assert (film[..., 3] == expected[..., 3]).all()
    color, other = film[..., :3], expected[..., :3]
    agreeing = (np.abs(color - other) <= 1e-4 * np.maximum(np.abs(other), 1e-2)).all(-1)
    assert agreeing.mean() > 0.98
    np.testing.assert_allclose(color.mean((0, 1)), other.mean((0, 1)), rtol=2e-3)


@pytest.fixture(scope="module")
def device(compiled: Callable[[str, int, bool], Program]) -> Device:
    return KernelDevice(PtxDriver(compiled("nvcc", 75, False)))


@pytest.fixture(scope="module")
def box() -> SceneBuffers:
    return zoo_scene("cornell")


def test_any_split_into_works_gives_the_same_film(device: Device, box: SceneBuffers) -> None:
    upper = replace(WORK, pixel_count=700)  # ends within a block of threads
    lower = replace(WORK, first_pixel=700, pixel_count=WIDTH * HEIGHT - 700)
    works = [
        replace(work, first_sample=first, sample_count=2)
        for work in (lower, upper)
        for first in (0, 2)
    ]
    assert (render(device, box, *works) == render_on_cpu(box)).all()


def test_a_film_too_small_is_caught_at_the_line_that_writes_to_it(
    device: Device, box: SceneBuffers
) -> None:
    uploaded = device.upload(box)
    film = device.new_film(box.camera, WIDTH, HEIGHT)
    row_short = device.new_film(box.camera, WIDTH, HEIGHT - 1)
    first = 1008  # the item of the last row that comes first: they are numbered tile by tile
    place = rf"film\.cuh:\d+: block \({first // 128}, 0, 0\), thread \({first % 128}, 0, 0\)"
    with pytest.raises(LaunchError, match=rf"{place}: read .*out of bounds in global memory"):
        device.render(uploaded, replace(film, buffer=row_short.buffer), WORK)


def test_a_job_of_another_size_is_refused(compiled: Callable[[str, int, bool], Program]) -> None:
    job = np.zeros(1, native.layouts()["RenderJob"])
    size = job.dtype.itemsize
    longer = np.zeros(1, [("job", job.dtype), ("item_count", "u4"), ("is_varying", "u4")])
    longer["item_count"] = 1
    with pytest.raises(LaunchError, match=f"has {size + 8} bytes, the parameter {size}"):
        PtxDriver(compiled("nvcc", 75, False)).launch("render", longer, 1)
