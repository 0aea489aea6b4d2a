"""A small picture whose every pixel is known: rendered before a machine takes jobs.

A grey wall fills the left half of the view, under an evenly lit sky and with nothing else around:
what scatters off it meets the sky alone. So the wall shows the product of its albedo and the sky's
radiance, the right half the sky itself, and both without noise.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.errors import DeviceLost
from gpuqueue.scene import load_scene, pack
from gpuqueue.scene.buffers import camera_record

if TYPE_CHECKING:
    from gpuqueue.device import Device

WIDTH, HEIGHT, SAMPLES, MAX_DEPTH = 64, 32, 16, 4
SKY = (0.25, 0.5, 1.0)
ALBEDO = (0.75, 0.5, 0.25)
#: Room for roundings of float32, far below what a wrong shader or memory would do.
TOLERANCE = 1e-5
SCENE = f"""\
options "o" end options
camera "c" environment "one_color" ("color" {SKY[0]} {SKY[1]} {SKY[2]})
    output "rgb" "png" "p.png" focal 1 aperture 1 aspect 2 resolution {WIDTH} {HEIGHT}
end camera
instance "ci" "c" transform 1 0 0 0  0 1 0 0  0 0 1 0  0 0 -3 1 end instance
material "grey" "mib_illum_lambert" ("diffuse" {ALBEDO[0]} {ALBEDO[1]} {ALBEDO[2]}) end material
object "wall" visible trace shadow
    group
        -9 -9 0  0 -9 0  0 9 0  -9 9 0
        v 0 v 1 v 2 v 3
        p 0 1 2 3
    end group
end object
instance "wi" "wall" material "grey" end instance
instgroup "root" "ci" "wi" end instgroup
render "root" "ci" "o"
"""


def self_test(device: Device) -> None:
    """Return if the device renders the picture as it must be.

    Raises DeviceLost, with the greatest deviation, if it does not, and what the device raises.
    """
    pixels = _rendered(device)
    expected = np.empty((HEIGHT, WIDTH, 4))
    expected[:, : WIDTH // 2, :3] = np.multiply(ALBEDO, SKY)
    expected[:, WIDTH // 2 :, :3] = SKY
    expected[..., 3] = 1
    off = np.nan_to_num(np.abs(pixels / SAMPLES / expected - 1), nan=np.inf)
    wrong = int(np.count_nonzero(off.max(axis=2) > TOLERANCE))
    if wrong:
        raise DeviceLost(
            f"the self-test failed: {wrong} of {WIDTH * HEIGHT} pixels are wrong, by up to "
            f"{off.max():.3g} of their value, on {device.description}"
        )


def _rendered(device: Device) -> np.ndarray:
    """Sums and counts [H, W, 4]."""
    with tempfile.TemporaryDirectory(prefix="gpuqueue-self-test-") as folder:
        Path(folder, "self_test.mi").write_text(SCENE)
        scene = load_scene(Path("self_test.mi"), Path(folder))
    layouts = native.layouts()
    handle = device.upload(pack(scene, layouts, native.kernels().shaders()))
    film = device.new_film(camera_record(scene.camera, layouts, WIDTH, HEIGHT), WIDTH, HEIGHT)
    device.render(handle, film, Work(0, WIDTH * HEIGHT, 0, SAMPLES, 0, MAX_DEPTH))
    return device.read(film)
