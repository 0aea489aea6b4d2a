"""The section `kernels`: rays a second by kind and scene, building, and the share of the roof."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.device import clock_of, open_device
from benchmarks.kernels.compiler import CompilerMissing
from benchmarks.kernels.counting import count_visits
from benchmarks.kernels.launcher import LAUNCHERS, Launcher
from benchmarks.kernels.operations import operations
from benchmarks.kernels.probe import Machine, probe_gpu, probe_host
from benchmarks.kernels.roofline import operations_of, roof_of
from benchmarks.kernels.tracers import EVERYTHING, GpuTracer, HostTracer, Tracer
from benchmarks.options import CheckFailed, Options
from benchmarks.rays.places import PLACES
from benchmarks.rays.scenes import RayKind, ray_kinds
from benchmarks.rows import Row
from benchmarks.timing import Clock, timed
from gpuqueue.device import Device
from gpuqueue.device.cpu import usable_cores
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.native import kernels as module
from gpuqueue.device.native import layouts
from tests.kernels.ray_scenes import Array, RayScene

#: Rays of a kind: their square root. A GPU needs more of them to be busy.
HOST_SIDE, GPU_SIDE, QUICK_SIDE = 512, 1024, 64
#: Rays that are traced against every triangle, and the most triangles for it.
EXHAUSTIVE_RAYS, EXHAUSTIVE_TRIANGLES = 64, 2_000_000


@dataclass(frozen=True)
class Bench:
    """The open device, and how it traces. `launcher` is None on the host."""

    device: KernelDevice
    clock: Clock
    threads: int
    launcher: Launcher | None

    @property
    def layout(self) -> str:
        """The node layout of the device's kernels."""
        return "compressed8" if self.launcher else "float8"

    def tracer(self, built: Mapping[str, Any], asked: RayKind) -> Tracer:
        """All rays, ready to be traced."""
        if self.launcher is None:
            return HostTracer(built, asked.rays, asked.any_hit, self.threads, self.clock)
        return GpuTracer(self.device.driver, built, asked.rays, asked.any_hit)

    def probe(self, quick: bool) -> Machine:
        """What the machine can do at best."""
        small = {"elements": 1 << 16} if quick else {}
        if self.launcher is None:
            return probe_host(self.threads, self.clock, **small)
        return probe_gpu(self.device.driver, self.launcher, self.clock, **small)


def kernels(options: Options) -> Iterator[Row]:
    """Rows of the machine, then of each scene. Raises CheckFailed where hits are not those that
    the other node layout finds on the CPU, or every triangle tested."""
    with open_device(options) as device, opened_bench(device, options) as bench:
        machine, note = None, ""
        try:
            machine = bench.probe(options.quick)
            yield from rows_of_machine(machine, device.name)
        except (CompilerMissing, ValueError) as missing:
            note = f"no roof: {str(missing).splitlines()[0]}"
        for name, place in PLACES.items():
            scene, view = place.scaled(options)
            side = QUICK_SIDE if options.quick else GPU_SIDE if bench.launcher else HOST_SIDE
            kinds = ray_kinds(scene, view, side)
            yield from measured(bench, name, scene, kinds, machine, options.rounds, note)


@contextmanager
def opened_bench(device: Device, options: Options) -> Iterator[Bench]:
    """How the device that was opened traces, while the block runs."""
    assert isinstance(device, KernelDevice)
    threads = options.threads or usable_cores()
    launcher = LAUNCHERS[device.name]() if device.name in LAUNCHERS else None
    try:
        yield Bench(device, clock_of(device, options), threads, launcher)
    finally:
        if launcher is not None:
            launcher.close()


def rows_of_machine(machine: Machine, case: str) -> Iterator[Row]:
    """What it can do at best."""
    row = partial(Row, "kernels", "machine", case)
    yield row("GB/s from memory", (machine.bytes_per_s * 1e-9,), "higher", "triad, the best round")
    yield row("Goperations/s", (machine.operations_per_s * 1e-9,), "higher", "fp32, a fused two")


