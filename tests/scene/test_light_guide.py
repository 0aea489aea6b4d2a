"""The guide leads to the light that a search of the cumulative chances finds."""

import numpy as np
import pytest

from gpuqueue.scene.light_guide import MAX_BUCKETS, light_guide


def chosen(cdf: np.ndarray, u: np.ndarray) -> np.ndarray:
    """As choose_light in kernels/lights.cuh: from the guide's light on."""
    guide = light_guide(cdf)
    light: np.ndarray = guide["light_guide"][(u * np.float32(guide["light_buckets"])).astype(int)]
    while (beyond := u >= cdf[light]).any():
        light = light + beyond
    return light


@pytest.mark.parametrize("count", [1, 2, 3, 64, 1000])
def test_the_guide_leads_where_a_search_would(count: int) -> None:
    rng = np.random.default_rng(count)
    cdf = np.cumsum(rng.pareto(0.6, count) + 1e-9)
    cdf = (cdf / cdf[-1]).astype(np.float32)
    u = np.concatenate([rng.integers(0, 1 << 24, 20000) / (1 << 24), cdf[:-1], [0.0]])
    u = u[u < 1].astype(np.float32)
    expected = np.searchsorted(cdf, u, side="right")
    np.testing.assert_array_equal(chosen(cdf, u), expected)


def test_the_guide_starts_at_the_first_light_that_can_be_chosen() -> None:
    guide = light_guide(np.array([0.0, 0.0, 0.5, 1.0], np.float32))
    assert guide["light_buckets"] == 16
    assert guide["light_guide"].tolist() == [2] * 8 + [3] * 8


def test_a_guide_is_bounded_and_a_scene_without_lights_has_one() -> None:
    many = np.linspace(0, 1, MAX_BUCKETS + 1, dtype=np.float32)[1:]
    assert light_guide(many)["light_buckets"] == MAX_BUCKETS
    assert light_guide(np.zeros(0, np.float32))["light_buckets"] == 1
