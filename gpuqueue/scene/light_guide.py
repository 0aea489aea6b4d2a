"""A guide to the cumulative chances of lights, so that choosing one takes a look, not a search.

Chen and Asmussen 1974, "On generating random numbers from a discrete distribution". Unlike an
alias table it keeps the order of the lights, and with it the strata of the random numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Buckets for each light, at least; a bucket is met by 1 / BUCKETS_PER_LIGHT lights on average.
BUCKETS_PER_LIGHT = 4
MAX_BUCKETS = 1 << 22


def light_guide(cdf: NDArray[np.float32]) -> dict[str, Any]:
    """Return the fields light_guide ``[light_buckets]`` and light_buckets of a RenderJob.

    `cdf` ``[L]`` ascends to 1. Buckets divide the unit interval evenly; the guide names the light
    that each one's lower end chooses. Their number is a power of two, so that no number drawn is
    rounded into another's bucket.
    """
    wanted = min(max(1, BUCKETS_PER_LIGHT * len(cdf)), MAX_BUCKETS)
    buckets = 1 << (wanted - 1).bit_length()
    ends = np.arange(buckets) / buckets
    guide = np.searchsorted(cdf.astype(np.float64), ends, side="right").astype(np.uint32)
    return {"light_guide": guide, "light_buckets": buckets}
