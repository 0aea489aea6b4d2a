"""The schedules of kernels/sample_queue.cuh and kernels/wavefront.cuh, as a device drives them.

They run on any driver: the CPU build, PTX, a GPU. Memory comes filled with rubbish, since no
schedule needs more than one counter cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.device.cpu import CpuDriver
from gpuqueue.device.film import Film
from gpuqueue.device.kernel_device import Buffer, Driver, KernelDevice
from gpuqueue.scene import SceneBuffers

AnyArray = npt.NDArray[Any]
#: Answers the order in which so many items run.
Order = Callable[[int], npt.NDArray[np.uint32]]

#: Kernels that have a twin for scenes in which something moves.
TWINS = ("render_persistent", "generate_paths", "extend_paths", "shade_paths", "connect_paths")
STAGES = TWINS[1:]
KERNELS = {*TWINS, *(f"{name}_varying" for name in TWINS), "begin_wavefront", "resolve_samples"}


class CpuMachine(CpuDriver):
    """The CPU build's kernels on so many threads, their items in any order."""

    def __init__(self, threads: int = 1, order: Order | None = None) -> None:
        super().__init__(threads)
        self._order = order

    def launch(self, kernel: str, job: AnyArray, items: int, after: Sequence[Any] = ()) -> None:
        if kernel in KERNELS:
            order = self._order(items) if self._order else None
            native.kernels().launch(kernel, job.tobytes(), self.build_threads, order)
        else:
            super().launch(kernel, job, items, after)


def rubbish(machine: Driver, nbytes: int) -> Buffer:
    return machine.upload(np.full(nbytes, 0xA5, np.uint8))


class Batch:
    """The samples of a RenderJob, each with a place for its radiance."""

    def __init__(self, machine: Driver, render: AnyArray) -> None:
        self.machine, self.render = machine, render
        self.pixels = int(render["item_count"][0])
        self.total = self.pixels * int(render["sample_count"][0])
        self._radiances = rubbish(machine, 12 * self.total)
        self._taken = machine.upload(np.zeros(1, np.uint32))

    def job(self, layout: str, item_count: int, end: int) -> AnyArray:
        """A QueuedJob or a WavefrontJob."""
        job = np.zeros(1, native.layouts()[layout])
        job["render"], job["item_count"] = self.render, item_count
        job["queue"]["radiances"] = self._radiances.address
        job["queue"]["taken"], job["queue"]["end"] = self._taken.address, end
        return job

    def run(self, kernel: str, job: AnyArray) -> None:
        """The kernel, or its twin."""
        varies = kernel in TWINS and self.render["is_varying"][0]
        items, uploaded = int(job["item_count"][0]), (self.machine.mark(),)
        self.machine.launch(f"{kernel}_varying" if varies else kernel, job, items, uploaded)

    def taken(self) -> int:
        return int(self.machine.download(self._taken).view(np.uint32)[0])

    def resolve(self) -> None:
        """Add all to the film."""
        assert self.taken() == self.total
        self.run("resolve_samples", self.job("QueuedJob", self.pixels, self.total))
        assert self.taken() == 0


@dataclass(frozen=True)
class Persistent:
    """So many threads, and how many samples a launch hands out."""

    threads: int
    bound: int

    def __call__(self, machine: Driver, render: AnyArray) -> None:
        batch = Batch(machine, render)
        for start in range(0, batch.total, self.bound):
            end = min(start + self.bound, batch.total)
            batch.run("render_persistent", batch.job("QueuedJob", self.threads, end))
            assert batch.taken() == end, "a launch hands out what it may, and no more"
        batch.resolve()


@dataclass(frozen=True)
class Counts:
    """How many slots wait in each queue after a wave."""

    live: int
    free: int


class Waves:
    """A wavefront of so many slots, and a batch that goes through it."""

    def __init__(self, batch: Batch, slots: int) -> None:
        self.batch, self.slots = batch, slots
        self._counts = rubbish(batch.machine, 3 * native.layouts()["QueueCounts"].itemsize)
        slot_bytes: dict[str, int] = native.kernels().wavefront_slot_bytes()
        self.arrays = {
            name: rubbish(batch.machine, size * slots) for name, size in slot_bytes.items()
        }
        self.number = 0
        batch.run("begin_wavefront", self.job(0))

    def job(self, end: int) -> AnyArray:
        items = native.kernels().wavefront_items(self.slots)
        job = self.batch.job("WavefrontJob", items, end)
        wavefront = job["wavefront"]
        for name, buffer in self.arrays.items():
            wavefront[name] = buffer.address
        wavefront["counts"], wavefront["slots"] = self._counts.address, self.slots
        wavefront["wave"] = self.number
        return job

    def roll(self, end: int) -> None:
        """One wave, that takes samples below `end`."""
        job = self.job(end)
        for stage in STAGES:
            self.batch.run(stage, job)
        self.number += 1

    def counts(self) -> Counts:
        """Of the wave to come."""
        layout = native.layouts()["QueueCounts"]
        counts = self.batch.machine.download(self._counts).view(layout)[self.number % 3]
        return Counts(int(counts["live"]), int(counts["free"]))

    def is_over(self, end: int) -> bool:
        """Whether all samples below `end` are done."""
        return self.counts().live == 0 and self.batch.taken() == end


@dataclass(frozen=True)
class Wavefront:
    """So many slots, how many samples are handed out before a host lets more be, and how many waves
    roll before it looks how far they are."""

    slots: int
    bound: int
    waves: int = 1

    def __call__(self, machine: Driver, render: AnyArray) -> None:
        batch = Batch(machine, render)
        waves = Waves(batch, self.slots)
        for _ in range(self._most(batch)):
            end = min(batch.taken() + self.bound, batch.total)
            for _ in range(self.waves):
                waves.roll(end)
            if waves.is_over(batch.total):
                return batch.resolve()
        raise AssertionError("the waves have not ended when they must have")

    def _most(self, batch: Batch) -> int:
        """Looks that are needed at most: no slot rests while there are samples."""
        depth = int(batch.render["max_depth"][0])
        return depth * (1 - -batch.total // min(self.slots, self.bound))


Schedule = Callable[[Driver, AnyArray], None]


class Scheduled:
    """A driver whose launches follow a schedule, so that a `KernelDevice` may have it."""

    def __init__(self, machine: Driver, schedule: Schedule) -> None:
        self._machine, self._schedule = machine, schedule

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def launch(self, kernel: str, job: AnyArray, items: int, after: Sequence[Any] = ()) -> None:
        self._schedule(self._machine, job)


def render(
    driver: Driver | Scheduled, scene: SceneBuffers, width: int, height: int, *works: Work
) -> Film:
    """The film [H, W] of a scene after these works, in layout FilmPixel."""
    device = KernelDevice(driver)  # type: ignore[arg-type]  # `Scheduled` forwards what it lacks
    uploaded, film = device.upload(scene), device.new_film(scene.camera, width, height)
    for work in works:
        device.render(uploaded, film, work)
    return device.read_exact(film).copy()


def permutations(seed: int) -> Order:
    """Items in an order that differs from launch to launch."""
    random = np.random.default_rng(seed)
    return lambda count: random.permutation(count).astype(np.uint32)


def reverse(count: int) -> npt.NDArray[np.uint32]:
    return np.arange(count, dtype=np.uint32)[::-1].copy()
