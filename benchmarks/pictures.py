"""How far pictures differ: noise, error against a reference, and whether two show the same.

Relative squared error is ``(x - r)^2 / (r^2 + 0.01)`` for each pixel and channel. Its mean leaves
out the worst thousandth of the pixels, a few caustics that chance alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Pictures = Sequence[Picture]

FLOOR = 0.01
TRIMMED = 0.001
#: Side of the blocks of pixels that are compared: less noise, yet edges that move are seen.
BLOCK = 4


@dataclass(frozen=True)
class Bounds:
    """What may differ: the mean of the picture (relative), and the blocks beyond their noise."""

    mean: float = 0.01
    blocks: float = 0.004


def relative_error(picture: Picture, reference: Picture) -> float:
    """relMSE of a picture against one that counts as true."""
    return _trimmed_mean(_squares(picture - reference.astype(float), reference))


def noise(pictures: Pictures) -> float:
    """The relMSE of one of several pictures of the same, with independent seeds: their variance.

    It needs no reference; a renderer that is wrong is found by `differences`.
    """
    stack = np.asarray(pictures, float)
    deviation = stack - stack.mean(axis=0)
    variance = (deviation**2).sum(axis=0) / (len(stack) - 1)
    return _trimmed_mean(_squares(np.sqrt(variance), stack.mean(axis=0)))


def differences(pictures: Pictures, others: Pictures, bounds: Bounds) -> list[str]:
    """Why two renderers' pictures do not show the same; empty if they do.

    At least two pictures of either, with different seeds, from which their noise is known.
    """
    found = []
    own, other = (np.array([p.mean(dtype=float) for p in group]) for group in (pictures, others))
    error = np.hypot(_standard_error(own) / own.mean(), _standard_error(other) / other.mean())
    off = own.mean() / other.mean() - 1
    if not abs(off) <= bounds.mean + 2 * min(error, bounds.mean):
        found.append(f"the mean is {off:+.2%} off (bound {bounds.mean:.1%}, noise {error:.2%})")
    a, b = ([_blocks(p) for p in group] for group in (pictures, others))
    expected = noise(a) / len(a) + noise(b) / len(b)
    excess = relative_error(np.mean(a, axis=0), np.mean(b, axis=0)) - expected
    if not excess <= bounds.blocks + 0.5 * expected:
        found.append(
            f"blocks of {BLOCK} x {BLOCK} pixels differ by relMSE {excess:.4f} beyond their noise "
            f"of {expected:.4f} (bound {bounds.blocks})"
        )
    return found


def _standard_error(means: NDArray[np.float64]) -> float:
    return float(means.std(ddof=1) / np.sqrt(len(means)))


def _blocks(picture: Picture) -> Picture:
    """Means over blocks; what is left over at the edges is cut off."""
    height, width = (side // BLOCK * BLOCK for side in picture.shape[:2])
    cut = picture[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, -1)
    blocks: Picture = cut.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
    return blocks


def _squares(
    difference: NDArray[np.float64], reference: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Relative squared error of each pixel."""
    squares: NDArray[np.float64] = (difference**2 / (reference.astype(float) ** 2 + FLOOR)).mean(-1)
    return squares


def _trimmed_mean(values: NDArray[np.float64]) -> float:
    """The mean without the largest thousandth."""
    kept = np.sort(values.ravel())[: max(1, round(values.size * (1 - TRIMMED)))]
    return float(kept.mean())
