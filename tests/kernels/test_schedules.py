"""Persistent threads and wavefronts add the very bits to the film that `render` adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.device.film import Film, sums
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.scene import SceneBuffers
from tests.ptx.zoo import HEIGHT, SCENES, TEXTURED, WIDTH, WORK, zoo_scene

from .schedules import (
    STAGES,
    AnyArray,
    Batch,
    CpuMachine,
    Persistent,
    Schedule,
    Scheduled,
    Wavefront,
    Waves,
    permutations,
    render,
    reverse,
)

#: Begins and ends within tiles; its samples do not begin at the first.
PART = replace(WORK, first_pixel=100, pixel_count=700, first_sample=3, sample_count=3)
SAMPLES = PART.samples

#: One thread and more threads than samples; launches of one sample, of some, of all.
PERSISTENT = [
    Persistent(threads=1, bound=SAMPLES),
    Persistent(threads=37, bound=1000),
    Persistent(threads=128, bound=SAMPLES),
    Persistent(threads=3 * SAMPLES, bound=SAMPLES),
]
#: Fewer slots than a warp has lanes, about as many as samples, and more.
WAVEFRONT = [
    Wavefront(slots=7, bound=SAMPLES, waves=100),
    Wavefront(slots=300, bound=SAMPLES),
    Wavefront(slots=SAMPLES - 1, bound=SAMPLES),
    Wavefront(slots=2 * SAMPLES, bound=SAMPLES, waves=3),
]
MACHINES: dict[str, Callable[[], CpuMachine]] = {
    "one thread": lambda: CpuMachine(1),
    "four threads": lambda: CpuMachine(4),
    "backwards": lambda: CpuMachine(1, reverse),
    "shuffled": lambda: CpuMachine(1, permutations(1)),
    "shuffled on three threads": lambda: CpuMachine(3, permutations(2)),
}


@pytest.fixture(scope="module", params=sorted(SCENES.keys() - TEXTURED))
def scene(request: pytest.FixtureRequest) -> SceneBuffers:
    return zoo_scene(request.param)


@pytest.fixture(scope="module")
def expected(scene: SceneBuffers) -> Film:
    """What `render`, or `render_varying`, makes of it."""
    film = render(CpuMachine(), scene, WIDTH, HEIGHT, PART)
    assert np.count_nonzero(film["count"]) == PART.pixel_count
    assert sums(film)[..., :3].max() > 0
    return film


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("schedule", [*PERSISTENT, *WAVEFRONT], ids=str)
def test_the_film_is_that_of_the_kernel_that_renders(
    scene: SceneBuffers, expected: AnyArray, schedule: Schedule, machine: str
) -> None:
    film = render(Scheduled(MACHINES[machine](), schedule), scene, WIDTH, HEIGHT, PART)
    assert film.tobytes() == expected.tobytes()


FEW = replace(PART, pixel_count=40)
GLASS = "metal_glass_points"


@pytest.mark.parametrize("bound", [1, 2, 31, 50, 119, 120])
@pytest.mark.parametrize("name", ["cornell", "moving"])
def test_launches_may_end_anywhere_and_go_on(name: str, bound: int) -> None:
    scene = zoo_scene(name)
    expected = render(CpuMachine(), scene, WIDTH, HEIGHT, FEW)
    schedules: list[Schedule] = [
        Persistent(threads=20, bound=bound),
        Wavefront(slots=50, bound=bound),
        Wavefront(slots=50, bound=bound, waves=7),
    ]
    for schedule in schedules:
        film = render(Scheduled(CpuMachine(2), schedule), scene, WIDTH, HEIGHT, FEW)
        assert film.tobytes() == expected.tobytes(), schedule


@pytest.mark.parametrize("schedule", [PERSISTENT[1], WAVEFRONT[1]], ids=str)
def test_batches_add_to_a_film_as_passes_do(schedule: Schedule) -> None:
    scene = zoo_scene("cutouts")
    works = [replace(FEW, first_sample=first, sample_count=5) for first in (0, 5)]
    whole = replace(FEW, first_sample=0, sample_count=10)
    film = render(Scheduled(CpuMachine(2), schedule), scene, WIDTH, HEIGHT, *works)
    assert film.tobytes() == render(CpuMachine(), scene, WIDTH, HEIGHT, whole).tobytes()


class RenderJob:
    """Of a scene, with a film."""

    def __init__(self, name: str, work: Work) -> None:
        kept: list[AnyArray] = []
        scene, device = zoo_scene(name), KernelDevice(Scheduled(CpuMachine(), self._keep(kept)))
        self.uploaded = device.upload(scene)
        self.film = device.new_film(scene.camera, WIDTH, HEIGHT)
        device.render(self.uploaded, self.film, work)
        self.record, self.device = kept[0], device

    @staticmethod
    def _keep(kept: list[AnyArray]) -> Schedule:
        return lambda _machine, job: kept.append(job)

    def pixels(self) -> Film:
        return self.device.read_exact(self.film)


@pytest.fixture
def job() -> RenderJob:
    return RenderJob(GLASS, FEW)


class TestAWavefront:
    def test_serves_one_batch_after_another(self, job: RenderJob) -> None:
        """No slot is lost when a batch ends, nor does a path of one get into the next."""
        batch = Batch(CpuMachine(), job.record)
        waves = Waves(batch, 33)
        for _ in range(3):
            while not waves.is_over(batch.total):
                waves.roll(batch.total)
            assert waves.counts().free == waves.slots
            batch.resolve()
        film = render(CpuMachine(), zoo_scene(GLASS), WIDTH, HEIGHT, *[FEW] * 3)
        assert job.pixels().tobytes() == film.tobytes()

    def test_has_each_slot_in_one_queue_between_waves(self, job: RenderJob) -> None:
        batch = Batch(CpuMachine(3, permutations(3)), job.record)
        waves = Waves(batch, 33)
        while not waves.is_over(batch.total):
            waves.roll(batch.total)
            counts = waves.counts()
            parity = waves.number % 2
            queues = {
                name: waves.arrays[name].owner.view(np.uint32).reshape(2, waves.slots)[parity]
                for name in ("live", "free")
            }
            slots = [*queues["live"][: counts.live], *queues["free"][: counts.free]]
            assert sorted(slots) == list(range(waves.slots))

    def test_shades_hits_of_a_shader_together(self) -> None:
        job = RenderJob(GLASS, replace(WORK, sample_count=1))
        batch = Batch(CpuMachine(), job.record)
        waves = Waves(batch, batch.total)
        record = waves.job(batch.total)
        for stage in STAGES[:2]:
            batch.run(stage, record)
        layout = native.layouts()["QueueCounts"]
        counts = waves._counts.owner.view(layout)[0]["of_shader"]
        assert np.count_nonzero(counts) > 1
        queues = waves.arrays["shading"].owner.view(np.uint32).reshape(len(counts), -1)
        hits = waves.arrays["hits"].owner.view(np.uint32).reshape(5, -1)
        for shader, (queue, count) in enumerate(zip(queues, counts, strict=True)):
            found = {self.shader_of(*hits[3:, slot]) for slot in queue[:count]}
            assert found == ({shader} if count else set())

    @staticmethod
    def shader_of(instance: int, triangle: int) -> int:
        scene = zoo_scene(GLASS)
        placed = scene.instances[instance]
        slot = scene.triangles[scene.meshes[placed["mesh"]]["first_triangle"] + triangle]
        material = scene.material_slots[placed["first_material"] + slot["material"]]
        return int(scene.materials[material]["shader"])

    def test_may_roll_on_when_all_is_done(self, job: RenderJob) -> None:
        batch = Batch(CpuMachine(), job.record)
        waves = Waves(batch, 33)
        for _ in range(200):
            waves.roll(batch.total)
        assert waves.is_over(batch.total)
        batch.resolve()
        assert job.pixels()["count"].max() == 3

    def test_begins_anew_after_a_batch_that_was_given_up(self, job: RenderJob) -> None:
        batch = Batch(CpuMachine(), job.record)
        waves = Waves(batch, 33)
        for _ in range(3):
            waves.roll(batch.total)
        assert not waves.is_over(batch.total)
        batch.run("begin_wavefront", waves.job(0))
        assert waves.counts().free == waves.slots
        assert batch.taken() == 0


def test_no_sample_is_handed_out_twice_however_many_threads_ask(job: RenderJob) -> None:
    """A sample's place is written once: rubbish stays nowhere, and sums are those of one thread."""
    batch = Batch(CpuMachine(8), job.record)
    for end in (0, 1, 50, 50, batch.total):
        batch.run("render_persistent", batch.job("QueuedJob", 64, end))
        assert batch.taken() == end
    batch.resolve()
    expected = render(CpuMachine(), zoo_scene(GLASS), WIDTH, HEIGHT, FEW)
    assert job.pixels().tobytes() == expected.tobytes()


