"""Pictures: what is written is decoded again, by readers that did not write it."""

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gpuqueue.errors import InvalidJob
from gpuqueue.image import (
    develop,
    encode,
    format_of,
    rgbe_from_linear,
    srgb_from_linear,
)

FORMATS = ["png", "jpg", "exr", "hdr"]
MIME_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "exr": "image/x-exr",
    "hdr": "image/vnd.radiance",
}


def ramp(height: int, width: int, channels: int = 3) -> np.ndarray:
    """Every pixel differs: brighter to the right, bluer downwards."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [x / width, np.full_like(x, 0.25), y / height, (x + y) / (height + width)]
    return np.stack(planes[:channels], axis=-1).astype(np.float32)


def display(linear: np.ndarray) -> np.ndarray:
    """8-bit sRGB by the definition, one value at a time, in double precision."""

    def one(v: float) -> int:
        v = min(max(v, 0.0), 1.0)
        s = 12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055
        return int(s * 255 + 0.5)

    return np.vectorize(one)(linear.astype(np.float64)).astype(np.uint8)


def png_rows(data: bytes) -> np.ndarray:
    """The pixels of an 8-bit RGB or RGBA PNG, read by the letter of the PNG specification."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    assert depth == 8
    assert [name for name, _ in chunks].count(b"sRGB") == 1
    n = {2: 3, 6: 4}[kind]
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    rows = np.zeros((height + 1, (width + 1) * n), int)
    for y in range(height):
        method, line = raw[y * (width * n + 1)], raw[y * (width * n + 1) + 1 :][: width * n]
        for i, byte in enumerate(line):
            a, b, c = rows[y + 1, i], rows[y, i + n], rows[y, i]
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            rows[y + 1, i + n] = (byte + [0, a, b, (a + b) // 2, paeth][method]) & 255
    return rows[1:, n:].reshape(height, width, n).astype(np.uint8)


def hdr_rows(data: bytes) -> np.ndarray:
    """The pixels of a Radiance file, read by the letter of its format; values are cut ones."""
    head, _, body = data.partition(b"\n\n")
    assert head.startswith(b"#?RADIANCE\n")
    assert b"FORMAT=32-bit_rle_rgbe" in head
    size, _, body = body.partition(b"\n")
    match = re.fullmatch(rb"-Y (\d+) \+X (\d+)", size)
    assert match
    height, width = int(match[1]), int(match[2])
    rows, at = [], 0
    for _ in range(height):
        if not 8 <= width <= 0x7FFF:
            rows.append(np.frombuffer(body, np.uint8, width * 4, at).reshape(width, 4))
            at += width * 4
            continue
        assert body[at : at + 4] == bytes([2, 2, width >> 8, width & 255])
        at += 4
        planes = []
        for _ in range(4):
            plane = bytearray()
            while len(plane) < width:
                count = body[at]
                assert count != 0
                if count > 128:
                    plane += body[at + 1 : at + 2] * (count - 128)
                    at += 2
                else:
                    plane += body[at + 1 : at + 1 + count]
                    at += 1 + count
            assert len(plane) == width
            planes.append(np.frombuffer(plane, np.uint8))
        rows.append(np.stack(planes, axis=-1))
    assert at == len(body)
    rgbe = np.stack(rows).astype(np.float64)
    return rgbe[..., :3] * np.where(rgbe[..., 3:] > 0, 2.0 ** (rgbe[..., 3:] - 136), 0)


def read_with_mitsuba(data: bytes) -> np.ndarray:
    mi = pytest.importorskip("mitsuba")
    mi.set_variant("scalar_rgb")
    stream = mi.MemoryStream()
    stream.write(data)
    stream.seek(0)
    return np.array(mi.Bitmap(stream))


def test_a_film_is_averaged_by_its_own_counts_and_is_black_without_samples() -> None:
    film = np.zeros((1, 3, 4), np.float32)
    film[0, 0] = [2, 4, 6, 2]
    film[0, 1] = [9, 9, 9, 0]
    film[0, 2] = [3, 0, 1, 4]
    np.testing.assert_array_equal(develop(film)[0], [[1, 2, 3], [0, 0, 0], [0.75, 0, 0.25]])


def test_the_transfer_curve_is_the_exact_one() -> None:
    values = np.array([0, 1e-4, 0.0031308, 0.0031309, 0.18, 0.214041, 0.5, 1], np.float32)
    expected = [0, 0.001292, 0.0404499, 0.0404511, 0.461356, 0.5, 0.735357, 1]
    np.testing.assert_allclose(srgb_from_linear(values), expected, atol=2e-6)


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (300, 9), (2, 513)])
def test_each_format_has_its_mime_type_and_the_same_bytes_each_time(image_format, size) -> None:
    first, second = (encode(ramp(*size), image_format) for _ in range(2))
    assert first == second
    assert first.mime_type == MIME_TYPES[image_format]
    assert first.extension == image_format


