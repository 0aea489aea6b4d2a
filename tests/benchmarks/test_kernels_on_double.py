"""Rays and the memory probe on a GPU, by the real PyCUDA on a driver that runs NVRTC's PTX."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.kernels import probe
from benchmarks.kernels.checks import answers_of, check
from benchmarks.kernels.launcher import PycudaLauncher
from benchmarks.kernels.probe import probe_gpu
from benchmarks.kernels.tracers import GpuTracer
from benchmarks.rays.scenes import ray_kinds, spheres
from benchmarks.timing import WALL
from gpuqueue.device import DEVICES, cuda_pycuda
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.kernel_image import OPTIONS, kernel_folder
from tests.device.conftest import SETTINGS
from tests.libcuda.control import Double
from tests.ptx.compilers import nvrtc_ptx

pytestmark = pytest.mark.libcuda_double

PTX_OPTIONS = [option for option in OPTIONS if option not in ("-fmad=true", "-std=c++17")]


def ptx(source: Path, *options: str) -> bytes:
    return nvrtc_ptx(source, 75, [*PTX_OPTIONS, "-fmad=false", *options]).encode()


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("image") / "pathtrace.ptx"
    file.write_bytes(ptx(kernel_folder() / "pathtrace.cu"))
    return file


@pytest.fixture
def device(image: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KernelDevice]:
    monkeypatch.setattr(cuda_pycuda, "kernel_image", lambda _: image)
    opened = DEVICES.load("pycuda")(SETTINGS)
    assert isinstance(opened, KernelDevice)
    yield opened
    gc.collect()
    opened.close()


@pytest.fixture
def launcher(device: KernelDevice) -> Iterator[PycudaLauncher]:
    made = PycudaLauncher()
    yield made
    gc.collect()
    made.close()


@pytest.mark.parametrize("kind", ["bounce", "shadow"])
def test_the_gpu_finds_the_hits_of_the_cpu(
    kind: str, device: KernelDevice, libcuda: Double
) -> None:
    scene, view = spheres(2000)
    asked = ray_kinds(scene, view, side=16)[kind]
    before = libcuda.memory_used
    built = scene.build("compressed8")
    tracer = GpuTracer(device.driver, built, asked.rays, asked.any_hit)
    assert tracer.trace() > 0
    others = answers_of(scene.build("float8"), asked.rays, asked.any_hit, "float8")
    check(kind, tracer.answers(), others)
    del tracer
    gc.collect()
    device.memory()  # gives back what was kept for reading
    assert libcuda.memory_used == before


def test_the_gpu_is_probed(
    device: KernelDevice, launcher: PycudaLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ptx(probe.PROBE, f"-I{kernel_folder()}")
    monkeypatch.setattr(probe, "probe_image", lambda _: source)
    # The double tells a compute capability that no GPU has.
    launcher.properties = replace(launcher.properties, architecture=75)
    machine = probe_gpu(device.driver, launcher, WALL, elements=1000)
    assert machine.bytes_per_s > 0
    assert machine.operations_per_s == 2 * 64 * 2 * 1e9
