"""Film to picture: average, exposure, sRGB transfer, and the bytes of an image file.

Row 0 is the top row everywhere. The same pixels give the same bytes with the same libraries: no
format carries a date. PNG and JPEG hold sRGB in 8 bits; EXR (half floats) and HDR (Radiance
RGBE) hold linear values with Rec. 709 primaries.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from gpuqueue.binary import Binary
from gpuqueue.errors import InvalidJob

ImageFormat = Literal["png", "jpg", "exr", "hdr"]
Pixels = npt.NDArray[np.float32]

#: Rows worked on at once: temporaries stay small beside the picture.
_BLOCK_ROWS = 256
_MAX_HALF = 65504.0
#: x and y of red, green, blue and white of Rec. 709, for the EXR header.
_REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


def format_of(path: Path) -> ImageFormat:
    """The image format that a file's extension names. Raises InvalidJob listing them."""
    suffix = path.suffix.lower().removeprefix(".")
    name = "jpg" if suffix == "jpeg" else suffix
    if name not in get_args(ImageFormat):
        listed = ", ".join(get_args(ImageFormat))
        raise InvalidJob(f"{path.name}: no image format '{suffix}'; known: {listed}")
    return cast("ImageFormat", name)


def develop(film: Pixels) -> Pixels:
    """Linear picture [H, W, 3] of a film [H, W, 4]: sums of radiance and numbers of samples.

    A pixel without samples is black.
    """
    counts = film[..., 3:]
    return np.divide(film[..., :3], counts, out=np.zeros_like(film[..., :3]), where=counts > 0)


def encode(
    image: Pixels, image_format: ImageFormat, *, exposure: float = 0.0, quality: int = 90
) -> Binary:
    """The linear picture [H, W, 3], or [H, W, 4] with alpha, as an image file.

    `exposure` in EV doubles every value per step. `quality` (1 to 100) is for JPEG. JPEG and
    HDR leave alpha out. NaN becomes 0, and what a format cannot hold its nearest value.
    """
    gains = np.array([2.0**exposure] * 3 + [1.0] * (image.shape[2] - 3), np.float32)
    encoders: dict[ImageFormat, Callable[[], Binary]] = {
        "png": lambda: _png(image, gains),
        "jpg": lambda: _jpeg(image[..., :3], gains[:3], quality),
        "exr": lambda: _exr(image, gains),
        "hdr": lambda: _hdr(image[..., :3], gains[:3]),
    }
    return encoders[image_format]()


