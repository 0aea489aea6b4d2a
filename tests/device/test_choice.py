"""Which device is taken, and what is said of it."""

import logging
import sys
from typing import get_args

import pytest

from gpuqueue.cli.render import DeviceName
from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import DEVICES, PREFERRED, choose_device, why_not
from gpuqueue.device.null import NullDevice
from gpuqueue.errors import ConfigError
from gpuqueue.log import Event
from gpuqueue.registry import Registry

from .fake_gpu import FakeGpu


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logging.getLogger("gpuqueue"), "propagate", True)
    caplog.set_level(logging.INFO)

    def events() -> list[str]:
        return [r.message for r in caplog.records if r.event == Event.DEVICE_CHOSEN]

    return events


@pytest.fixture
def without_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("cupy", "pycuda", "pycuda.driver"):
        monkeypatch.setitem(sys.modules, library, None)


@pytest.mark.usefixtures("without_libraries")
def test_auto_takes_the_cpu_where_there_is_no_gpu_and_says_why(lines) -> None:
    assert choose_device(RenderSettings(threads=1)).name == "cpu"
    (line,) = lines()
    assert line.startswith("Rendering on device cpu: the CPU (")
    assert "1 thread)" in line
    assert "not cupy: CuPy is not installed (pip install 'gpuqueue[cuda13]'" in line
    assert "not pycuda: PyCUDA is not installed (pip install 'gpuqueue[pycuda]')" in line


def test_auto_takes_cupy_first(gpu: FakeGpu, lines) -> None:
    assert choose_device(RenderSettings(gpu_schedule="loop")).name == "cupy"
    assert lines() == ["Rendering on device cupy: Fake A10G (CuPy 14.0.0)."]


class OtherGpu(NullDevice):
    """What PyCUDA finds."""

    name = "pycuda"


def test_auto_takes_pycuda_where_cupy_finds_no_gpu(
    gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch, lines
) -> None:
    def no_driver(index: int) -> None:
        raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")

    monkeypatch.setattr(sys.modules["cupy"].cuda, "Device", no_driver)
    devices = Registry("device", cupy="gpuqueue.device.cuda_cupy:open_cupy")
    devices.add("pycuda", OtherGpu)
    monkeypatch.setattr("gpuqueue.device.DEVICES", devices)
    assert choose_device(RenderSettings()).name == "pycuda"
    (line,) = lines()
    assert "not cupy: CuPy finds no usable GPU: RuntimeError: cudaErrorInsufficientDriver" in line


@pytest.mark.usefixtures("without_libraries")
def test_a_device_that_is_named_is_taken_or_nothing() -> None:
    assert choose_device(RenderSettings(device="null")).name == "null"
    with pytest.raises(ConfigError, match="no device can be used; not pycuda: PyCUDA is not inst"):
        choose_device(RenderSettings(device="pycuda"))


@pytest.mark.usefixtures("without_libraries")
def test_each_device_tells_why_it_cannot_be_used() -> None:
    reasons = {name: why_not(name, RenderSettings(threads=1)) for name in DEVICES}
    assert {name for name, reason in reasons.items() if reason is None} == {"cpu", "null"}
    assert "CuPy is not installed" in str(reasons["cupy"])


def test_auto_knows_every_device_that_renders() -> None:
    assert {*PREFERRED, "null"} == set(DEVICES)


def test_settings_and_command_line_take_every_device() -> None:
    assert set(get_args(RenderSettings.model_fields["device"].annotation)) == {"auto", *DEVICES}
    assert set(DeviceName) == {"auto", *DEVICES}
