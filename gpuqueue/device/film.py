"""Films on the host: exact sums of samples, and what they come to.

A film is an array [H, W] of the kernels' FilmPixel (kernels/film.cuh). Its sums are integers, so
films of different samples of one picture add up to the bits of the film that has them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device import native

#: [H, W] of FilmPixel.
Film = npt.NDArray[Any]

CHANNELS = ("red", "green", "blue")
#: Rows worked on at once: temporaries stay small beside the film.
_BLOCK_ROWS = 256


def pixel_bytes() -> int:
    """Bytes of one pixel of a film."""
    return native.layouts()["FilmPixel"].itemsize


def empty_film(width: int, height: int) -> Film:
    """A film without samples."""
    return np.zeros((height, width), native.layouts()["FilmPixel"])


def sums(film: Film) -> npt.NDArray[np.float32]:
    """Sums of red, green and blue radiance and numbers of samples, [H, W, 4], rounded."""
    rounded = np.empty((*film.shape, 4), np.float32)
    for start in range(0, len(film), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        for index, channel in enumerate(CHANNELS):
            rounded[rows, :, index] = _rounded(film[rows][channel])
        rounded[rows, :, 3] = film[rows]["count"]
    return rounded


def _rounded(total: Film) -> npt.NDArray[np.float64]:
    """The values of an array of ExactSum."""
    fraction, whole = total["fraction"], total["whole"]
    is_negative = whole >> 63 != 0
    # Its size first: 1 - (1 - x) has lost most of a small x.
    size = np.where(is_negative, ~whole + (fraction == 0), whole) + np.where(
        is_negative, ~fraction + 1, fraction
    ) * (2.0**-64)
    return np.where(is_negative, -size, size)


def add_film(film: Film, other: Film) -> None:
    """Add the samples of `other` to `film`."""
    for channel in CHANNELS:
        total, term = film[channel], other[channel]
        total["fraction"] += term["fraction"]
        total["whole"] += term["whole"] + (total["fraction"] < term["fraction"])
    film["count"] += other["count"]


def pack_film(film: Film) -> bytes:
    """The film without what it does not use: a mask of the bytes of a pixel, then those bytes.

    Sums leave most of their 128 bits zero, in all pixels alike; nothing is lost.
    """
    pixels = np.ascontiguousarray(film).view(np.uint8).reshape(-1, film.dtype.itemsize)
    used = pixels.any(axis=0)
    # Byte by byte: a mask of columns would be slower.
    kept = [pixels[:, column].tobytes() for column in np.flatnonzero(used)]
    return b"".join([used.tobytes(), *kept])


def unpack_film(data: bytes | memoryview, width: int, height: int) -> Film:
    """The film that `pack_film` made. Raises ValueError if it is none of this size."""
    film = empty_film(width, height)
    size, count = film.dtype.itemsize, film.size
    pixels = film.reshape(-1).view(np.uint8).reshape(count, size)
    columns = np.flatnonzero(np.frombuffer(data, np.uint8, size))
    kept = np.frombuffer(data, np.uint8, offset=size)
    if len(kept) != len(columns) * count:
        raise ValueError(f"a film of {width} x {height} pixels has not {len(kept)} bytes")
    for column, values in zip(columns, kept.reshape(-1, count), strict=True):
        pixels[:, column] = values
    return film
