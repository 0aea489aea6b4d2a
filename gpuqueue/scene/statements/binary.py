"""Binary vectors and lists. A file does not tell their byte order: the plausible one is taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def floats(data: bytes) -> NDArray[np.float64]:
    """Return 32-bit floats; big-endian unless little-endian looks more like coordinates."""
    with np.errstate(invalid="ignore"):  # the wrong order may make signalling NaNs
        big, little = (np.frombuffer(data, f"{order}f4").astype(np.float64) for order in "><")
    return little if _plausible(little) > _plausible(big) else big


def _plausible(values: NDArray[np.float64]) -> int:
    sizes = abs(values)
    return int(np.count_nonzero((sizes == 0) | ((sizes > 1e-12) & (sizes < 1e12))))


def indices(data: bytes, count: int) -> NDArray[np.int64]:
    """Return 32-bit indices; big-endian unless only little-endian keeps them below `count`."""
    big, little = (np.frombuffer(data, f"{order}u4").astype(np.int64) for order in "><")
    return little if (big >= count).any() and not (little >= count).any() else big
