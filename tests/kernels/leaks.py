"""Rays aimed from inside at the edges and vertices of closed meshes: how many get out.

``python -m tests.kernels.leaks`` aims 1.6 million at each mesh, standing, instanced, moving and
refitted, at 0, 100 and 3000 radii from the origin, through both layouts, and, with ``--ptx`` and
NVRTC, through what a GPU would run. Prints a line for each; fails where one ray gets out, or where
two ways to trace differ in any bit of a hit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from gpuqueue.device.native import kernels, layouts

from .ray_scenes import (
    LAYOUTS,
    Array,
    Floats,
    RayScene,
    displaced_sphere,
    is_hit,
    moving,
    placed_once,
    random_transform,
    rays_of,
    scene_of,
)

#: Radii between a mesh's centre and the origin of coordinates.
DISTANCES = (0, 100, 3000)
DIRECTION_TO_CENTRE = np.array([1, 0.7, -0.3])
#: Off the centre, so that no ray runs along an axis by chance.
INSIDE = np.array([0.013, -0.021, 0.007])
FULL = 1_600_000


@dataclass(frozen=True)
class Aimed:
    """What is traced: rays that all start inside; the time of each, where something moves."""

    rays: Array
    build: Callable[[str], dict[str, Any]]
    times: Array | None = None


def ball(count: int, distance: float = 0.0, displacement: float = 0.1) -> tuple[Floats, Array]:
    """A bumpy sphere with about so many corners and middles of edges: three each a triangle."""
    rows = max(8, round((count / 24) ** 0.5))
    return displaced_sphere(2 * rows, rows, distance * DIRECTION_TO_CENTRE, displacement)


def targets(corners: Floats) -> Floats:
    """The corners of triangles [T, 3, 3], and the middles of their edges."""
    middles = (corners + np.roll(corners, 1, axis=1)) / 2
    return np.concatenate([corners.reshape(-1, 3), middles.reshape(-1, 3)])


def aimed_at(points: Floats, inside: Floats) -> Array:
    """From inside [3] or [N, 3], rounded as rays are; directions of unit length."""
    inside = np.broadcast_to(inside.astype(np.float32), points.shape)
    toward = points.astype(np.float32).astype(float) - inside
    return rays_of(inside, toward / np.linalg.norm(toward, axis=1, keepdims=True))


def standing(count: int, distance: float) -> Aimed:
    """One mesh in world space."""
    return from_within(placed_once(*ball(count, distance)), distance)


def from_within(scene: RayScene, distance: float) -> Aimed:
    """At the edges of a scene's only mesh."""
    corners, _, _ = scene.world_corners()
    centre = distance * DIRECTION_TO_CENTRE + INSIDE
    return Aimed(aimed_at(targets(corners), centre), scene.build)


def placed(rng: np.random.Generator, distance: float) -> Floats:
    """Turned, stretched and far away."""
    matrix = random_transform(rng, spread=0.5)
    matrix[:, 3] += distance * DIRECTION_TO_CENTRE
    return matrix


