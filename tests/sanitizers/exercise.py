"""What a sanitizer watches: builds, rays and renders of small scenes by a module given as a file.

``python -m tests.sanitizers.exercise MODULE [--size N]`` is run in a process of its own, with the
sanitizer's library loaded before Python. It says what it did; it judges only that something was
hit and lit, for the results are held against theory elsewhere.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np

from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.device.cpu import CpuDriver
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.scene import load_scene, pack
from tests.kernels.ray_scenes import (
    LAYOUTS,
    RayScene,
    is_hit,
    placed_once,
    random_rays,
    random_transform,
    scene_of,
    soup,
)

ROOT = Path(__file__).parents[2]
#: Every kind of material and light, one level and two.
SCENES = (
    "tests/render/scenes/cornell.mi",
    "tests/render/scenes/metal_glass_points.mi",
    "examples/scenes/forest.mi",
    "examples/scenes/glass_metal.mi",
)
#: More than the smallest machine has cores: threads are to be interrupted at all places.
THREADS = 4


def use_module(path: Path) -> None:
    """Make the module at `path` the kernels of this process."""
    name = f"gpuqueue.{path.name.partition('.')[0]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    os.environ["GPUQUEUE_KERNELS"] = name.rpartition("_")[2]
    assert Path(native.kernels().__file__) == path


def ray_scenes(count: int) -> dict[str, RayScene]:
    """What is common, and what is degenerate."""
    rng = np.random.default_rng(2)
    placed = [(i % 2, random_transform(rng)) for i in range(20)]
    positions, vertices = soup(300, seed=5)
    flat = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0.0]])
    shapes = np.array([[0, 1, 2], [1, 1, 1], [0, 1, 3]])
    return {
        "soup": placed_once(*soup(count, seed=1)),
        "instances": scene_of([soup(100, seed=3), soup(count // 5, seed=4)], placed),
        "coincident": placed_once(flat, np.tile(shapes, (count // 10, 1))),
        "tiny and huge": scene_of(
            [(positions * 1e-20, vertices), (positions * 1e8, vertices)],
            [(0, np.eye(3, 4)), (1, np.eye(3, 4))],
        ),
        "treelets": placed_once(*soup(20 * count, seed=6)),
        "empty": scene_of([], []),
    }


def trace(count: int) -> None:
    """Build and refit every scene in every layout, and send rays through it, along the axes too."""
    rays = random_rays(count, seed=5)
    rays["direction"][: count // 10, :2] = 0
    rays["direction"][count // 10 : count // 5, 0] = 0
    for name, scene in ray_scenes(count).items():
        for layout in LAYOUTS:
            first = scene.build(layout, THREADS)
            built = native.kernels().refit_accelerator(first, *scene.arrays, layout, THREADS)
            hits = native.kernels().trace_closest(built, rays, 7, layout, THREADS)
            occluded = native.kernels().trace_any(built, rays, 7, layout, THREADS)
            share = is_hit(hits.view(native.layouts()["Hit"])).mean()
            assert share == occluded.mean()
            print(f"{name}, {layout}: {share:.0%} of {count} rays hit", flush=True)


def render(path: Path, width: int, height: int) -> None:
    """Two passes of one scene, the second with other threads in the same film."""
    scene = pack(
        load_scene(Path(path.name), path.parent),
        native.layouts(),
        native.kernels().shaders(),
        width,
        height,
    )
    device = KernelDevice(CpuDriver(THREADS))
    uploaded, film = device.upload(scene), device.new_film(scene.camera, width, height)
    for first in (0, 2):
        device.render(uploaded, film, Work(0, width * height, first, 2, seed=7, max_depth=8))
    color = device.read(film)[..., :3]
    assert np.isfinite(color).all()
    assert color.max() > 0
    print(f"{path.name}: {width} x {height} pixels, mean {color.mean():.3f}", flush=True)


def main() -> None:
    """Exercise the module; what goes wrong ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("module", type=Path)
    parser.add_argument("--size", type=int, default=1, help="so many times the work")
    arguments = parser.parse_args()
    use_module(arguments.module)
    trace(1000 * arguments.size)
    for scene in SCENES:
        render(ROOT / scene, 48 * arguments.size, 32)


if __name__ == "__main__":
    main()
