"""Closest and any hits, through the compiled module and through Embree: checked, then timed.

Every tracer is called on chunks of some thousand rays, so that neither side pays for Python, and
traces a whole kind of rays before the next has its turn, so that none finds the caches warmed by
another. Seconds are those of the processor, in this thread; ratios are taken round by round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial

import numpy as np

from benchmarks.options import CheckFailed, Options
from benchmarks.rays.embree import Embree, EmbreeMissingError, EmbreeScene
from benchmarks.rays.places import FAST, OURS, PLACES, ROBUST
from benchmarks.rays.scenes import RayKind, ray_kinds
from benchmarks.rows import Row, ratio
from benchmarks.timing import take_turns
from gpuqueue.device.native import kernels, layouts
from tests.kernels.ray_scenes import Array, RayScene, is_hit

CHUNK = 4096
#: Rays that may find another hit than Embree's, of a million: through edges, and where surfaces
#: of overlapping bodies cross.
MAY_DIFFER = 100
#: Hit records, or bytes, for rays and whether any hit will do.
Tracer = Callable[[Array, bool], Array]


def rays(options: Options, names: tuple[str, ...] = tuple(PLACES)) -> Iterator[Row]:
    """Rates of every kind of ray in every place, and ratios to Embree where it is installed.

    Raises CheckFailed where the hits are not the same.
    """
    for name in names:
        scene, view = PLACES[name].scaled(options)
        kinds = ray_kinds(scene, view, side=64 if options.quick else 512)
        with ExitStack() as held:
            tracers: dict[str, Tracer] = {OURS: our_tracer(scene)}
            note = ""
            try:
                tracers |= embree_tracers(scene, held)
            except EmbreeMissingError as missing:
                note = str(missing)
            for kind, asked in kinds.items():
                yield from measure(name, kind, asked, tracers, options.rounds, note)


def our_tracer(scene: RayScene, layout: str = "float8") -> Tracer:
    """The module's own batch entry, on one thread."""
    built = scene.build(layout)

    def trace(some: Array, any_hit: bool) -> Array:
        if any_hit:
            occluded: Array = kernels().trace_any(built, some, 7, layout)
            return occluded
        hits: Array = kernels().trace_closest(built, some, 7, layout)
        return hits.view(layouts()["Hit"])

    return trace


def embree_tracers(scene: RayScene, held: ExitStack) -> dict[str, Tracer]:
    """Both modes, freed with `held`. Raises EmbreeMissingError."""
    embree = held.enter_context(Embree())

    def tracer(robust: bool) -> Tracer:
        built = held.enter_context(EmbreeScene(embree, scene, robust=robust)).build()
        return lambda some, any_hit: built.any(some) if any_hit else built.closest(some)

    return {ROBUST: tracer(robust=True), FAST: tracer(robust=False)}


def measure(
    name: str, kind: str, asked: RayKind, tracers: Mapping[str, Tracer], rounds: int, note: str
) -> Iterator[Row]:
    """The rate of each tracer, then ours as a ratio to each other; what they disagree on."""
    traced = {who: trace(asked.rays, asked.any_hit) for who, trace in tracers.items()}
    row = partial(Row, "rays", name, kind)
    for who in list(traced)[1:]:
        apart = differing(traced[OURS], traced[who]) / len(asked.rays) * 1e6
        if apart > MAY_DIFFER:
            raise CheckFailed(f"{name}, {kind}: {apart:.0f} of a million rays hit else in {who}")
        yield row(f"differing from {who}, per million", (apart,), "neither")
    seconds = take_turns(
        {who: partial(in_chunks, trace, asked) for who, trace in tracers.items()},
        rounds,
        time.thread_time,
    )
    for who, own in seconds.items():
        rates = tuple(len(asked.rays) / each * 1e-6 for each in own)
        yield row(f"{who}, Mrays/s", rates, "higher", note)
    for who in list(seconds)[1:]:
        yield row(f"ratio to {who}", ratio(seconds[who], seconds[OURS]))


def differing(ours: Array, others: Array) -> int:
    """How many rays hit other triangles, further apart than roundings put two that touch."""
    if ours.dtype == np.uint8:
        return int((ours != others).sum())
    same = (ours["instance"] == others["instance"]) & (ours["triangle"] == others["triangle"])
    both = is_hit(ours) & is_hit(others)
    t = np.where(both, ours["t"], 0.0), np.where(both, others["t"], 0.0)
    near = both & (np.abs(t[0] - t[1]) <= 1e-3 * (1 + np.abs(t[0])))
    return int((~(same | near)).sum())


def in_chunks(trace: Tracer, asked: RayKind) -> None:
    """Trace all rays of a kind; what they hit was looked at before."""
    for first in range(0, len(asked.rays), CHUNK):
        trace(asked.rays[first : first + CHUNK], asked.any_hit)
