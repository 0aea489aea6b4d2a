"""A picture as texels, and the smaller ones that stand for it where it is seen from afar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Texels = NDArray[np.uint8] | NDArray[np.float16]
Linear = NDArray[np.float32]

#: Rows worked on at once: temporaries stay small beside the picture.
_BLOCK_ROWS = 64
LARGEST_HALF = 65504.0


class Role(StrEnum):
    """What a texture's numbers are: colours for the eye, or quantities."""

    COLOR = "color"
    SCALAR = "scalar"
    VECTOR = "vector"


@dataclass(frozen=True, eq=False)
class Picture:
    """Texels ``[H, W, C]``, bottom row first; C is 1, or 4 with alpha, which is not multiplied in.

    uint8 for values 0 to 1, by the sRGB curve (but alpha) where `is_srgb`; float16 is linear.
    """

    texels: Texels
    is_srgb: bool = False

    def mean(self) -> tuple[float, float, float, float]:
        """Return the linear mean colour and alpha."""
        total = np.zeros(self.texels.shape[2])
        for _, rows in _linear_blocks(self):
            total += rows.sum(axis=(0, 1), dtype=np.float64)
        mean = total / (self.texels.shape[0] * self.texels.shape[1])
        r, g, b, a = mean.tolist() if len(mean) == 4 else [*mean.tolist() * 3, 1.0]
        return r, g, b, a


def mip_levels(picture: Picture) -> list[Texels]:
    """Return the texels and, each half as large, those down to one: means of linear values."""
    levels = [picture.texels]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_halved(Picture(levels[-1], picture.is_srgb)))
    return levels


def linear_from_srgb_bytes() -> Linear:
    """Return the linear value of each sRGB byte (IEC 61966-2-1), ``[256]``."""
    coded = np.arange(256) / 255
    curve = ((coded + 0.055) / 1.055) ** 2.4
    return np.where(coded <= 0.04045, coded / 12.92, curve).astype(np.float32)


def linear_from_srgb(values: Linear) -> Linear:
    """Return linear values of sRGB ones, 0 to 1."""
    curve = ((values + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= 0.04045, values / np.float32(12.92), curve).astype(np.float32)


def _srgb_from_linear(values: Linear) -> Linear:
    curve = np.float32(1.055) * values ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(values <= 0.0031308, np.float32(12.92) * values, curve).astype(np.float32)


def _to_linear(texels: Texels, is_srgb: bool) -> Linear:
    if texels.dtype == np.float16:
        return texels.astype(np.float32)
    if not is_srgb:
        return texels.astype(np.float32) * np.float32(1 / 255)
    linear = _DECODED[texels]
    if texels.shape[2] == 4:
        linear[..., 3] = texels[..., 3] * np.float32(1 / 255)
    return linear


def _from_linear(values: Linear, dtype: np.dtype[Any], is_srgb: bool) -> Texels:
    if dtype == np.float16:
        return values.astype(np.float16)
    colors = slice(0, min(values.shape[2], 3))
    if is_srgb:
        values[..., colors] = _srgb_from_linear(values[..., colors])
    return (values * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _linear_blocks(picture: Picture) -> Iterator[tuple[int, Linear]]:
    for first in range(0, len(picture.texels), _BLOCK_ROWS):
        yield first, _to_linear(picture.texels[first : first + _BLOCK_ROWS], picture.is_srgb)


def _halved(picture: Picture) -> Texels:
    texels = picture.texels
    height, width, channels = texels.shape
    result = np.empty((max(height // 2, 1), max(width // 2, 1), channels), texels.dtype)
    columns = np.arange(result.shape[1])
    for first in range(0, len(result), _BLOCK_ROWS):
        rows = np.arange(first, min(first + _BLOCK_ROWS, len(result)))
        block = np.zeros((len(rows), width, channels), np.float32)
        for taps, weights in _taps(height, rows):
            block += _to_linear(texels[taps], picture.is_srgb) * weights[:, None, None]
        halved = np.zeros((len(rows), len(columns), channels), np.float32)
        for taps, weights in _taps(width, columns):
            halved += block[:, taps] * weights[:, None]
        result[rows] = _from_linear(halved, texels.dtype, picture.is_srgb)
    return result


def _taps(size: int, place: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], Linear]]:
    """Which of `size` texels in a row make those at `place` of half as many, and their weights.

    Each stands for an equal part of the row, so that the mean is kept: an odd number of texels
    gives three to each.
    """
    half = size // 2
    if half == 0:
        return [(place, np.ones(len(place), np.float32))]
    if size % 2 == 0:
        share = np.full(len(place), 0.5, np.float32)
        return [(2 * place, share), (2 * place + 1, share)]
    weights = [(half - place) / size, np.full(len(place), half / size), (place + 1) / size]
    return [(2 * place + k, w.astype(np.float32)) for k, w in enumerate(weights)]


_DECODED = linear_from_srgb_bytes()