@pytest.mark.parametrize("channels", [3, 4])
def test_a_png_has_row_0_on_top_and_srgb_values_rounded_to_nearest(channels) -> None:
    image = ramp(270, 33, channels)
    expected = display(image)
    if channels == 4:
        expected[..., 3] = np.floor(image[..., 3].astype(np.float64) * 255 + 0.5)
    data = encode(image, "png").data
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), expected)
    np.testing.assert_array_equal(png_rows(data), expected)


def test_exposure_doubles_light_before_the_transfer_curve() -> None:
    image = ramp(4, 16)
    np.testing.assert_array_equal(
        png_rows(encode(image, "png", exposure=-2).data), display(image / 4)
    )
    np.testing.assert_allclose(read_with_mitsuba(encode(image, "exr", exposure=1).data), image * 2)


def test_a_jpeg_is_close_and_better_with_more_quality() -> None:
    image = ramp(64, 64)

    def error(quality: int) -> float:
        picture = Image.open(io.BytesIO(encode(image, "jpg", quality=quality).data))
        return float(np.abs(np.asarray(picture).astype(int) - display(image)).mean())

    assert error(95) < 2
    assert error(95) < error(10)


@pytest.mark.parametrize("channels", [3, 4])
def test_an_exr_holds_linear_half_values_and_says_which_colours_they_are(
    channels, tmp_path
) -> None:
    image = ramp(260, 5, channels) * 100
    data = encode(image, "exr").data
    np.testing.assert_allclose(read_with_mitsuba(data), image, rtol=2**-11)
    path = tmp_path / "picture.exr"
    path.write_bytes(data)
    header = OpenEXR.File(str(path)).header()
    assert header["software"] == "gpuqueue"
    assert header["chromaticities"] == pytest.approx(
        (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
    )


@pytest.mark.parametrize("width", [1, 7, 8, 9, 300, 0x7FFF, 0x8000])
def test_an_hdr_picture_is_within_one_step_of_its_shared_exponent(width) -> None:
    image = ramp(3, width) * 10
    data = encode(image, "hdr").data
    step = image.max(axis=-1, keepdims=True) / 128
    assert (np.abs(hdr_rows(data) - image) <= step).all()
    assert (np.abs(read_with_mitsuba(data) - image) <= step).all()


def test_flat_rows_of_an_hdr_picture_are_short() -> None:
    assert len(encode(np.ones((10, 1270, 3), np.float32), "hdr").data) < 10 * 100


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(1, 300)), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_any_row_of_bytes_survives_the_run_lengths(runs) -> None:
    values = np.concatenate([np.full(length, v / 255, np.float32) for v, length in runs])[:0x7FFF]
    image = np.repeat(values[None, :, None], 3, axis=2)
    rgbe = rgbe_from_linear(image).astype(np.float64)
    exact = rgbe[..., :3] * np.where(rgbe[..., 3:] > 0, 2.0 ** (rgbe[..., 3:] - 136), 0)
    np.testing.assert_array_equal(hdr_rows(encode(image, "hdr").data), exact)


@pytest.mark.parametrize(
    ("image_format", "infinity"), [("png", 255), ("jpg", 255), ("exr", 65504), ("hdr", 1e38)]
)
def test_values_that_a_format_cannot_hold_become_the_nearest_it_can(image_format, infinity) -> None:
    image = np.zeros((16, 48, 3), np.float32)
    image[:, :16] = np.nan
    image[:, 16:32] = np.inf
    image[:, 32:] = -1 if image_format != "exr" else 0
    data = encode(image, image_format, exposure=3, quality=100).data
    pixels = (
        np.asarray(Image.open(io.BytesIO(data)))
        if image_format in ("png", "jpg")
        else read_with_mitsuba(data)
    )
    np.testing.assert_allclose(pixels[8, [4, 24, 40], 0], [0, infinity, 0], rtol=0.01, atol=1)


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("quality", [50, 90, 100])
def test_noise_is_written_whole(image_format, quality) -> None:
    noise = np.random.default_rng(1).random((600, 600, 3), dtype=np.float32)
    data = encode(noise, image_format, quality=quality).data
    assert read_with_mitsuba(data).shape == (600, 600, 3)


def test_a_formats_name_comes_from_the_files_extension() -> None:
    assert [format_of(Path(f"a.{e}")) for e in ("PNG", "jpeg", "jpg", "exr", "hdr")] == [
        "png",
        "jpg",
        "jpg",
        "exr",
        "hdr",
    ]
    with pytest.raises(InvalidJob, match=r"a\.tif: no image format 'tif'; known: png, jpg"):
        format_of(Path("a.tif"))


def test_a_picture_too_wide_for_jpeg_is_refused() -> None:
    with pytest.raises(InvalidJob, match="65500"):
        encode(np.zeros((1, 65501, 3), np.float32), "jpg")
