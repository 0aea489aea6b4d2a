"""Rays a second of the node layouts on one core, as ratios to the first, and to Embree if present.

``python -m benchmarks.bench_rays [triangles in thousands]``, with ``pip install embreex`` for the
comparison. The hits are checked against each other before anything is timed. The tracers take turns
by processor time: a ratio is the median over the rounds, each of which compares neighbours in time,
and behind it stand the quartiles. Embree is called on whole arrays, one ray after another, as the
layouts are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from gpuqueue.device.native import kernels, layouts
from tests.kernels.ray_scenes import (
    LAYOUTS,
    Array,
    Floats,
    RayScene,
    displaced_sphere,
    is_hit,
    placed_once,
    rays_of,
)

ROUNDS = 7
RAYS = 200_000


def bumpy_spheres(thousands: int) -> RayScene:
    """One large and many small closed spheres in the cube of side eight."""
    rng = np.random.default_rng(1)
    columns = max(8, round((thousands * 1000 / 4) ** 0.5 * 2))
    parts = [displaced_sphere(columns, columns // 2, np.zeros(3))]
    small = max(6, columns // 12)
    for centre in rng.uniform(-4, 4, (100, 3)):
        points, vertices = displaced_sphere(small, max(4, small // 2), np.zeros(3), 0.05)
        parts.append((points * rng.uniform(0.1, 0.4) + centre, vertices))
    firsts = np.cumsum([0, *(len(points) for points, _ in parts[:-1])])
    return placed_once(
        np.concatenate([points for points, _ in parts]),
        np.concatenate([v + first for (_, v), first in zip(parts, firsts, strict=True)]),
    )


def ray_sets(scene: RayScene) -> dict[str, Array]:
    """Camera rays in scan order, cosine-weighted rays from their hits, and random ones."""
    rng = np.random.default_rng(2)
    side = int(RAYS**0.5)
    y, x = np.mgrid[1 : -1 : side * 1j, -1 : 1 : side * 1j]
    directions = np.stack([x, y, np.full_like(x, 1.5)], -1).reshape(-1, 3)
    camera = rays_of(np.array([[0.1, 0.2, -5.0]]), directions)
    hits = scene.closest(camera, "float8")
    seen = is_hit(hits)
    origins = kernels().surface_origins(*scene.arrays, camera[seen].copy(), hits[seen].copy())
    points, normals = np.moveaxis(origins.view("f4").reshape(-1, 2, 3), 1, 0)
    around = rng.normal(size=points.shape)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    anywhere = rng.uniform(-4, 4, (RAYS, 3))
    return {
        "camera": camera,
        "diffuse": rays_of(points, normals * 1.001 + around),
        "random": rays_of(anywhere, rng.normal(size=(RAYS, 3))),
    }


Tracer = Callable[[Array], Array]


def layout_tracers(scene: RayScene) -> dict[str, Tracer]:
    """Name to a function from rays to the distances of their closest hits, infinite for none."""

    def of_layout(layout: str) -> Tracer:
        built = scene.build(layout)

        def trace(rays: Array) -> Array:
            hits = kernels().trace_closest(built, rays, 7, layout).view(layouts()["Hit"])
            return hits["t"]  # type: ignore[no-any-return]  # a structured array's field

        return trace

    return {layout: of_layout(layout) for layout in LAYOUTS}


def embree_tracer(scene: RayScene) -> dict[str, Tracer]:
    """The same of Embree; nothing, and a line that says so, where it is not installed."""
    try:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene
    except ImportError as missing:
        print(f"without Embree ({missing}); for the comparison: pip install embreex")
        return {}
    embree = EmbreeScene()
    TriangleMesh(embree, scene.positions[scene.triangles["vertex"]].astype(np.float32))

    def trace_embree(rays: Array) -> Array:
        origins, directions = rays["origin"].copy(), rays["direction"].copy()
        distances: Array = embree.run(origins, directions, query="DISTANCE")
        return np.where(distances > 1e30, np.inf, distances)

    return {"embree": trace_embree}


def check(traced: dict[str, Array]) -> None:
    """The layouts agree bit for bit; another tracer up to rays through edges. Exits if not."""
    first = traced[LAYOUTS[0]]
    if np.isfinite(first).mean() < 0.1:
        raise SystemExit("fewer than a tenth of the rays hit anything: not worth timing")
    for name, distances in traced.items():
        same = distances == first if name in LAYOUTS else np.isclose(first, distances, 1e-3, 1e-4)
        if same.mean() < (1.0 if name in LAYOUTS else 0.999):
            raise SystemExit(
                f"{name} finds the hits of {LAYOUTS[0]} for {same.mean():.4%} of the rays"
            )


def seconds_of_rounds(trace: dict[str, Tracer], rays: Array) -> dict[str, Floats]:
    """Seconds of processor time of each tracer [ROUNDS], taking turns."""
    seconds: dict[str, Floats] = {name: np.zeros(ROUNDS) for name in trace}
    for i in range(ROUNDS):
        for name, run in trace.items():
            start = time.process_time()
            run(rays)
            seconds[name][i] = time.process_time() - start
    return seconds


def median_and_quartiles(ratios: Floats) -> str:
    """For example 1.02 (1.01-1.04)."""
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def main() -> None:
    """Check, time and print."""
    thousands = sys.argv[1] if len(sys.argv) > 1 else "200"
    if not thousands.isdigit() or int(thousands) == 0:
        raise SystemExit(f"expected a number of thousand triangles, not {thousands!r}")
    scene = bumpy_spheres(int(thousands))
    trace = layout_tracers(scene) | embree_tracer(scene)
    print(f"{len(scene.triangles)} triangles; rays a second, relative to {LAYOUTS[0]}")
    print(f"{'':10}{'Mrays/s':>9}" + "".join(f"{name:>18}" for name in trace))
    for kind, rays in ray_sets(scene).items():
        check({name: run(rays) for name, run in trace.items()})
        seconds = seconds_of_rounds(trace, rays)
        base = seconds[LAYOUTS[0]]
        ratios = "".join(f"{median_and_quartiles(base / own):>18}" for own in seconds.values())
        print(f"{kind:10}{len(rays) / np.median(base) * 1e-6:9.2f}{ratios}")


if __name__ == "__main__":
    main()
