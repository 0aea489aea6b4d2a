"""The picture that is known before it is rendered: a good device passes, a bad one does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Device, choose_device
from gpuqueue.errors import DeviceLost
from gpuqueue.render.self_test import HEIGHT, SAMPLES, WIDTH, self_test


@pytest.fixture
def device() -> Iterator[Device]:
    with closing(choose_device(RenderSettings(device="cpu", threads=2))) as opened:
        yield opened


def test_a_good_device_passes(device: Device) -> None:
    self_test(device)


def darker(film: np.ndarray) -> None:
    film[:, : WIDTH // 2, 1] *= 0.999


def one_pixel_wrong(film: np.ndarray) -> None:
    film[HEIGHT // 2, WIDTH // 3, 2] *= 2


def not_a_number(film: np.ndarray) -> None:
    film[0, 0, 0] = np.nan


def infinite(film: np.ndarray) -> None:
    film[0, 0, 0] = np.inf


def a_sample_missing(film: np.ndarray) -> None:
    film[1, 1] *= (SAMPLES - 1) / SAMPLES


def shifted(film: np.ndarray) -> None:
    film[:] = np.roll(film, 1, axis=1)


def black(film: np.ndarray) -> None:
    film[..., :3] = 0


@pytest.mark.parametrize(
    "harm",
    [darker, one_pixel_wrong, not_a_number, infinite, a_sample_missing, shifted, black],
    ids=lambda harm: harm.__name__,
)
def test_a_device_that_gets_anything_wrong_does_not(
    device: Device, harm: Callable[[np.ndarray], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = device.read

    def wrong(film: object) -> np.ndarray:
        pixels = read(film).copy()
        harm(pixels)
        return pixels

    monkeypatch.setattr(device, "read", wrong)
    with pytest.raises(DeviceLost, match=r"the self-test failed: \d+ of 2048 pixels are wrong"):
        self_test(device)


def test_a_device_that_renders_nothing_does_not(device: Device) -> None:
    null = choose_device(RenderSettings(device="null"))
    with pytest.raises(DeviceLost):
        self_test(null)
