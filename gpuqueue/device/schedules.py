"""How a GPU's threads share the samples of a work: three ways to the same bits of the film.

``loop`` traces a pixel's samples one after another in a thread. ``persistent`` has threads that
stay and take samples until none is left (kernels/sample_queue.cuh). ``wavefront`` lets all paths go
from stage to stage through queues (kernels/wavefront.cuh). Which is fastest, `calibration` finds
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from gpuqueue.device import native
from gpuqueue.device.driver import AnyArray, Bytes, Driver
from gpuqueue.device.kernel_image import entry_of

#: Most samples of a batch: each has a place for its radiance, 12 bytes.
BATCH_SAMPLES = 1 << 23
RADIANCE_BYTES = 12
#: Work items come in whole tiles of the kernels (kernels/film.cuh).
TILE_PIXELS = 256
#: Paths in flight of a wavefront, for each thread that can be resident: its queues hold paths of
#: several kinds, each of which is to fill the GPU.
SLOTS_PER_THREAD = 4
#: Waves between two looks at whether a batch is done. They are given before the answer to the last
#: look is awaited, so the GPU does not wait for the host; waves too many find nothing to do.
WAVES_AT_ONCE = 4
#: Waves take turns with two queues and three sets of counters: other numbers say nothing more, and
#: a count to 2^32 would one day lose its turn.
WAVE_NUMBERS = 2 * 3
STAGES = ("generate_paths", "extend_paths", "shade_paths", "connect_paths")


class Schedule(Protocol):
    """What it needs of a GPU's memory, it takes when it is made, and keeps."""

    name: str

    def run(self, driver: Driver, job: AnyArray, after: Sequence[Any]) -> None:
        """Begin to add the samples of a job, one RenderJob, to its film, after the marks."""


class Loop:
    """One launch of one kernel."""

    name = "loop"

    def __init__(self, driver: Driver) -> None:
        del driver

    def run(self, driver: Driver, job: AnyArray, after: Sequence[Any]) -> None:
        """Begin to add the samples."""
        driver.launch(entry_of(job), job, int(job["item_count"][0]), after)


class SampleQueue:
    """Places for the radiance of a batch's samples, and the counter of those handed out."""

    def __init__(self, driver: Driver, spare_bytes: int = 0) -> None:
        #: The counter comes last, after what a schedule wants to read with it.
        self.counters = driver.zeros(spare_bytes + 4)
        self._taken = self.counters.address + spare_bytes
        self._radiances = driver.zeros(RADIANCE_BYTES * BATCH_SAMPLES)
        self.mark = driver.mark()

    def job(self, layout: str, batch: AnyArray, items: int) -> AnyArray:
        """A QueuedJob or a WavefrontJob that hands out all samples of the batch."""
        job: AnyArray = np.zeros(1, native.layouts()[layout])
        job["render"], job["item_count"] = batch, items
        queue = job["queue"]
        queue["radiances"], queue["taken"] = self._radiances.address, self._taken
        queue["end"] = samples_of(batch)
        return job

    def resolve(self, driver: Driver, batch: AnyArray) -> None:
        """Begin to add the batch to the film, and to make ready for the next."""
        pixels = int(batch["item_count"][0])
        driver.launch("resolve_samples", self.job("QueuedJob", batch, pixels), pixels)


class Persistent:
    """As many threads as can be resident, each of which takes samples until none is left."""

    name = "persistent"

    def __init__(self, driver: Driver) -> None:
        self._queue = SampleQueue(driver)
        self._threads = driver.resident_threads

    def run(self, driver: Driver, job: AnyArray, after: Sequence[Any]) -> None:
        """Begin to add the samples."""
        for batch in batches_of(job):
            queued = self._queue.job("QueuedJob", batch, self._threads)
            marks = (self._queue.mark, *after)
            driver.launch(_twin("render_persistent", batch), queued, self._threads, marks)
            self._queue.resolve(driver, batch)


