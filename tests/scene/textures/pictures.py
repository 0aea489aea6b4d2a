"""A square that fills the picture, and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.device.cpu import CpuDriver
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.scene import Scene, load_scene, pack

Floats = npt.NDArray[np.float64]

SIZE = 32
#: A square from (-1, -1) to (1, 1), texture coordinates 0 to 1 or as `{uvs}` says.
SQUARE = """
object "{name}" visible trace shadow group -1 -1 {z} 1 -1 {z} 1 1 {z} -1 1 {z} {uvs}
v 0 t 4 v 1 t 5 v 2 t 6 v 3 t 7 p "{material}" 0 1 2 3 end group end object
instance "{name} instance" "{name}" end instance
"""
UVS = "0 0 0 1 0 0 1 1 0 0 1 0"
#: A camera at z = 5 that just sees the square at z = 0.
CAMERA = """
options "o" end options
camera "c" focal 5 aperture 2 aspect 1 resolution {size} {size} end camera
instance "ci" "c" transform 1 0 0 0  0 1 0 0  0 0 1 0  0 0 -5 1 end instance
"""


def square(material: str, z: float = 0.0, uvs: str = UVS, name: str = "square") -> str:
    return SQUARE.format(name=name, material=material, z=z, uvs=uvs)


def scene_of(folder: Path, text: str, members: tuple[str, ...] = ("square instance",)) -> Scene:
    """The scene of statements and a camera; members stand in the root group."""
    listed = " ".join(f'"{member}"' for member in members)
    (folder / "s.mi").write_text(
        CAMERA.format(size=SIZE)
        + text
        + f'instgroup "w" "ci" {listed} end instgroup render "w" "ci" "o"'
    )
    return load_scene(Path("s.mi"), folder)


def film_of(
    scene: Scene, samples: int = 64, max_depth: int = 1, driver: Any = None, seed: int = 1
) -> Floats:
    """The film [H, W, 4], the bottom row first."""
    buffers = pack(scene, native.layouts(), native.kernels().shaders())
    device = KernelDevice(driver or CpuDriver(1))
    uploaded, film = device.upload(buffers), device.new_film(buffers.camera, SIZE, SIZE)
    device.render(uploaded, film, Work(0, SIZE * SIZE, 0, samples, seed, max_depth))
    return device.read(film)[::-1].astype(np.float64)


def picture_of(scene: Scene, samples: int = 64, max_depth: int = 1) -> Floats:
    """Mean radiance [H, W, 3], the bottom row first."""
    film = film_of(scene, samples, max_depth)
    assert (film[..., 3] == samples).all()
    return film[..., :3] / film[..., 3:]


def expected_of(color_at: Callable[[Floats, Floats], Floats], fineness: int = 16) -> Floats:
    """Means over each pixel of a function of texture coordinates, [H, W, C]."""
    side = (np.arange(SIZE * fineness) + 0.5) / (SIZE * fineness)
    v, u = np.meshgrid(side, side, indexing="ij")
    values = color_at(u, v)
    tiles = values.reshape(SIZE, fineness, SIZE, fineness, -1)
    return np.asarray(tiles.mean(axis=(1, 3)))


def bilinear(texels: Floats, u: Floats, v: Floats, wraps: bool = False) -> Floats:
    """Texels [H, W, C], bottom row first, at coordinates; black outside."""
    height, width = texels.shape[:2]
    x, y = u * width - 0.5, v * height - 0.5
    left, low = np.floor(x).astype(int), np.floor(y).astype(int)
    across, up = (x - left)[..., None], (y - low)[..., None]

    def at(column: Any, row: Any) -> Floats:
        if wraps:
            return texels[row % height, column % width]
        return texels[row.clip(0, height - 1), column.clip(0, width - 1)]

    lower = at(left, low) * (1 - across) + at(left + 1, low) * across
    upper = at(left, low + 1) * (1 - across) + at(left + 1, low + 1) * across
    inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    return np.asarray(np.where(inside[..., None], lower * (1 - up) + upper * up, 0.0))