def srgb_from_linear(linear: Pixels) -> Pixels:
    """The sRGB transfer function, exact in both pieces (IEC 61966-2-1), for values 0 to 1."""
    curve = 1.055 * np.power(linear, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(linear <= 0.0031308, np.float32(12.92) * linear, curve).astype(np.float32)


def _blocks(image: Pixels, gains: Pixels, low: float, high: float) -> Iterator[tuple[int, Pixels]]:
    """First row and values, finite and inside the limits, of each block of rows."""
    for top in range(0, len(image), _BLOCK_ROWS):
        with np.errstate(over="ignore", invalid="ignore"):
            exposed = image[top : top + _BLOCK_ROWS] * gains
        yield top, np.clip(np.nan_to_num(exposed, nan=0, posinf=high, neginf=low), low, high)


def _display(image: Pixels, gains: Pixels) -> npt.NDArray[np.uint8]:
    """The picture in 8-bit sRGB, rounded to nearest; alpha stays linear."""
    result = np.empty(image.shape, np.uint8)
    for top, block in _blocks(image, gains, 0.0, 1.0):
        block[..., :3] = srgb_from_linear(block[..., :3])
        result[top : top + len(block)] = block * np.float32(255) + np.float32(0.5)
    return result


def _png(image: Pixels, gains: Pixels) -> Binary:
    from PIL import Image, PngImagePlugin

    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")  # perceptual intent
    buffer = io.BytesIO()
    Image.fromarray(_display(image, gains)).save(buffer, "PNG", pnginfo=chunks)
    return Binary(buffer.getvalue(), "image/png")


def _jpeg(image: Pixels, gains: Pixels, quality: int) -> Binary:
    from PIL import Image

    if max(image.shape[:2]) > 65500:
        raise InvalidJob("a JPEG file holds at most 65500 pixels a side; choose another format")
    buffer = io.BytesIO()
    # Colour at full resolution (4:4:4) where quality is asked for, halved (4:2:0) below.
    subsampling = 0 if quality >= 90 else 2
    # Not optimized: that fails where noise makes the file larger than Pillow's buffer.
    Image.fromarray(_display(image, gains)).save(
        buffer, "JPEG", quality=quality, subsampling=subsampling
    )
    return Binary(buffer.getvalue(), "image/jpeg")


def _exr(image: Pixels, gains: Pixels) -> Binary:
    import OpenEXR

    half = np.empty(image.shape, np.float16)
    for top, block in _blocks(image, gains, -_MAX_HALF, _MAX_HALF):
        half[top : top + len(block)] = block
    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "chromaticities": _REC709,
        "software": "gpuqueue",
    }
    buffer = io.BytesIO()
    with OpenEXR.File(header, {"RGBA"[: image.shape[2]]: half}) as file:
        file.write(buffer)
    return Binary(buffer.getvalue(), "image/x-exr")


def _hdr(image: Pixels, gains: Pixels) -> Binary:
    height, width = image.shape[:2]
    parts = [
        b"#?RADIANCE\nSOFTWARE=gpuqueue\nFORMAT=32-bit_rle_rgbe\n\n",
        b"-Y %d +X %d\n" % (height, width),
    ]
    for _, block in _blocks(image, gains, 0.0, 1e38):
        for row in rgbe_from_linear(block):
            parts.append(_scanline(row))
    return Binary(b"".join(parts), "image/vnd.radiance")


def rgbe_from_linear(linear: Pixels) -> npt.NDArray[np.uint8]:
    """Shared-exponent pixels [..., 4] of values [..., 3] (Ward, Graphics Gems II, "Real Pixels").

    Mantissas are cut, as Radiance does; a reader adds half a step or does not.
    """
    brightest = linear.max(axis=-1, keepdims=True)
    _, exponent = np.frexp(brightest)
    mantissa = np.ldexp(linear, 8 - exponent)
    pixels = np.concatenate([mantissa, exponent + 128], axis=-1)
    return np.where(brightest > 1e-32, pixels, 0).astype(np.uint8)


def _scanline(row: npt.NDArray[np.uint8]) -> bytes:
    """One row of RGBE pixels [W, 4]: run-length coded by channel where the format allows it."""
    width = len(row)
    if not 8 <= width <= 0x7FFF:
        return row.tobytes()
    return bytes([2, 2, width >> 8, width & 255]) + b"".join(_runs(row[:, c]) for c in range(4))


def _runs(values: npt.NDArray[np.uint8]) -> bytes:
    """Runs of 4 to 127 equal bytes as (128 + length, byte), others as (length up to 128, bytes)."""
    edges = np.flatnonzero(np.diff(values)) + 1
    starts = np.concatenate([[0], edges])
    lengths = np.diff(np.concatenate([starts, [len(values)]]))
    text, coded, done = values.tobytes(), bytearray(), 0

    def literal(end: int) -> None:
        for start in range(done, end, 128):
            piece = text[start : min(start + 128, end)]
            coded.append(len(piece))
            coded.extend(piece)

    for start, length in zip(starts[lengths >= 4], lengths[lengths >= 4], strict=True):
        literal(int(start))
        for run in range(0, int(length), 127):
            coded.extend((128 + min(127, int(length) - run), text[start]))
        done = int(start + length)
    literal(len(values))
    return bytes(coded)
