"""The section `kernels`: rays a second by kind and scene, building, and the share of the roof."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from benchmarks.device import open_device
from benchmarks.kernels.bench import Bench, opened_bench
from benchmarks.kernels.checks import answers_of, check, compare_with_all
from benchmarks.kernels.compiler import CompilerMissing
from benchmarks.kernels.counting import Visits, count_visits
from benchmarks.kernels.operations import operations
from benchmarks.kernels.probe import Machine
from benchmarks.kernels.roofline import operations_of, roof_of
from benchmarks.options import Options
from benchmarks.rays.places import PLACES
from benchmarks.rays.scenes import RayKind, ray_kinds
from benchmarks.rows import Row
from benchmarks.timing import timed
from tests.kernels.ray_scenes import RayScene

SECTION = "kernels"


def kernels(options: Options) -> Iterator[Row]:
    """Rows of the machine, then of each scene. Raises CheckFailed where hits are not those that
    the other node layout finds on the CPU, or every triangle tested."""
    with open_device(options) as device, opened_bench(device, options) as bench:
        if bench.machine:
            yield from rows_of_machine(bench.machine, device.name)
        for name, place in PLACES.items():
            scene, view = place.scaled(options)
            yield from measured(bench, name, scene, ray_kinds(scene, view, bench.side))


def rows_of_machine(machine: Machine, case: str) -> Iterator[Row]:
    """What it can do at best."""
    row = partial(Row, SECTION, "machine", case)
    yield row("GB/s from memory", (machine.bytes_per_s * 1e-9,), "higher", "triad, the best round")
    yield row("Goperations/s", (machine.operations_per_s * 1e-9,), "higher", "fp32, a fused two")


def measured(
    bench: Bench, name: str, scene: RayScene, kinds: Mapping[str, RayKind]
) -> Iterator[Row]:
    """Rows of one scene."""
    compare_with_all(scene, kinds)
    seconds, built = timed(partial(scene.build, bench.layout, bench.threads), bench.clock)
    rate = len(scene.triangles) / seconds * 1e-6
    yield Row(SECTION, name, "build", "Mtriangles/s", (rate,), note=bench.layout)
    other = scene.build(bench.other_layout, 0)
    for kind, asked in kinds.items():
        row = partial(Row, SECTION, name, kind)
        tracer = bench.tracer(built, asked)
        tracer.trace()
        expected = answers_of(other, asked.rays, asked.any_hit, bench.other_layout)
        check(f"{name}, {kind}", tracer.answers(), expected)
        taken = [tracer.trace() for _ in range(bench.options.rounds)]
        rates = tuple(len(asked.rays) / s * 1e-6 for s in taken)
        yield row("Mrays/s", rates, note=bench.note)
        if bench.machine:
            visits = count_visits(built, asked.rays, asked.any_hit, bench.layout)
            yield from rows_of_visits(row, visits)
            yield from rows_of_roof(row, visits, rates, bench)


def rows_of_visits(row: Callable[..., Row], visits: Visits) -> Iterator[Row]:
    """What a ray visits and asks for."""
    yield row("nodes a ray", (visits.nodes,), "lower")
    yield row("triangle blocks a ray", (visits.blocks,), "lower")
    yield row("bytes asked for a ray", (visits.asked_bytes,), "lower")
    yield row("bytes from memory a ray", (visits.memory_bytes,), "lower")


def rows_of_roof(
    row: Callable[..., Row], visits: Visits, rates: tuple[float, ...], bench: Bench
) -> Iterator[Row]:
    """What a ray computes, where that can be counted, and the share of the roof that is reached."""
    assert bench.machine
    try:
        computed = operations_of(visits, operations(), bench.layout)
    except CompilerMissing as missing:
        asked = tuple(rate * visits.asked_bytes * 1e-3 for rate in rates)
        yield row("GB/s asked for", asked, note=f"no roof: {missing}")
        return
    yield row("operations a ray", (computed,), "lower")
    roof = roof_of(visits, computed, bench.machine)
    shares = tuple(rate * 1e6 / roof.rays_per_s for rate in rates)
    yield row("share of the roof", shares, note=f"bound by {roof.limit}")