class Wavefront:
    """Slots for paths in flight, and queues of slots between the stages."""

    name = "wavefront"

    def __init__(self, driver: Driver) -> None:
        self._slots = max(1, int(driver.resident_threads * SLOTS_PER_THREAD))
        self._items = int(native.kernels().wavefront_items(self._slots))
        self._queue = SampleQueue(driver, 3 * native.layouts()["QueueCounts"].itemsize)
        sizes: dict[str, int] = native.kernels().wavefront_slot_bytes()
        self._arrays = {name: driver.zeros(size * self._slots) for name, size in sizes.items()}
        self._mark = driver.mark()
        self._wave = 0
        self._is_ready = False

    def run(self, driver: Driver, job: AnyArray, after: Sequence[Any]) -> None:
        """Add the samples; the last waves may be on their way."""
        marks: Sequence[Any] = (self._mark, *after)
        for batch in batches_of(job):
            # What ended a batch half-way left paths in flight.
            if not self._is_ready:
                self._launch(driver, "begin_wavefront", batch, marks)
            self._is_ready = False
            self._roll_to_the_end(driver, batch, marks)
            self._queue.resolve(driver, batch)
            self._is_ready = True

    def _launch(
        self, driver: Driver, kernel: str, batch: AnyArray, after: Sequence[Any] = ()
    ) -> None:
        job = self._queue.job("WavefrontJob", batch, self._items)
        wavefront = job["wavefront"]
        for name, buffer in self._arrays.items():
            wavefront[name] = buffer.address
        wavefront["counts"] = self._queue.counters.address
        wavefront["slots"], wavefront["wave"] = self._slots, self._wave
        driver.launch(kernel, job, self._items, after)

    def _roll_to_the_end(self, driver: Driver, batch: AnyArray, marks: Sequence[Any]) -> None:
        is_over = self._roll(driver, batch, marks)
        for _ in range(self._most_looks(batch)):
            following = self._roll(driver, batch)
            if is_over():
                return
            is_over = following
        raise RuntimeError("a wavefront has not ended when it must have")

    def _roll(
        self, driver: Driver, batch: AnyArray, after: Sequence[Any] = ()
    ) -> Callable[[], bool]:
        """Some waves; what is returned waits for them and tells whether they were the last."""
        for _ in range(WAVES_AT_ONCE):
            for stage in STAGES:
                self._launch(driver, _twin(stage, batch), batch, after)
            self._wave = (self._wave + 1) % WAVE_NUMBERS
        content, wave = driver.snapshot(self._queue.counters), self._wave
        return lambda: self._has_ended(content(), wave, samples_of(batch))

    def _has_ended(self, counters: Bytes, wave: int, samples: int) -> bool:
        """Whether no path is in flight before this wave, and all samples are taken."""
        *_, taken = counters.view(np.uint32)
        counts = counters[:-4].view(native.layouts()["QueueCounts"])[wave % 3]
        return bool(counts["live"] == 0 and taken == samples)

    def _most_looks(self, batch: AnyArray) -> int:
        """No slot rests while there are samples, and no path has more segments than the depth."""
        rounds = 1 - -samples_of(batch) // self._slots
        return 2 + rounds * int(batch["max_depth"][0]) // WAVES_AT_ONCE


def samples_of(job: AnyArray) -> int:
    """Samples of a RenderJob."""
    return int(job["item_count"][0]) * int(job["sample_count"][0])


def batches_of(job: AnyArray) -> Iterator[AnyArray]:
    """Cut a RenderJob into some of at most `BATCH_SAMPLES`: whole tiles, with all their samples."""
    first, count = int(job["first_item"][0]), int(job["item_count"][0])
    samples = int(job["sample_count"][0])
    pixels = max(1, BATCH_SAMPLES // samples)
    if pixels > TILE_PIXELS:
        pixels -= pixels % TILE_PIXELS
    for pixel in range(0, count, pixels):
        for sample in range(0, samples, BATCH_SAMPLES):
            batch = job.copy()
            batch["first_item"], batch["item_count"] = first + pixel, min(pixels, count - pixel)
            batch["first_sample"] += sample
            batch["sample_count"] = min(samples - sample, BATCH_SAMPLES)
            yield batch


def _twin(kernel: str, job: AnyArray) -> str:
    """The kernel for jobs with is_varying, or for others."""
    return f"{kernel}_varying" if job["is_varying"][0] else kernel


#: By the names of the setting ``gpu_schedule``.
SCHEDULES: dict[str, Callable[[Driver], Schedule]] = {
    schedule.name: schedule for schedule in (Loop, Persistent, Wavefront)
}
