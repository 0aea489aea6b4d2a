"""The section `kernels`: its counts against closed forms, and that a wrong hit ends it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.kernels.checks import check
from benchmarks.kernels.compiler import IS_X86
from benchmarks.kernels.counting import BLOCK_BYTES, NODE_BYTES, Visits, count_visits
from benchmarks.kernels.launcher import FP32_UNITS, Properties
from benchmarks.kernels.operations import counted, operations
from benchmarks.kernels.probe import Machine, probe_host
from benchmarks.kernels.roofline import operations_of, roof_of
from benchmarks.kernels.section import kernels
from benchmarks.options import CheckFailed, Options
from benchmarks.rays.scenes import ray_kinds, spheres
from benchmarks.timing import CPU
from gpuqueue.device.native import layouts
from tests.kernels.cuda_compilers import ARCHITECTURES
from tests.kernels.ray_scenes import LAYOUTS, RayScene, placed_once, rays_of


def one_triangle() -> RayScene:
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]], float)
    return placed_once(corners, np.array([[0, 1, 2]]))


def test_it_measures_every_kind_of_ray() -> None:
    rows = list(kernels(Options(device="cpu", quick=True, rounds=1)))
    rates = {(row.scene, row.case) for row in rows if row.metric == "Mrays/s"}
    assert len(rates) == 4 * 5
    shares = [row.median for row in rows if row.metric == "share of the roof"]
    assert len(shares) == (20 if IS_X86 else 0)
    assert all(0 < share < 1 for share in shares)
    assert {"Mtriangles/s", "GB/s from memory", "Goperations/s"} <= {row.metric for row in rows}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_ray_through_one_triangle_visits_its_block_alone(layout: str) -> None:
    scene = one_triangle()
    rays = rays_of(np.array([[0.7, 0.2, -1.0]] * 3), np.array([[0.0, 0.0, 1.0]]))
    built = scene.build(layout)
    visits = count_visits(built, rays, any_hit=False, layout=layout)
    assert visits.blocks == visits.placements == 1
    assert visits.nodes == len(built["nodes"]) // NODE_BYTES[layout]
    each = rays.itemsize + layouts()["Hit"].itemsize
    once = visits.nodes * NODE_BYTES[layout] + BLOCK_BYTES[layout] + layouts()["Placement"].itemsize
    assert visits.asked_bytes == pytest.approx(once + each)
    assert visits.memory_bytes == pytest.approx(once / 3 + each), "three rays share what they visit"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rays_that_pass_by_visit_no_triangle(layout: str) -> None:
    scene, _ = spheres(2000)
    rays = rays_of(np.array([[0.7, 0.2, -99.0]]), np.array([[0.0, 0.0, -1.0]]))
    visits = count_visits(scene.build(layout), rays, True, layout)
    assert (visits.nodes, visits.blocks) == (1, 0)


def test_more_triangles_take_more_visits_but_far_fewer_than_their_number() -> None:
    found = []
    for triangles in (2000, 32000):
        scene, view = spheres(triangles)
        asked = ray_kinds(scene, view, side=64)["random"]
        found.append(count_visits(scene.build("float8"), asked.rays, False, "float8").nodes)
    assert 1 < found[1] / found[0] < 2, "as the logarithm"


@pytest.mark.skipif(not IS_X86, reason="operations are counted in x86 code")
def test_operations_of_a_node_are_those_of_its_source() -> None:
    # Six planes of eight children: a fused product and sum each; three greater, three lesser, a
    # slack and a comparison for each child.
    assert operations()["node_float8"] == 8 * (6 * 2 + 3 + 3 + 1 + 1)
    assert operations()["block_float8"] > operations()["block_compressed8"] > 50


def test_operations_are_counted_by_lanes_and_fused_ones_twice() -> None:
    listing = (
        "node_x:\n\tvfmadd132ps\t%ymm1, %ymm2, %ymm3\n\tvmulss\t%xmm1, %xmm2, %xmm3\n"
        "\tvcmpleps\t(%rdi), %xmm1, %xmm2\n\tvmovaps\t%ymm1, %ymm2\n\t.size\tnode_x, .-node_x\n"
        "other:\n\tvaddps\t%ymm1, %ymm2, %ymm3\n\t.size\tother, .-other\n"
    )
    assert counted(listing) == {"node_x": 16 + 1 + 4}


def test_the_roof_is_the_lower_one() -> None:
    visits = Visits(10, 2, 1, asked_bytes=3000, memory_bytes=100)
    computed = operations_of(visits, {"node_float8": 160, "block_float8": 300}, "float8")
    assert computed == 10 * 160 + 2 * 300
    roof = roof_of(visits, computed, Machine(bytes_per_s=1e9, operations_per_s=1e12))
    assert (roof.rays_per_s, roof.limit) == (1e7, "memory")
    roof = roof_of(visits, computed, Machine(bytes_per_s=1e12, operations_per_s=2.2e9))
    assert roof.limit == "arithmetic"
    assert roof.rays_per_s == pytest.approx(1e6)


def test_the_host_is_measured_within_what_hosts_can_do() -> None:
    machine = probe_host(1, CPU, elements=1 << 20)
    assert 1e8 < machine.bytes_per_s < 1e13
    assert 1e8 < machine.operations_per_s < 1e12


def test_the_peak_of_a_gpu_follows_from_its_properties() -> None:
    a10g = Properties(86, multiprocessors=80, clock_hz=1.71e9)
    assert a10g.peak_operations == pytest.approx(35e12, rel=0.01)
    assert set(ARCHITECTURES) <= set(FP32_UNITS)
    with pytest.raises(ValueError, match=r"unknown compute capability 9\.9"):
        _ = replace(a10g, architecture=99).peak_operations


def test_a_wrong_hit_ends_the_run() -> None:
    hits = np.zeros(3, layouts()["Hit"])
    check("box", hits, hits)
    moved = hits.copy()
    moved["t"][1] = np.nextafter(np.float32(0), np.float32(1))
    with pytest.raises(CheckFailed, match="box: 1 of 3 rays have other hits"):
        check("box", moved, hits)
    nothing = hits.copy()
    nothing["t"] = np.inf
    with pytest.raises(CheckFailed, match=r"only 0\.0% of the rays hit"):
        check("box", nothing, nothing)
