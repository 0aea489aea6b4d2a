"""Image files to pictures: PNG, JPEG, TIFF, OpenEXR, Radiance HDR. The only user of OpenImageIO.

Values of 8 bits stay as they are; those of 16 bits become linear half floats, as float ones are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.textures.picture import LARGEST_HALF, Picture, Role, linear_from_srgb

MAX_SIDE = 1 << 15
MAX_PIXELS = 1 << 27

#: How files of each format begin, and OpenImageIO's name for it.
_FORMATS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\x76\x2f\x31\x01": "openexr",
    b"#?RADIANCE": "hdr",
    b"#?RGBE": "hdr",
}
EXPECTED = "PNG, JPEG, TIFF, OpenEXR or Radiance HDR"


class UnreadableImage(Exception):
    """Why an image file cannot be used."""


def read_image(path: Path, role: Role) -> Picture:
    """Return the picture in a file; 8 and 16 bit colours are taken for sRGB, all else is linear.

    A scalar is the mean of red, green and blue. Raises UnreadableImage for a file of another
    format, a damaged one, and one of more than `MAX_SIDE` pixels a side or `MAX_PIXELS` in all.
    """
    expected = _format_of(path)
    import OpenImageIO as oiio  # noqa: N813  (its usual name)

    oiio.attribute("threads", 1)
    oiio.attribute("exr_threads", -1)  # none beside the one that calls
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(str(path), hints)
    if file is None:
        raise UnreadableImage(_reason(oiio.geterror, path))
    try:
        spec = file.spec()
        if file.format_name() != expected:
            raise UnreadableImage(f"it is not the {expected} file that it looks like")
        _check_size(spec)
        bits = _sample_bits(oiio, spec)
        kind = {8: oiio.UINT8, 16: oiio.UINT16, 32: oiio.FLOAT}[bits]
        pixels = file.read_image(0, 0, 0, min(spec.nchannels, 4), kind)
        if pixels is None or file.has_error:
            raise UnreadableImage(_reason(file.geterror, path))
    finally:
        file.close()
    if expected == "openexr":
        _divide_by_alpha(pixels)
    return _picture(np.flipud(pixels), role)


def read_image_bytes(data: bytes, role: Role) -> Picture:
    """Return the picture that the bytes of a file hold. Raises UnreadableImage."""
    with NamedTemporaryFile(prefix="gpuqueue-") as file:  # OpenImageIO reads files alone
        file.write(data)
        file.flush()
        return read_image(Path(file.name), role)


def _format_of(path: Path) -> str:
    if "?" in path.name:  # OpenImageIO would read what follows as options
        raise UnreadableImage("a '?' in an image's name is not supported")
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise UnreadableImage(str(error.strerror)) from None
    found = next((name for magic, name in _FORMATS.items() if start.startswith(magic)), None)
    if found is None:
        raise UnreadableImage(f"its format is not known; expected {EXPECTED}")
    return found


def _check_size(spec: Any) -> None:
    width, height = spec.width, spec.height
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise UnreadableImage(
            f"{width} x {height} pixels; at most {MAX_SIDE} a side and {MAX_PIXELS} in all are"
            " possible"
        )
    if spec.depth > 1 or spec.deep or spec.nchannels < 1:
        raise UnreadableImage("it is no flat picture")


def _sample_bits(oiio: Any, spec: Any) -> int:
    kind = spec.format.basetype
    if kind in (oiio.UINT8, oiio.INT8):
        return 8
    return 16 if kind in (oiio.UINT16, oiio.INT16, oiio.UINT32, oiio.INT32) else 32


def _reason(error: Callable[[], str], path: Path) -> str:
    """The first line of what OpenImageIO says, without what could command a terminal."""
    try:
        text = error()
    except UnicodeDecodeError:  # it repeats bytes of the file
        text = ""
    line = text.strip().partition("\n")[0].replace(str(path), path.name)
    return "".join(c if c.isprintable() else " " for c in line)[:200] or "it is damaged"


def _divide_by_alpha(pixels: NDArray[Any]) -> None:
    if pixels.shape[2] in (2, 4):
        alpha = pixels[..., -1:]
        np.divide(pixels[..., :-1], alpha, out=pixels[..., :-1], where=alpha > 0)


def _picture(pixels: NDArray[Any], role: Role) -> Picture:
    """Pixels ``[H, W, 1 to 4]`` of 8 or 16 bits or floats, bottom row first, as a picture."""
    if pixels.dtype == np.uint8:
        if role is Role.SCALAR and pixels.shape[2] > 2:
            mean = np.rint(pixels[..., :3].mean(axis=2, keepdims=True, dtype=np.float32))
            return Picture(mean.astype(np.uint8))
        return Picture(_channels(pixels, role, 255), role is Role.COLOR)
    values = pixels.astype(np.float32)
    if pixels.dtype == np.uint16:
        values *= np.float32(1 / 65535)
        if role is Role.COLOR:
            colors = slice(0, 1 if values.shape[2] < 3 else 3)
            values[..., colors] = linear_from_srgb(values[..., colors])
    if role is Role.SCALAR and values.shape[2] > 2:
        values = values[..., :3].mean(axis=2, keepdims=True)
    values = np.nan_to_num(values, nan=0.0, posinf=LARGEST_HALF, neginf=-LARGEST_HALF)
    halves = np.clip(values, -LARGEST_HALF, LARGEST_HALF).astype(np.float16)
    return Picture(_channels(halves, role, 1))


def _channels(pixels: NDArray[Any], role: Role, opaque: int) -> NDArray[Any]:
    """One channel, or red, green, blue and alpha."""
    count = pixels.shape[2]
    if count == 1 or role is Role.SCALAR:
        return np.ascontiguousarray(pixels[..., :1])
    if count == 4:
        return np.ascontiguousarray(pixels)
    result = np.full((*pixels.shape[:2], 4), opaque, pixels.dtype)
    if count == 3:
        result[..., :3] = pixels
    else:
        result[..., :3], result[..., 3] = pixels[..., :1], pixels[..., 1]
    return result