def measured(
    bench: Bench,
    name: str,
    scene: RayScene,
    kinds: Mapping[str, RayKind],
    machine: Machine | None,
    rounds: int,
    note: str,
) -> Iterator[Row]:
    """Rows of one scene."""
    build = partial(scene.build, bench.layout, bench.threads)
    seconds, built = timed(build, bench.clock)
    if len(scene.triangles) <= EXHAUSTIVE_TRIANGLES:
        compare_with_all(scene, kinds)
    rate = len(scene.triangles) / seconds * 1e-6
    yield Row("kernels", name, "build", "Mtriangles/s", (rate,), note=bench.layout)
    other = scene.build("float8" if bench.launcher else "compressed8", 0)
    for kind, asked in kinds.items():
        row = partial(Row, "kernels", name, kind)
        tracer = bench.tracer(built, asked)
        tracer.trace()
        check(f"{name}, {kind}", tracer.answers(), traced(other, asked, bench))
        taken = [tracer.trace() for _ in range(rounds)]
        rates = tuple(len(asked.rays) / s * 1e-6 for s in taken)
        yield row("Mrays/s", rates, note=note)
        if machine:
            yield from rows_of_roof(row, built, asked, rates, machine, bench.layout)


def traced(other: Mapping[str, Any], asked: RayKind, bench: Bench) -> Array:
    """The answers of the CPU's code for the other layout."""
    layout = "float8" if bench.launcher else "compressed8"
    return answers_of(other, asked.rays, asked.any_hit, layout)


def answers_of(built: Mapping[str, Any], rays: Array, any_hit: bool, layout: str) -> Array:
    """By the compiled module, on all cores."""
    run = module().trace_any if any_hit else module().trace_closest
    found: Array = run(built, rays.copy(), EVERYTHING, layout, threads=0)
    return found if any_hit else found.view(layouts()["Hit"])


def check(what: str, own: Array, others: Array) -> None:
    """Hits are pure: every bit is the same. Raises CheckFailed, also where hardly any ray hits."""
    apart = int((own != others).sum())
    if apart:
        raise CheckFailed(f"{what}: {apart} of {len(own)} rays have other hits than on the CPU")
    hit = own != 0 if own.dtype.names is None else np.isfinite(own["t"])
    if hit.mean() < 0.05:
        raise CheckFailed(f"{what}: only {hit.mean():.1%} of the rays hit anything")


def compare_with_all(scene: RayScene, kinds: Mapping[str, RayKind]) -> None:
    """Some rays of each kind against every triangle. Raises CheckFailed."""
    built = scene.build("float8", 0)
    for kind, asked in kinds.items():
        rays = asked.rays[:: max(1, len(asked.rays) // EXHAUSTIVE_RAYS)]
        own, every = (answers_of(built, rays, asked.any_hit, n) for n in ("float8", "exhaustive"))
        if (own != every).any():
            raise CheckFailed(f"{kind}: other hits than those of testing every triangle")


def rows_of_roof(
    row: Callable[..., Row],
    built: Mapping[str, Any],
    asked: RayKind,
    rates: tuple[float, ...],
    machine: Machine,
    layout: str,
) -> Iterator[Row]:
    """What a ray visits, asks for and computes, and the share of the roof that the rate is."""
    visits = count_visits(built, asked.rays, asked.any_hit, layout)
    yield row("nodes a ray", (visits.nodes,), "lower")
    yield row("triangle blocks a ray", (visits.blocks,), "lower")
    yield row("bytes asked for a ray", (visits.asked_bytes,), "lower")
    yield row("bytes from memory a ray", (visits.memory_bytes,), "lower")
    try:
        computed = operations_of(visits, operations(), layout)
    except CompilerMissing as missing:
        yield row(
            "GB/s asked for", tuple(r * visits.asked_bytes * 1e-3 for r in rates), note=str(missing)
        )
        return
    yield row("operations a ray", (computed,), "lower")
    roof = roof_of(visits, computed, machine)
    shares = tuple(r * 1e6 / roof.rays_per_s for r in rates)
    yield row("share of the roof", shares, note=f"bound by {roof.limit}")
