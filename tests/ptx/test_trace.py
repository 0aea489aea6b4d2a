"""Rays traced by the shipped kernels' PTX hit what they hit on the CPU, with the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gpuqueue.device import cuda, native
from gpuqueue.scene import SceneBuffers

from . import DeviceMemory, Program
from .zoo import SCENES, zoo_scene

RAY = np.dtype([("origin", "f4", 3), ("direction", "f4", 3), ("t_min", "f4"), ("t_max", "f4")])
HIT = np.dtype([("t", "f4"), ("u", "f4"), ("v", "f4"), ("instance", "u4"), ("triangle", "u4")])
MISS = 0xFFFFFFFF
COUNT, MASK = 1000, 7
Accelerator = dict[str, Any]


def closest_on_cpu(accelerator: Accelerator, rays: Any) -> Any:
    return native.kernels().trace_closest(accelerator, rays, MASK).view(HIT)


def any_on_cpu(accelerator: Accelerator, rays: Any) -> Any:
    return native.kernels().trace_any(accelerator, rays, MASK).astype(np.uint32)


#: Each with the field of its job that it writes to, and what the CPU build writes there.
KERNELS: dict[str, tuple[str, Callable[[Accelerator, Any], Any]]] = {
    "trace_rays": ("hits", closest_on_cpu),
    "trace_shadow_rays": ("occluded", any_on_cpu),
}


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


def accelerator_of(scene: SceneBuffers, layout: str) -> Accelerator:
    geometry = (scene.positions, scene.triangles, scene.meshes, scene.instances)
    built: Accelerator = native.kernels().build_accelerator(
        *geometry, layout=layout, threads=1, keys=scene.keys, cut=scene.cut
    )
    return built


def traced(program: Program, kernel: str, accelerator: Accelerator, rays: Any, like: Any) -> Any:
    """What the kernel writes, in an array of the same type."""
    memory = DeviceMemory()
    uploaded = {
        name: memory.upload(value)
        for name, value in accelerator.items()
        if isinstance(value, np.ndarray)
    }
    input_, output = memory.upload(rays), memory.zeros(like.nbytes)
    job = np.zeros(1, native.layouts()["TraceRaysJob"])
    for name in job.dtype["accelerator"].names:
        value = uploaded[name].address if name in uploaded else accelerator[name]
        job["accelerator"][name] = value
    job["rays"], job[KERNELS[kernel][0]] = input_.address, output.address
    job["item_count"], job["mask"] = len(rays), MASK
    program.launch(
        kernel, (cuda.blocks(len(rays)), 1, 1), (cuda.BLOCK_THREADS, 1, 1), [job], memory
    )
    return output.read(like.dtype)


@pytest.mark.parametrize("name", sorted(SCENES))
@pytest.mark.parametrize("kernel", sorted(KERNELS))
@pytest.mark.parametrize(
    ("compiler", "architecture", "fuses"), [("nvcc", 120, True), ("nvrtc", 90, False)]
)
def test_every_hit_is_that_of_the_cpu(
    compiled: Callable[[str, int, bool], Program],
    compiler: str,
    architecture: int,
    fuses: bool,
    kernel: str,
    name: str,
) -> None:
    """With products fused too: where it matters, the kernels forbid it."""
    scene = zoo_scene(name)
    rays = rays_into(scene)
    expected = KERNELS[kernel][1](accelerator_of(scene, "float8"), rays)
    program = compiled(compiler, architecture, fuses)
    found = traced(program, kernel, accelerator_of(scene, "compressed8"), rays, expected)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", sorted(SCENES))
def test_rays_both_hit_and_miss(name: str) -> None:
    scene = zoo_scene(name)
    hits = closest_on_cpu(accelerator_of(scene, "float8"), rays_into(scene))
    assert 0.05 < (hits["instance"] != MISS).mean() < 1
