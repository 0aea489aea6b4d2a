"""The sampler: stratified in pairs of dimensions, independent over pixels, seeds, dimensions."""

import numpy as np
import pytest
from scipy import stats

from gpuqueue.device.native import kernels
from tests.kernels.tiny_scene import Floats


def draw(
    x: int = 3, y: int = 5, first: int = 0, count: int = 256, dimension: int = 0, seed: int = 1
) -> Floats:
    numbers: Floats = kernels().sampler_draw(x, y, first, count, dimension, seed)
    return numbers


@pytest.mark.parametrize("dimension", range(40))
@pytest.mark.parametrize("log_count", [4, 7, 10])
def test_powers_of_two_fill_every_elementary_interval_once(dimension: int, log_count: int) -> None:
    count = 1 << log_count
    points = draw(first=3 * count, count=count, dimension=dimension)
    for bits in range(log_count + 1):
        column = (points[:, 0] * (1 << bits)).astype(int)
        row = (points[:, 1] * (1 << (log_count - bits))).astype(int)
        assert len(set(column * count + row)) == count
    assert len(set((points[:, 2] * count).astype(int))) == count


def test_numbers_are_in_the_half_open_unit_interval() -> None:
    numbers = draw(count=1 << 16)
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_one_sample_is_uniform_over_pixels() -> None:
    points = np.concatenate(
        [draw(x, y, first=7, count=1, dimension=4) for x in range(64) for y in range(64)]
    )
    for column in points.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    cells = np.histogram2d(points[:, 0], points[:, 1], bins=8, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(cells.ravel()).pvalue > 1e-3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": 3}, {"x": 4}),
        ({"y": 5}, {"y": 6}),
        ({"x": 3, "y": 5}, {"x": 5, "y": 3}),
        ({"seed": 1}, {"seed": 2}),
        ({"dimension": 1}, {"dimension": 2}),
        ({"dimension": 0}, {"dimension": 31}),
    ],
)
def test_pixels_seeds_and_dimensions_do_not_correlate(
    one: dict[str, int], other: dict[str, int]
) -> None:
    a, b = draw(count=4096, **one), draw(count=4096, **other)
    for i in range(3):
        for j in range(3):
            # Stratified sequences correlate by chance 1.25 times as much as independent numbers.
            assert abs(np.corrcoef(a[:, i], b[:, j])[0, 1]) < 5 * 1.25 / np.sqrt(4096)


def test_neighbouring_samples_of_single_pixels_do_not_correlate_over_the_film() -> None:
    pairs = np.array([draw(x, 9, count=2, dimension=2)[:, 0] for x in range(4096)])
    # Stratification puts the two into different halves, which alone gives -3/4.
    assert abs(np.corrcoef(pairs.T)[0, 1] + 0.75) < 0.05
    halves = pairs * 2 % 1
    assert abs(np.corrcoef(halves.T)[0, 1]) < 4 / np.sqrt(4096)


def test_a_number_depends_on_its_own_sample_alone() -> None:
    np.testing.assert_array_equal(draw(first=0, count=64)[37:41], draw(first=37, count=4))
