"""Pictures agree with Mitsuba 3: a z-test of every block of pixels, and the mean of the whole.

Each renderer takes several independent pictures of the same buffers (mitsuba_scene.py). Their
spread gives the error of a block's mean, so no tolerance is guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Device, Work
from gpuqueue.device.cpu import open_cpu
from gpuqueue.device.native import kernels, layouts
from gpuqueue.scene import SceneBuffers, load_scene, pack

from .mitsuba_scene import mitsuba_dict

mitsuba = pytest.importorskip("mitsuba", reason="Mitsuba 3 is in the extra 'test'")

SCENES = Path(__file__).parent / "scenes"
SIZE = 64
BLOCK = 8
PICTURES = 16
MAX_DEPTH = 8
#: Chance that a right renderer fails: a block in some picture is this unlikely, or its mean.
SIGNIFICANCE = 1e-3
MEAN_TOLERANCE = 0.005

Images = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def device() -> Device:
    return open_cpu(RenderSettings())


def ours(device: Device, buffers: SceneBuffers, samples: int) -> Images:
    """Independent pictures [PICTURES, SIZE, SIZE, 3], each with a seed of its own."""
    scene = device.upload(buffers)
    pictures = []
    for seed in range(PICTURES):
        film = device.new_film(buffers.camera, SIZE, SIZE)
        device.render(scene, film, Work(0, SIZE * SIZE, 0, samples, seed, MAX_DEPTH))
        pixels = device.read(film).astype(float)
        assert np.all(pixels[..., 3] == samples), "no sample was dropped"
        pictures.append(pixels[..., :3] / pixels[..., 3:])
    return np.array(pictures)


def mitsubas(buffers: SceneBuffers, samples: int, folder: Path) -> Images:
    """The same from Mitsuba."""
    mitsuba.set_variant("scalar_rgb")
    scene = mitsuba.load_dict(mitsuba_dict(buffers, folder, MAX_DEPTH))
    renders = (mitsuba.render(scene, spp=samples, seed=seed) for seed in range(PICTURES))
    return np.array([np.array(image, dtype=float) for image in renders])


def block_means(images: Images) -> Images:
    """Mean of each block of pixels and each channel, one row per picture."""
    count = SIZE // BLOCK
    return images.reshape(PICTURES, count, BLOCK, count, BLOCK, 3).mean(axis=(2, 4))


def smallest_p(a: Images, b: Images) -> float:
    """The least likely of all blocks, corrected for their number (Sidak), by Welch's t-test.

    A spread below float32's resolution of the sums is no spread: it is raised to it.
    """
    floor = 1e-5 * np.maximum(np.abs(a.mean(0)), 1e-3)
    spread = np.hypot(a.std(0, ddof=1), b.std(0, ddof=1)) / np.sqrt(PICTURES)
    z = np.abs(a.mean(0) - b.mean(0)) / np.maximum(spread, floor)
    return float(1 - (1 - 2 * stats.t.sf(z.max(), PICTURES - 1)) ** z.size)


def save_difference(path: Path, a: Images, b: Images) -> None:
    """Ours, Mitsuba's and their difference in units of its error, side by side, for people."""
    from PIL import Image

    spread = np.hypot(a.std(0, ddof=1), b.std(0, ddof=1)) / np.sqrt(PICTURES)
    z = (a.mean(0) - b.mean(0)) / np.maximum(spread, 1e-9)
    row: Any = np.hstack([np.clip(a.mean(0), 0, 1), np.clip(b.mean(0), 0, 1), 0.5 + z / 10])
    Image.fromarray((255 * np.clip(row, 0, 1) ** (1 / 2.2)).astype(np.uint8)).save(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "samples"),
    [("cornell.mi", 64), ("metal_glass_points.mi", 128), ("cutouts.mi", 64), ("textured.mi", 64)],
)
def test_pictures_agree_with_mitsuba(
    device: Device, name: str, samples: int, tmp_path: Path
) -> None:
    scene = load_scene(Path(name), SCENES)
    assert scene.warnings == ()
    buffers = pack(scene, layouts(), kernels().shaders(), SIZE, SIZE)
    a, b = ours(device, buffers, samples), mitsubas(buffers, samples, tmp_path)
    save_difference(tmp_path / "difference.png", a, b)
    assert smallest_p(block_means(a), block_means(b)) > SIGNIFICANCE, tmp_path
    assert a.mean() == pytest.approx(b.mean(), rel=MEAN_TOLERANCE), tmp_path
