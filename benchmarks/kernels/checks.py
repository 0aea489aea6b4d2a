"""What hits are held to: the CPU's, found through another node layout or by testing everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.kernels.tracers import EVERYTHING
from benchmarks.options import CheckFailed
from benchmarks.rays.scenes import RayKind
from gpuqueue.device.native import kernels, layouts
from tests.kernels.ray_scenes import Array, RayScene

#: Rays that are traced against every triangle, and the most triangles for it.
EXHAUSTIVE_RAYS, EXHAUSTIVE_TRIANGLES = 64, 2_000_000
LEAST_HITS = 0.05


def answers_of(built: Mapping[str, Any], rays: Array, any_hit: bool, layout: str) -> Array:
    """By the compiled module, on all cores."""
    run = kernels().trace_any if any_hit else kernels().trace_closest
    found: Array = run(built, rays.copy(), EVERYTHING, layout, threads=0)
    return found if any_hit else found.view(layouts()["Hit"])


def check(what: str, own: Array, others: Array) -> None:
    """Hits are pure: every bit is the same. Raises CheckFailed, also where hardly any ray hits."""
    apart = int((own != others).sum())
    if apart:
        raise CheckFailed(f"{what}: {apart} of {len(own)} rays have other hits than on the CPU")
    hit = own != 0 if own.dtype.names is None else np.isfinite(own["t"])
    if hit.mean() < LEAST_HITS:
        raise CheckFailed(f"{what}: only {hit.mean():.1%} of the rays hit anything")


def compare_with_all(scene: RayScene, kinds: Mapping[str, RayKind]) -> None:
    """Some rays of each kind against every triangle, where they are not too many. Raises
    CheckFailed."""
    if len(scene.triangles) > EXHAUSTIVE_TRIANGLES:
        return
    built = scene.build("float8", 0)
    for kind, asked in kinds.items():
        rays = asked.rays[:: max(1, len(asked.rays) // EXHAUSTIVE_RAYS)]
        own, every = (answers_of(built, rays, asked.any_hit, n) for n in ("float8", "exhaustive"))
        if (own != every).any():
            raise CheckFailed(f"{kind}: other hits than those of testing every triangle")