def instanced(count: int, distance: float) -> Aimed:
    """Three that overlap; rays from inside each at its own edges."""
    rng = np.random.default_rng(2)
    matrices = [placed(rng, distance) for _ in range(3)]
    scene = scene_of([ball(count // 3)], [(0, matrix) for matrix in matrices])
    corners, instances, _ = scene.world_corners()
    rays = [
        aimed_at(targets(corners[instances == i]), matrix @ [*INSIDE, 1])
        for i, matrix in enumerate(matrices)
    ]
    return Aimed(np.concatenate(rays), scene.build)


def in_motion(count: int, distance: float) -> Aimed:
    """One that turns and stretches while it flies; each ray at a time of its own."""
    rng = np.random.default_rng(3)
    first = placed(rng, distance)
    # Never near what is flat, which has no inside.
    keys = [first, *(first + first[:, :3] @ rng.uniform(-0.25, 0.25, (3, 4)) for _ in range(2))]
    mesh = ball(count)
    scene = moving(scene_of([mesh], [(0, np.eye(3, 4))]), {0: keys})
    points = targets(mesh[0][mesh[1]])
    times = rng.random(len(points)).astype(np.float32)
    before = np.minimum((times * 2).astype(int), 1)
    later = (times.astype(float) * 2 - before)[:, None, None]
    stacked = np.array(keys)
    at = stacked[before] * (1 - later) + stacked[before + 1] * later
    ends = (at[:, :, :3] @ points[:, :, None])[..., 0] + at[:, :, 3]
    inside = at[:, :, :3] @ INSIDE + at[:, :, 3]
    return Aimed(aimed_at(ends, inside), scene.build, times)


def refitted(count: int, distance: float) -> Aimed:
    """A tree of a smooth sphere at the origin, refitted to a bumpy one elsewhere."""
    smooth = placed_once(*ball(count, 0.0, displacement=0.0))
    moved = placed_once(*ball(count, distance, displacement=0.3))

    def build(layout: str) -> dict[str, Any]:
        built = smooth.build(layout)
        again: dict[str, Any] = kernels().refit_accelerator(built, *moved.arrays, layout)
        return again

    return replace(from_within(moved, distance), build=build)


CASES: dict[str, Callable[[int, float], Aimed]] = {
    "standing": standing,
    "instanced": instanced,
    "moving": in_motion,
    "refitted": refitted,
}

#: Hit records of what was aimed, through an accelerator of a layout.
Tracer = Callable[[Aimed], Array]


def on_cpu(layout: str) -> Tracer:
    """By the compiled module."""

    def trace(aimed: Aimed) -> Array:
        built = aimed.build(layout)
        hits: Array = kernels().trace_closest(built, aimed.rays, 7, layout, times=aimed.times)
        return hits.view(layouts()["Hit"])

    return trace


def by_ptx(folder: Path) -> Tracer:
    """By the kernel that a GPU would run; it knows no times."""
    from tests.ptx import load_ptx
    from tests.ptx.compilers import kernels_ptx
    from tests.ptx.test_trace import traced

    program = load_ptx(kernels_ptx("nvrtc", 90, True), "leaks.ptx", folder)

    def trace(aimed: Aimed) -> Array:
        like = np.zeros(len(aimed.rays), layouts()["Hit"])
        return traced(program, "trace_rays", aimed.build("compressed8"), aimed.rays, like)

    return trace


def measure(
    count: int, tracers: dict[str, Tracer], cases: Iterable[str] = tuple(CASES)
) -> Iterator[tuple[str, int, int, dict[str, int]]]:
    """For each case and distance how many rays there are, and how many got out by each way; or -1
    where a way's hits are not those of the first, bit for bit."""
    for name, distance in product(cases, DISTANCES):
        aimed = CASES[name](count, distance)
        first: Array | None = None
        out = {}
        for way, trace in tracers.items():
            if way == "ptx" and aimed.times is not None:
                continue
            hits = trace(aimed)
            first = hits if first is None else first
            out[way] = int((~is_hit(hits)).sum()) if hits.tobytes() == first.tobytes() else -1
        yield name, distance, len(aimed.rays), out


def main(arguments: list[str] | None = None) -> int:
    """1 where a ray gets out or ways differ."""
    parsed = argparse.ArgumentParser(prog="python -m tests.kernels.leaks", description=__doc__)
    parsed.add_argument("--rays", type=int, default=FULL, help="at each mesh, about")
    parsed.add_argument("--ptx", action="store_true", help="also what NVRTC makes for a GPU")
    asked = parsed.parse_args(arguments)
    tracers = {layout: on_cpu(layout) for layout in LAYOUTS}
    is_tight = True
    with tempfile.TemporaryDirectory() as folder:
        if asked.ptx:
            tracers["ptx"] = by_ptx(Path(folder))
        for name, distance, rays, out in measure(asked.rays, tracers):
            print(f"{name:10} at {distance:4} radii, {rays} rays: {out} got out", flush=True)
            is_tight &= not any(out.values())
    return 0 if is_tight else 1


if __name__ == "__main__":
    sys.exit(main())
