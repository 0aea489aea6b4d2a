"""What each format's values become, and files that lie."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.scene.textures.image_file import UnreadableImage, read_image
from gpuqueue.scene.textures.picture import Role, linear_from_srgb_bytes

from .images import write_image

RNG = np.random.default_rng(7)


def noise(kind: str, channels: int, height: int = 5, width: int = 9) -> Any:
    scale = {"u1": 255, "u2": 65535, "f2": 4, "f4": 4}[kind]
    return (RNG.random((height, width, channels)) * scale).astype(kind)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_bytes_stay_as_they_are_with_the_bottom_row_first(tmp_path: Path, name: str) -> None:
    flat = np.full((32, 16, 3), (255, 0, 64), np.uint8)
    flat[16:] = (0, 128, 255)
    picture = read_image(write_image(tmp_path / name, flat), Role.COLOR)
    assert picture.is_srgb
    assert picture.texels.shape == (32, 16, 4)
    difference = np.abs(picture.texels[::-1, :, :3].astype(int) - flat)
    # JPEG halves the resolution of colours: they mix where they meet.
    assert difference[[*range(12), *range(20, 32)]].max() <= (2 if name == "a.jpg" else 0)
    assert (picture.texels[..., 3] == 255).all()


def test_only_a_colour_is_taken_for_srgb(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png", noise("u1", 3))
    assert read_image(path, Role.COLOR).is_srgb
    assert not read_image(path, Role.VECTOR).is_srgb
    assert not read_image(path, Role.SCALAR).is_srgb


def test_a_scalar_is_the_mean_of_its_colours(tmp_path: Path) -> None:
    pixels = noise("u1", 4)
    scalar = read_image(write_image(tmp_path / "a.png", pixels), Role.SCALAR)
    assert scalar.texels.shape == (5, 9, 1)
    mean = np.rint(pixels[::-1, :, :3].mean(-1, dtype=np.float32))
    assert (scalar.texels[..., 0] == mean).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_kept_to_the_precision_of_a_half(tmp_path: Path, name: str) -> None:
    pixels = noise("u2", 4)
    path = write_image(tmp_path / name, pixels)
    data = read_image(path, Role.VECTOR).texels[::-1]
    np.testing.assert_allclose(data.astype(float), pixels / 65535, rtol=6e-4, atol=1e-7)
    color = read_image(path, Role.COLOR).texels[::-1].astype(float)
    coded = pixels[..., :3] / 65535
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(color[..., :3], linear, rtol=6e-4, atol=1e-7)
    np.testing.assert_allclose(color[..., 3], pixels[..., 3] / 65535, rtol=6e-4, atol=1e-7)


@pytest.mark.parametrize(("name", "kind"), [("a.exr", "f2"), ("a.exr", "f4"), ("a.tif", "f4")])
def test_floats_are_linear(tmp_path: Path, name: str, kind: str) -> None:
    pixels = noise(kind, 3)
    picture = read_image(write_image(tmp_path / name, pixels), Role.COLOR)
    np.testing.assert_allclose(picture.texels[::-1, :, :3], pixels, rtol=6e-4)
    assert not picture.is_srgb


def test_radiance_files_are_read_to_their_precision(tmp_path: Path) -> None:
    pixels = noise("f4", 3, width=40)
    picture = read_image(write_image(tmp_path / "a.hdr", pixels), Role.COLOR)
    error = np.abs(picture.texels[::-1, :, :3].astype(float) - pixels)
    assert (error <= pixels.max(-1, keepdims=True) / 100).all()


def test_values_that_no_half_holds_become_the_nearest(tmp_path: Path) -> None:
    pixels = np.zeros((1, 4, 3), np.float32)
    pixels[0, :, 0] = (np.nan, np.inf, 1e30, 1)
    texels = read_image(write_image(tmp_path / "a.exr", pixels), Role.COLOR).texels
    assert texels[0, :, 0].tolist() == [0, 65504, 65504, 1]


def test_alpha_that_is_multiplied_in_is_divided_out(tmp_path: Path) -> None:
    pixels = np.array([[[0.25, 0.5, 0.125, 0.5], [0, 0, 0, 0]]], np.float32)
    texels = read_image(write_image(tmp_path / "a.exr", pixels), Role.COLOR).texels
    assert texels[0].tolist() == [[0.5, 1, 0.25, 0.5], [0, 0, 0, 0]]
    plain = np.array([[[64, 128, 32, 128]]], np.uint8)
    texels = read_image(write_image(tmp_path / "a.png", plain), Role.COLOR).texels
    assert (texels == plain).all()


def test_grey_stays_one_channel_and_grey_with_alpha_does_not(tmp_path: Path) -> None:
    grey, clear = noise("u1", 1), noise("u1", 2)
    assert read_image(write_image(tmp_path / "a.png", grey), Role.COLOR).texels.shape[2] == 1
    texels = read_image(write_image(tmp_path / "b.png", clear), Role.COLOR).texels[::-1]
    assert (texels[..., :3] == clear[..., :1]).all()
    assert (texels[..., 3] == clear[..., 1]).all()


def with_declared_size(png: bytes, width: int, height: int) -> bytes:
    """The file with another size in its header, and a checksum that agrees."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + png[24:29]
    return png[:12] + header + zlib.crc32(header).to_bytes(4, "big") + png[33:]


