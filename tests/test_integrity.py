"""Pictures that are whole pass; whatever is cut from them, or put to them, is found."""

from __future__ import annotations

import numpy as np
import pytest

from gpuqueue.image import ImageFormat, encode
from gpuqueue.integrity import fault_of

FORMATS: list[ImageFormat] = ["png", "jpg", "exr", "hdr"]
#: Of these the end is known.
BOUNDED: list[ImageFormat] = ["png", "jpg", "exr"]


def picture(image_format: ImageFormat, channels: int = 3) -> tuple[bytes, str]:
    pixels = np.linspace(0, 1, 37 * 53 * channels, dtype=np.float32).reshape(37, 53, channels)
    binary = encode(pixels, image_format)
    return binary.data, binary.mime_type


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("image_format", FORMATS)
def test_a_picture_of_ours_is_whole(image_format: ImageFormat, channels: int) -> None:
    assert fault_of(*picture(image_format, channels)) is None


@pytest.mark.parametrize("image_format", BOUNDED)
def test_a_picture_that_ends_too_early_is_found_wherever_it_ends(image_format: ImageFormat) -> None:
    data, mime_type = picture(image_format)
    cuts = {*range(64), *range(64, len(data), 101), len(data) - 1}
    assert [cut for cut in cuts if fault_of(data[:cut], mime_type) is None] == []


@pytest.mark.parametrize("image_format", BOUNDED)
def test_bytes_behind_the_end_are_found(image_format: ImageFormat) -> None:
    data, mime_type = picture(image_format)
    assert fault_of(data + b"x", mime_type) is not None


def test_a_damaged_chunk_of_a_png_is_found_with_its_place() -> None:
    data, mime_type = picture("png")
    damaged = bytearray(data)
    damaged[60] ^= 1
    assert "the checksum of its chunk at byte" in (fault_of(bytes(damaged), mime_type) or "")


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("data", [b"", b"null", bytes(1000), b"\xff" * 1000])
def test_what_is_no_picture_is_found(image_format: ImageFormat, data: bytes) -> None:
    assert fault_of(data, picture(image_format)[1]) is not None


def test_no_bytes_make_the_check_fail_or_hang() -> None:
    random = np.random.default_rng(1)
    for image_format in FORMATS:
        data, mime_type = picture(image_format)
        for _ in range(300):
            damaged = bytearray(data)
            for at in random.integers(0, min(len(data), 600), 3):
                damaged[at] = random.integers(256)
            fault_of(bytes(damaged), mime_type)


def test_of_other_types_nothing_is_asked() -> None:
    assert fault_of(b"", "application/json") is None
    assert fault_of(b"x", "image/tiff") is None
    assert fault_of(b"x", "image/png; quality=1") is not None
