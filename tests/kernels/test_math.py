"""The kernels' elementary functions against numpy in double precision."""

import numpy as np

from gpuqueue.device.native import kernels


def test_sine_and_cosine_of_turns_are_as_exact_as_a_float() -> None:
    turns = np.linspace(0, 1, 100_001, dtype=np.float32)
    result = kernels().elementary(np.stack([turns, turns], 1))
    angle = 2 * np.pi * turns.astype(float)
    assert np.abs(result[:, 0] - np.sin(angle)).max() < 2e-7
    assert np.abs(result[:, 1] - np.cos(angle)).max() < 2e-7


def test_power_is_exact_to_the_exponent_s_amplification_of_rounding() -> None:
    rng = np.random.default_rng(1)
    base = rng.uniform(1e-3, 4, 100_000).astype(np.float32)
    exponent = rng.uniform(0, 12, 100_000).astype(np.float32)
    result = kernels().elementary(np.stack([base, exponent], 1))[:, 2]
    expected = base.astype(float) ** exponent
    assert (np.abs(result / expected - 1) < 2e-7 * (4 + exponent * 10)).all()


def test_power_of_zero_and_to_zero() -> None:
    rows = np.array([[0, 0], [0, 5], [3, 0], [1, 1e6], [0.5, 1e6]], np.float32)
    assert kernels().elementary(rows)[:, 2].tolist()[:4] == [1, 0, 1, 1]
    assert kernels().elementary(rows)[4, 2] < 1e-37
