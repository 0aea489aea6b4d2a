"""On a machine with a GPU: its film against the CPU's. Elsewhere a skip that says why."""

import numpy as np
import pytest

from gpuqueue.device import DEVICES, Work, why_not
from gpuqueue.device.schedules import SCHEDULES
from gpuqueue.scene import SceneBuffers

from .conftest import SETTINGS

WIDTH, HEIGHT, SAMPLES = 48, 32, 256


def film_on(name: str, scene: SceneBuffers, schedule: str = "loop") -> np.ndarray:
    device = DEVICES.load(name)(SETTINGS.model_copy(update={"gpu_schedule": schedule}))
    handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    half = SAMPLES // 2
    for first in (0, half):
        device.render(handle, film, Work(0, WIDTH * HEIGHT, first, half, 1, 6))
    pixels = device.read(film).copy()
    del handle, film
    device.close()
    return pixels


@pytest.mark.parametrize("name", ["cupy", "pycuda"])
def test_a_real_gpu_renders_the_cpus_picture(name: str, scene: SceneBuffers) -> None:
    reason = why_not(name, SETTINGS)
    if reason is not None:
        pytest.skip(reason)
    on_gpu, on_cpu = film_on(name, scene), film_on("cpu", scene)
    np.testing.assert_array_equal(on_gpu[..., 3], SAMPLES)
    # The same random numbers: only roundings differ, and few paths take another turn for them.
    difference = np.abs(on_gpu - on_cpu)[..., :3].max(axis=2) / SAMPLES
    assert np.median(difference) < 1e-5
    assert (difference < 1e-2).mean() > 0.95
    np.testing.assert_allclose(on_gpu.mean(axis=(0, 1)), on_cpu.mean(axis=(0, 1)), rtol=0.01)
    for schedule in SCHEDULES:
        np.testing.assert_array_equal(film_on(name, scene, schedule), on_gpu)
