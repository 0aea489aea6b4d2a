"""Samples a second on one thread, as ratios to Mitsuba 3's scalar_rgb and llvm_ad_rgb.

``python -m benchmarks.bench_render [rounds]``, with ``pip install mitsuba`` and, for llvm_ad_rgb,
an LLVM library that Dr.Jit finds (``DRJIT_LIBLLVM_PATH``). The same buffers go to every renderer,
the means of the pictures are compared before anything is timed, and the renderers take turns.
Seconds are those of the processor; what is compiled before the first sample is not counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import Work
from gpuqueue.device.cpu import open_cpu
from gpuqueue.device.native import kernels, layouts
from gpuqueue.scene import SceneBuffers, load_scene, pack
from tests.render.mitsuba_scene import mitsuba_dict

SCENES = Path(__file__).parents[1] / "tests" / "render" / "scenes"
#: A closed box of flat, matt walls; glass, rough metal and a mirror, one mesh of them placed twice.
NAMES = ("cornell.mi", "metal_glass_points.mi")
VARIANTS = ("scalar_rgb", "llvm_ad_rgb")
SIZE = 256
SAMPLES = 16
MAX_DEPTH = 8
ROULETTE_DEPTH = 5  # as ROULETTE_START in kernels/integrator.cuh, counted in segments
LEAST_ROUNDS = 3
MEAN_TOLERANCE = 0.01

#: From a seed to the picture's mean.
Render = Callable[[int], float]


def ours(scene: SceneBuffers) -> Render:
    """The cpu device with one thread."""
    device = open_cpu(RenderSettings(threads=1))
    uploaded = device.upload(scene)

    def render(seed: int) -> float:
        film = device.new_film(scene.camera, SIZE, SIZE)
        device.render(uploaded, film, Work(0, SIZE * SIZE, 0, SAMPLES, seed, MAX_DEPTH))
        pixels = device.read(film)
        return float((pixels[..., :3] / pixels[..., 3:]).mean())

    return render


def mitsubas(scene: SceneBuffers, variant: str, folder: Path) -> Render | None:
    """A variant of Mitsuba with one thread; None, and a line that says why, where it cannot run."""
    try:
        import drjit
        import mitsuba

        drjit.set_thread_count(1)
        mitsuba.set_variant(variant)
        described = mitsuba_dict(scene, folder, MAX_DEPTH)
        described["integrator"]["rr_depth"] = ROULETTE_DEPTH
        loaded = mitsuba.load_dict(described, parallel=False)
        np.array(mitsuba.render(loaded, spp=SAMPLES, seed=0))
    except (ImportError, RuntimeError) as error:
        print(f"without {variant}: {str(error).strip().splitlines()[0]}")
        return None

    def render(seed: int) -> float:
        mitsuba.set_variant(variant)
        return float(np.array(mitsuba.render(loaded, spp=SAMPLES, seed=seed)).mean())

    return render


def check(renderers: dict[str, Render]) -> None:
    """The means of the pictures agree: wrong and fast is not a result."""
    means = {
        name: np.mean([render(seed) for seed in range(2)]) for name, render in renderers.items()
    }
    for name, mean in means.items():
        off = abs(mean / means["gpuqueue"] - 1)
        assert off < MEAN_TOLERANCE, f"the picture of {name} is {off:.2%} brighter or darker"


def seconds_of(renderers: dict[str, Render], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of every round; the renderers take turns."""
    taken: dict[str, list[float]] = {name: [] for name in renderers}
    for seed in range(rounds):
        for name, render in renderers.items():
            start = time.process_time()
            render(seed)
            taken[name].append(time.process_time() - start)
    return taken


def report(taken: dict[str, list[float]]) -> None:
    """Rates by each median round; ratios of rounds beside each other, and their range."""
    base = np.array(taken["gpuqueue"])
    for name, seconds in taken.items():
        rate = SIZE * SIZE * SAMPLES / np.median(seconds) * 1e-6
        ratio = np.array(seconds) / base
        spread = f"{ratio.min():.2f} to {ratio.max():.2f}"
        print(f"  {name:12}{rate:7.3f} Msamples/s; we are {np.median(ratio):5.2f} x ({spread})")


def main() -> None:
    """Check, time and print each scene."""
    rounds = max(LEAST_ROUNDS, int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    for name in NAMES:
        scene = pack(load_scene(Path(name), SCENES), layouts(), kernels().shaders(), SIZE, SIZE)
        print(f"{name}: {SIZE} x {SIZE}, {SAMPLES} samples, depth {MAX_DEPTH}, one thread")
        with tempfile.TemporaryDirectory() as folder:
            found = {v: mitsubas(scene, v, Path(folder)) for v in VARIANTS}
            others = {variant: render for variant, render in found.items() if render}
            renderers = {"gpuqueue": ours(scene), **others}
            check(renderers)
            report(seconds_of(renderers, rounds))


if __name__ == "__main__":
    main()
