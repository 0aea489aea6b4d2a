"""Devices to test: the CPU, no device, and CuPy on a GPU that is not there."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import DEVICES, Device, cuda_cupy, native, schedules
from gpuqueue.scene import SceneBuffers, load_scene, pack

from .fake_cupy import fake_cupy
from .fake_gpu import FakeGpu, compile_twin

#: A lit room of quadrilaterals, one of them used by two instances.
SCENE = """
options "o" trace depth 4 4 4 end options
camera "c" focal 1 aperture 1 aspect 1.5 resolution 48 32 end camera
instance "ci" "c" transform 1 0 0 0  0 1 0 0  0 0 1 0  0 0 -3 1 end instance
light "l" "physical_light" ("color" 40 30 20) origin 0 1.8 0 end light
instance "li" "l" end instance
material "grey" "mib_illum_lambert" ("diffuse" 0.5 0.6 0.7) end material
material "glass" "dielectric_material" ("ior" 1.5) end material
object "floor" visible trace shadow
    group
        -2 -1 -2  2 -1 -2  2 -1 2  -2 -1 2
        v 0 v 1 v 2 v 3
        p "grey" 0 3 2 1
    end group
end object
instance "fi" "floor" end instance
object "pane" visible trace shadow
    group
        -0.4 -0.4 0  0.4 -0.4 0  0.4 0.4 0  -0.4 0.4 0
        v 0 v 1 v 2 v 3
        p 0 1 2 3
    end group
end object
instance "left" "pane"
    material "grey" transform 1 0 0 0  0 1 0 0  0 0 1 0  0.6 0 0 1 end instance
instance "right" "pane"
    material "glass" transform 1 0 0 0  0 1 0 0  0 0 1 0  -0.6 0 0 1 end instance
instgroup "root" "ci" "li" "fi" "left" "right" end instgroup
render "root" "ci" "o"
"""
SETTINGS = RenderSettings(threads=2, gpu_schedule="loop")


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SceneBuffers:
    folder = tmp_path_factory.mktemp("scene")
    (folder / "room.mi").write_text(SCENE)
    loaded = load_scene(Path("room.mi"), folder)
    return pack(loaded, native.layouts(), native.kernels().shaders())


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_twin(tmp_path_factory.mktemp("twin"))


@pytest.fixture
def gpu(twin: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeGpu:
    """Install CuPy on a fake GPU."""
    gpu = FakeGpu(twin)
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(gpu))
    image = tmp_path / "pathtrace.cubin"
    image.write_bytes(b"\x7fELF")
    monkeypatch.setattr(cuda_cupy, "kernel_image", lambda _: image)
    return gpu


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> RenderSettings:
    """Settings with a schedule (the fixture's parameter) whose batches and wavefronts are small."""
    small_schedules(monkeypatch)
    return SETTINGS.model_copy(update={"gpu_schedule": request.param})


def small_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches to a work, more samples than paths in flight."""
    monkeypatch.setattr(schedules, "BATCH_SAMPLES", 2000)
    monkeypatch.setattr(schedules, "SLOTS_PER_THREAD", 1 / 8)


@pytest.fixture
def open_device(request: pytest.FixtureRequest) -> Callable[[str], Device]:
    """Open a device by its registered name, cupy on the fake GPU."""

    def open_named(name: str) -> Device:
        gpu: FakeGpu | None = request.getfixturevalue("gpu") if name == "cupy" else None
        device = DEVICES.load(name)(SETTINGS)

        def close() -> None:
            device.close()
            assert gpu is None or not gpu.mistakes

        request.addfinalizer(close)
        return device

    return open_named


@pytest.fixture
def camera(scene: SceneBuffers) -> np.void:
    return scene.camera