class TestALaunchIsRefused:
    def launch(self, job: RenderJob, kernel: str, **changes: Any) -> None:
        batch = Batch(CpuMachine(), job.record)
        record = Waves(batch, 9).job(batch.total)
        if kernel in ("render_persistent", "resolve_samples"):
            record = batch.job("QueuedJob", batch.pixels, batch.total)
        for name, value in changes.items():
            *path, last = name.split("__")
            at = record
            for part in path:
                at = at[part]
            at[last] = value
        native.kernels().launch(kernel, record.tobytes())

    @pytest.mark.parametrize(
        ("kernel", "changes", "says"),
        [
            ("render_persistent", {"queue__end": 121}, "end is beyond the batch's samples"),
            ("resolve_samples", {"queue__taken": 0}, "a pointer of SampleQueue is null"),
            ("render_persistent", {"render__film": 0}, "RenderJob.film is null"),
            ("render_persistent", {"render__item_count": 2**31}, "end beyond width"),
            ("resolve_samples", {"render__sample_count": 2**27}, r"2\^31 samples or more"),
            ("extend_paths", {"wavefront__slots": 0}, "slots must be at least 1"),
            ("shade_paths", {"wavefront__hits": 0}, "a pointer of Wavefront is null"),
            ("connect_paths", {"item_count": 9}, "item_count must be at least 201"),
        ],
    )
    def test_whose_job_would_write_elsewhere(
        self, job: RenderJob, kernel: str, changes: dict[str, int], says: str
    ) -> None:
        with pytest.raises(ValueError, match=says):
            self.launch(job, kernel, **changes)

    def test_with_a_job_of_another_layout(self, job: RenderJob) -> None:
        with pytest.raises(ValueError, match=r"a WavefrontJob has \d+ bytes, not \d+"):
            native.kernels().launch("extend_paths", job.record.tobytes())

    def test_of_a_kernel_that_is_not_there(self) -> None:
        with pytest.raises(ValueError, match="no kernel 'trace'; known: render_persistent, "):
            native.kernels().launch("trace", b"")

    @pytest.mark.parametrize("order", [[0, 1], [*range(39), 40]])
    def test_with_an_order_of_other_items(self, job: RenderJob, order: list[int]) -> None:
        batch = Batch(CpuMachine(), job.record)
        record = batch.job("QueuedJob", 40, batch.total).tobytes()
        with pytest.raises(ValueError, match="order"):
            native.kernels().launch("render_persistent", record, 1, np.array(order, np.uint32))