@pytest.mark.parametrize("side", [30000, 60000])
def test_a_huge_declared_size_is_refused_before_memory_is_taken(tmp_path: Path, side: int) -> None:
    path = write_image(tmp_path / "a.png", noise("u1", 3))
    path.write_bytes(with_declared_size(path.read_bytes(), side, side))
    with pytest.raises(UnreadableImage, match=f"{side} x {side} pixels|malicious header"):
        read_image(path, Role.COLOR)


def test_a_picture_too_large_is_refused_with_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = write_image(tmp_path / "a.png", np.zeros((1, 33000, 1), np.uint8))
    with pytest.raises(UnreadableImage, match="33000 x 1 pixels; at most 32768 a side"):
        read_image(long, Role.COLOR)
    monkeypatch.setattr("gpuqueue.scene.textures.image_file.MAX_PIXELS", 99)
    path = write_image(tmp_path / "b.png", np.zeros((10, 10, 1), np.uint8))
    with pytest.raises(UnreadableImage, match=r"10 x 10 pixels; .* and 99 in all"):
        read_image(path, Role.COLOR)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.exr", "a.hdr"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused_or_read_without_a_crash(
    tmp_path: Path, name: str, share: float
) -> None:
    kind = "f4" if name in ("a.exr", "a.hdr") else "u1"
    path = write_image(tmp_path / name, noise(kind, 3, 64, 64))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableImage) as error:
        read_image(path, Role.COLOR)
    assert str(tmp_path) not in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.exr", "a.hdr"])
def test_flipped_bytes_never_crash(tmp_path: Path, name: str) -> None:
    kind = "f4" if name in ("a.exr", "a.hdr") else "u1"
    path = write_image(tmp_path / name, noise(kind, 3, 16, 16))
    data = path.read_bytes()
    for trial in range(60):
        rng = np.random.default_rng(trial)
        damaged = bytearray(data)
        for place in rng.integers(8, min(len(data), 400), 4):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            texels = read_image(path, Role.COLOR).texels
        except UnreadableImage:
            continue
        assert np.isfinite(texels.astype(np.float32)).all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"<html>", "its format is not known; expected PNG, JPEG"),
        ("a.png", b"", "its format is not known"),
        ("a.gif", b"GIF89a" + bytes(100), "its format is not known"),
        ("a.null", b"\x89PNG\r\n\x1a\n" + bytes(100), "not the png file|damaged|error|header"),
        ("a.png?b.png", b"\x89PNG\r\n\x1a\n", "'\\?' in an image's name"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableImage, match=message):
        read_image(tmp_path / name, Role.COLOR)


def test_the_table_of_srgb_bytes_is_the_standards_curve() -> None:
    table = linear_from_srgb_bytes()
    assert table[[0, 255]].tolist() == [0, 1]
    assert table[128] == pytest.approx(0.2158605, abs=1e-6)
    assert table[10] == pytest.approx(10 / 255 / 12.92)
