"""The images of leaves.mi: a leaf with alpha around it, and paving stones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mi_writer import Array
from PIL import Image

SIZE = 128


def write_pictures(folder: Path) -> None:
    """Write both as PNG."""
    folder.mkdir(exist_ok=True)
    Image.fromarray(leaf()).save(folder / "leaf.png", optimize=True)
    Image.fromarray(paving()).save(folder / "paving.png", optimize=True)


def leaf() -> np.ndarray:
    """A pointed leaf with veins, [H, W, 4], its stalk at the lower edge."""
    x, y = _grid()
    x = 2 * x - 1
    along = np.clip(y / 0.96, 0, 1)
    half_width = 0.86 * np.sin(np.pi * along**0.8) ** 0.8 * (1 - 0.25 * along)
    teeth = 0.03 * np.sin(60 * y)
    inside = _soft(half_width + teeth - abs(x), 0.03)
    stalk = _soft(0.035 - abs(x), 0.02) * (y < 0.2)
    side_veins = _soft(0.06 - abs(((y - 0.55 * abs(x)) * 7) % 1 - 0.5), 0.05) * (abs(x) > 0.03)
    vein = np.maximum(_soft(0.03 - abs(x), 0.02), 0.6 * side_veins)
    blade = np.stack([58 + 70 * y, 112 + 40 * y - 20 * abs(x), 28 + 12 * y], -1)
    color = blade * (1 - vein[..., None]) + np.array([170, 190, 90]) * vein[..., None]
    alpha = np.maximum(inside, stalk)
    return _bytes(np.concatenate([color, 255 * alpha[..., None]], -1))


def paving() -> np.ndarray:
    """Stones in two shifted rows with joints between, [H, W, 3]; it repeats on all sides."""
    x, y = _grid()
    row = np.floor(2 * y)
    along, across = (2 * x + 0.5 * row) % 1, (2 * y) % 1
    number = np.floor((2 * x + 0.5 * row) % 2) + 2 * row
    shade = np.array([150.0, 132.0, 164.0, 141.0])[number.astype(int)]
    edge = np.minimum(np.minimum(along, 1 - along), np.minimum(across, 1 - across))
    stone = _soft(edge - 0.04, 0.03)
    grain = np.random.default_rng(4).normal(0, 7, x.shape)
    grey = 62 + (shade - 62) * stone + grain
    return _bytes(np.stack([grey, 0.95 * grey, 0.87 * grey], -1))


def _grid() -> tuple[Array, Array]:
    """Coordinates 0 to 1 of the pixels: to the right, and up from the lower edge."""
    side = (np.arange(SIZE) + 0.5) / SIZE
    x, y = np.meshgrid(side, side[::-1])
    return x, y


def _soft(distance: Array, width: float) -> Array:
    """From 0 to 1 over a width around distance 0."""
    return np.clip(0.5 + distance / width, 0, 1)


def _bytes(values: Array) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
