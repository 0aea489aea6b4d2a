"""Rays traced by the PTX of kernels/bvh hit what they hit on the CPU, with the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.device import cuda, native
from gpuqueue.scene import SceneBuffers, load_scene, pack

from . import DeviceMemory, Program
from .compilers import nvcc_ptx, nvrtc_ptx

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "kernels" / "trace.cu"
RAY = np.dtype([("origin", "f4", 3), ("direction", "f4", 3), ("t_min", "f4"), ("t_max", "f4")])
HIT = np.dtype([("t", "f4"), ("u", "f4"), ("v", "f4"), ("instance", "u4"), ("triangle", "u4")])
ACCELERATOR = np.dtype(
    [
        *(("nodes", "u8"), ("blocks", "u8"), ("placements", "u8")),
        *(("root", "u4"), ("count", "u4"), ("keys", "u8")),
    ]
)
JOB = np.dtype(
    [
        *(("accelerator", ACCELERATOR), ("rays", "u8"), ("closest", "u8"), ("any", "u8")),
        *(("item_count", "u4"), ("mask", "u4")),
    ]
)
COUNT = 1500


@pytest.fixture(scope="module")
def forest() -> SceneBuffers:
    loaded = load_scene(Path("forest.mi"), ROOT / "examples/scenes")
    return pack(loaded, native.layouts(), native.kernels().shaders())


def rays_into(scene: SceneBuffers) -> Any:
    """From around the scene's vertices to others, some along an axis, some ending early."""
    random = np.random.default_rng(5)
    rays = np.zeros(COUNT, RAY)
    vertices = scene.positions[random.integers(0, len(scene.positions), (2, COUNT))]
    rays["origin"] = vertices[0] + random.normal(0, 3, (COUNT, 3))
    rays["direction"] = vertices[1] - rays["origin"]
    rays["direction"][::10, 1:] = 0
    rays["t_max"] = np.where(np.arange(COUNT) % 4, 1e30, 0.9)
    return rays


@pytest.mark.parametrize(
    ("compiler", "architecture", "fuses"),
    [(nvcc_ptx, 80, "true"), (nvrtc_ptx, 100, "false")],
)
def test_every_hit_is_that_of_the_cpu(
    load: Callable[[str, str], Program],
    forest: SceneBuffers,
    compiler: Callable[..., str],
    architecture: int,
    fuses: str,
) -> None:
    options = [f"-I{ROOT / 'kernels'}", f"-fmad={fuses}"]
    program = load(compiler(SOURCE, architecture, options), "trace.ptx")
    rays, mask = rays_into(forest), 7
    geometry = (forest.positions, forest.triangles, forest.meshes, forest.instances)
    build = native.kernels().build_accelerator
    built = build(*geometry, layout="compressed8", threads=1)

    memory = DeviceMemory()
    uploaded = {n: memory.upload(built[n]) for n in ("nodes", "blocks", "placements")}
    input_, closest, any_ = memory.upload(rays), memory.zeros(20 * COUNT), memory.zeros(4 * COUNT)
    job = np.zeros(1, JOB)
    for name, allocation in uploaded.items():
        job["accelerator"][name] = allocation.address
    job["accelerator"]["root"], job["accelerator"]["count"] = (
        built["root"],
        built["placement_count"],
    )
    job["rays"], job["closest"], job["any"] = input_.address, closest.address, any_.address
    job["item_count"], job["mask"] = COUNT, mask
    program.launch("trace", (cuda.blocks(COUNT), 1, 1), (cuda.BLOCK_THREADS, 1, 1), [job], memory)

    on_cpu = build(*geometry, layout="float8", threads=1)
    expected = native.kernels().trace_closest(on_cpu, rays, mask).view(HIT)
    assert 0.2 < (expected["instance"] != 0xFFFFFFFF).mean() < 1
    assert closest.read().tobytes() == expected.tobytes()
    assert (any_.read(np.uint32) == native.kernels().trace_any(on_cpu, rays, mask)).all()
