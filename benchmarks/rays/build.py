"""Building trees on one thread, beside Embree's builder of medium quality: time, memory, cost.

Ours counts from the scene's arrays to arrays that can be traced, records checked; Embree's counts
its commits alone, not the copies that it keeps of the vertices, which is to its advantage.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.options import CheckFailed, Options
from benchmarks.rays.embree import Embree, EmbreeMissingError, EmbreeScene
from benchmarks.rays.places import OURS, PLACES
from benchmarks.rays.tree_cost import embree_tree_cost, our_tree_cost
from benchmarks.rows import Row, ratio
from benchmarks.timing import timed
from tests.kernels.ray_scenes import RayScene, is_hit, random_rays

EMBREE = "Embree"


def builds(options: Options, names: tuple[str, ...] = tuple(PLACES)) -> Iterator[Row]:
    """Triangles a second, memory and expected cost of a ray. Raises CheckFailed."""
    for name in names:
        scene, _ = PLACES[name].scaled(options)
        check(name, scene)
        row = partial(Row, "build", name)
        try:
            with Embree() as embree:
                yield from compare(row, scene, embree, options.rounds)
                yield from memory(row, name, (OURS, EMBREE), options)
        except EmbreeMissingError as missing:
            own = [timed(scene.build)[0] for _ in range(options.rounds)]
            yield rate(row, OURS, scene, own, note=str(missing))
            yield from memory(row, name, (OURS,), options)


def check(name: str, scene: RayScene) -> None:
    """A tree that loses triangles is quick to build. Raises CheckFailed."""
    rays = random_rays(200, 1, extent=4.0)
    found, tested = scene.closest(rays, "float8"), scene.closest(rays, "exhaustive")
    if found.tobytes() != tested.tobytes() or not is_hit(found).any():
        raise CheckFailed(f"{name}: the tree's hits are not those of testing every triangle")


def compare(row: partial[Row], scene: RayScene, embree: Embree, rounds: int) -> Iterator[Row]:
    """Builds in turns, and what the trees are worth."""
    own, others = [], []
    for _ in range(rounds):
        own.append(timed(scene.build)[0])
        with EmbreeScene(embree, scene, robust=True) as other:
            others.append(timed(other.build)[0])
    yield rate(row, OURS, scene, own)
    yield rate(row, EMBREE, scene, others)
    yield row("build", "speed to Embree's", ratio(others, own))
    built = scene.build()
    if len(built["placements"]) and built["placement_count"] == 1:
        ours, theirs = our_tree_cost(built), embree_tree_cost(embree, scene)
        yield row(OURS, "expected visits", (ours,), "lower")
        yield row(EMBREE, "expected visits", (theirs,), "lower")
        yield row("build", "visits to Embree's", (ours / theirs,), "lower")


def rate(row: partial[Row], who: str, scene: RayScene, seconds: list[float], note: str = "") -> Row:
    """Million triangles of the scene's meshes a second."""
    values = tuple(len(scene.triangles) / own * 1e-6 for own in seconds)
    return row(who, "Mtriangles/s", values, "higher", note)


def memory(row: partial[Row], name: str, who: tuple[str, ...], options: Options) -> Iterator[Row]:
    """The most that a build adds to a fresh process, and what it leaves there."""
    for each in who:
        command = [sys.executable, "-m", "benchmarks.rays.build_once", name, each]
        command += ["--quick"] * options.quick
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        peak, kept = (float(number) / 2**20 for number in said.split())
        yield row(each, "peak MiB", (peak,), "lower")
        yield row(each, "MiB kept", (kept,), "lower")
