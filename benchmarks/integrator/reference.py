"""Converged pictures, kept in the cache folder.

A reference is two films with seeds of their own: how far they differ tells its error, and samples
are added, to those that were kept, until that is small enough. What a reference shows is held
against another renderer's pictures once, where one is installed.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from benchmarks.integrator.stage import Stage, mean_of
from benchmarks.options import CheckFailed, Options
from benchmarks.peers.environments import PeerMissing
from benchmarks.peers.process import Worker, WorkerFailed
from benchmarks.peers.race import BOUNDS, MAX_DEPTH
from benchmarks.pictures import Bounds, Picture, differences, noise
from benchmarks.scenes import Scene
from gpuqueue.device.film import Film, add_film
from gpuqueue.device.native import layouts
from gpuqueue.disk_cache import write_whole

#: Those of measured pictures are small numbers.
SEEDS = (1_000_001, 1_000_002)
FIRST_SAMPLES, MOST_SAMPLES = 64, 1 << 17
#: Asked in this order; samples and seeds of its pictures.
WITNESSES = ("mitsuba-llvm", "mitsuba-scalar", "cycles")
WITNESS_SAMPLES, WITNESS_SEEDS = 128, (1, 2)


@dataclass(frozen=True)
class Reference:
    """`witness` is the renderer whose pictures agree; empty where none was asked yet."""

    films: tuple[Film, Film]
    witness: str = ""

    @property
    def halves(self) -> tuple[Picture, Picture]:
        """A picture of each film."""
        return mean_of(self.films[0]), mean_of(self.films[1])

    @property
    def picture(self) -> Picture:
        """The mean of both."""
        both = self.films[0].copy()
        add_film(both, self.films[1])
        return mean_of(both)

    @property
    def samples(self) -> int:
        """Of a pixel, in each film."""
        return int(self.films[0]["count"].max())

    @property
    def error(self) -> float:
        """relMSE of `picture`: half that of a film."""
        return noise(self.halves) / 2


def reference_of(stage: Stage, scene: Scene, enough: float, cache: Path) -> Reference:
    """A reference whose error is at most `enough`: the kept one, with more samples if need be.

    Raises CheckFailed where `MOST_SAMPLES` do not suffice.
    """
    path = path_of(scene, stage.size, cache)
    found = read(path)
    while found is None or found.error > enough:
        found = extended(stage, found)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_reference(path, found)
    return found


def witnessed(reference: Reference, stage: Stage, scene: Scene, options: Options) -> Reference:
    """The reference, held against the first of `WITNESSES` that is asked for and installed.

    Raises CheckFailed where the pictures differ.
    """
    if reference.witness:
        return reference
    for name in [known for known in WITNESSES if known in options.peers]:
        try:
            with Worker(name, options.cache) as worker:
                loaded = worker.load(scene.name, options.detail, stage.size, MAX_DEPTH)
                own = [worker.render(WITNESS_SAMPLES, seed)[1] for seed in WITNESS_SEEDS]
        except (PeerMissing, WorkerFailed):
            continue
        bounds = BOUNDS.get((scene.name, name), Bounds())
        if found := differences(own, reference.halves, bounds):
            raise CheckFailed(f"{scene.name}: {name} and the reference: {'; '.join(found)}")
        seen = replace(reference, witness=f"{name} {loaded['version']}")
        write_reference(path_of(scene, stage.size, options.cache), seen)
        return seen
    return reference


def extended(stage: Stage, reference: Reference | None) -> Reference:
    """With twice the samples, or the first ones."""
    first = reference.samples if reference else 0
    until = 2 * first or FIRST_SAMPLES
    if until > MOST_SAMPLES:
        raise CheckFailed(f"the reference does not converge within {MOST_SAMPLES} samples a pixel")
    films = []
    for number, seed in enumerate(SEEDS):
        film = stage.new_film(reference.films[number] if reference else None)
        stage.add(film, seed, first, until)
        films.append(stage.device.read_exact(film).copy())
    return Reference((films[0], films[1]), reference.witness if reference else "")


def path_of(scene: Scene, size: int, cache: Path) -> Path:
    """Where the reference is kept."""
    return cache / "references" / f"{scene.name}-{key_of(scene, size)}.npz"


def key_of(scene: Scene, size: int) -> str:
    """Of all that decides what a converged picture shows."""
    key = hashlib.sha256(repr((scene.view, scene.surfaces, scene.sky, size, MAX_DEPTH)).encode())
    for mesh in scene.meshes:
        for array in (mesh.positions, mesh.triangles, np.int64(mesh.surface)):
            key.update(np.ascontiguousarray(array).tobytes())
    key.update(scene.placed.tobytes() + scene.matrices.tobytes())
    return key.hexdigest()[:24]


def read(path: Path) -> Reference | None:
    """What is kept; None where nothing is, or something else."""
    try:
        with np.load(io.BytesIO(path.read_bytes())) as kept:
            films = kept["first"], kept["second"]
            is_film = all(film.dtype == layouts()["FilmPixel"] for film in films)
            return Reference(films, str(kept["witness"])) if is_film else None
    except (OSError, KeyError, ValueError, BadZipFile):
        return None


def write_reference(path: Path, reference: Reference) -> None:
    """Keep it, whole or not at all."""
    data = io.BytesIO()
    first, second = reference.films
    np.savez(data, first=first, second=second, witness=np.array(reference.witness))
    write_whole(path, data.getvalue())
