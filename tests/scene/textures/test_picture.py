"""Smaller pictures stand for larger ones: their linear mean is the same, their sizes halve."""

from __future__ import annotations

import numpy as np
import pytest

from gpuqueue.scene.textures.picture import Picture, linear_from_srgb_bytes, mip_levels

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (1, 9), (13, 1), (100, 33), (130, 6)])
@pytest.mark.parametrize("channels", [1, 4])
def test_the_mean_is_kept_from_level_to_level(size: tuple[int, int], channels: int) -> None:
    picture = Picture(RNG.random((*size, channels)).astype(np.float16))
    levels = mip_levels(picture)
    for level in levels:
        np.testing.assert_allclose(
            level.astype(float).mean((0, 1)), picture.texels.astype(float).mean((0, 1)), rtol=2e-3
        )
    if channels == 4:
        np.testing.assert_allclose(picture.mean(), levels[-1][0, 0], atol=2e-3)


def test_sizes_halve_down_to_one_texel() -> None:
    levels = mip_levels(Picture(np.zeros((13, 6, 1), np.uint8)))
    assert [level.shape[:2] for level in levels] == [(13, 6), (6, 3), (3, 1), (1, 1)]


def test_srgb_is_averaged_as_light_and_alpha_as_it_is() -> None:
    """Half black, half white is half the light: byte 188, not 128."""
    texels = np.zeros((2, 2, 4), np.uint8)
    texels[0] = 255
    (smallest,) = mip_levels(Picture(texels, is_srgb=True))[-1]
    assert smallest.tolist() == [[188, 188, 188, 128]]
    assert mip_levels(Picture(texels))[-1].tolist() == [[[128, 128, 128, 128]]]
    assert Picture(texels, is_srgb=True).mean() == pytest.approx((0.5, 0.5, 0.5, 0.5))


def test_each_srgb_byte_survives_averaging_with_itself() -> None:
    texels = np.repeat(np.arange(256, dtype=np.uint8), 2).reshape(1, 512, 1)
    (half,) = mip_levels(Picture(texels, is_srgb=True))[1]
    assert half[:, 0].tolist() == list(range(256))


def test_an_odd_row_gives_each_texel_the_same_weight() -> None:
    for place in range(5):
        row = np.zeros((1, 5, 1), np.float16)
        row[0, place] = 5
        assert mip_levels(Picture(row))[1].astype(float).mean() == pytest.approx(1, rel=1e-3)


def test_the_mean_of_a_grey_picture_has_three_equal_colours() -> None:
    picture = Picture(np.array([[[0], [255]]], np.uint8), is_srgb=True)
    mean = (0.0 + linear_from_srgb_bytes()[255]) / 2
    assert picture.mean() == pytest.approx((mean, mean, mean, 1.0))
