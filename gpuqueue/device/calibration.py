"""Which schedule is fastest on this GPU: measured once on a small scene, and remembered.

Each renders the same picture; the times are those between events of the GPU. A schedule whose film
differs in a bit from that of the loop is refused: code that is wrong on this GPU must not run.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.device.cuda_driver import CudaDriver
from gpuqueue.device.film import Film
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.kernel_image import kernel_folder, sources_hash
from gpuqueue.device.schedules import SCHEDULES, Loop, Schedule
from gpuqueue.disk_cache import kept_folder, write_whole
from gpuqueue.errors import OutOfMemory, SceneError
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.scene import SceneBuffers, load_scene, pack

_log = EventLogger(Category.RENDER)

#: A closed room with glass, installed beside the kernels.
SCENE = "cornell.mi"
#: Pixels a side: more in all than a large GPU has threads.
SIDE = 1024
#: Samples of a pixel are doubled until the loop takes so long, at most to so many.
ENOUGH_S = 0.05
MAX_SAMPLES = 64
#: The fastest of so many runs counts.
RUNS = 3
MAX_DEPTH = 8


def choose_schedule(driver: CudaDriver, settings: RenderSettings) -> Schedule:
    """The schedule that the settings name, or the fastest; one log line says which and why."""
    if settings.gpu_schedule != "auto":
        return _chosen(driver, settings.gpu_schedule, "by the configuration")
    file = _file_of(driver)
    name = _remembered(file)
    if name is not None:
        return _chosen(driver, name, "as measured before")
    try:
        seconds = calibrate(driver)
    except (OutOfMemory, SceneError) as error:
        return _chosen(driver, Loop.name, f"nothing was measured: {error}")
    name = min(seconds, key=lambda each: seconds[each])
    if file is not None:
        with suppress(OSError):  # it is measured again then
            write_whole(file, json.dumps({"schedule": name, "seconds": seconds}).encode())
    told = ", ".join(f"{each} {taken * 1e3:.1f} ms" for each, taken in seconds.items())
    return _chosen(driver, name, f"measured: {told}")


def calibrate(driver: CudaDriver) -> dict[str, float]:
    """Seconds that each schedule takes for one picture, of those that can be used.

    Raises OutOfMemory if not even the scene finds room, SceneError if it is not installed.
    """
    trial = Trial(_scene())
    seconds = {Loop.name: trial.run(driver, Loop(driver))}
    for name in sorted(SCHEDULES.keys() - {Loop.name}):
        try:
            seconds[name] = trial.run(driver, SCHEDULES[name](driver))
        except (OutOfMemory, OtherFilm) as error:
            _log.event(
                Event.SCHEDULE_REFUSED,
                f"Schedule {name} is not used on {driver.description}: {error}.",
                level=logging.WARNING,
                schedule=name,
            )
    return seconds


class OtherFilm(Exception):
    """A schedule's film is not that of the loop."""


@dataclass
class Trial:
    """The picture that all render: the first tells how many samples it has, and its film."""

    scene: SceneBuffers
    samples: int = 1
    film: Film | None = None

    def run(self, driver: CudaDriver, schedule: Schedule) -> float:
        """Seconds of the fastest run. Raises OtherFilm, OutOfMemory."""
        device = KernelDevice(driver, None, schedule)
        handle = device.upload(self.scene, film_size=(SIDE, SIDE))

        def render(samples: int) -> tuple[float, Film]:
            film = device.new_film(self.scene.camera, SIDE, SIDE)
            seconds = device.render(handle, film, Work(0, SIDE**2, 0, samples, 0, MAX_DEPTH))
            return seconds, device.read_exact(film)

        render(1)  # the first launch of a kernel takes longer
        if self.film is None:
            while render(self.samples)[0] < ENOUGH_S and self.samples < MAX_SAMPLES:
                self.samples *= 2
        runs = [render(self.samples) for _ in range(RUNS)]
        if self.film is None:
            self.film = runs[0][1]
        if any(film.tobytes() != self.film.tobytes() for _, film in runs):
            raise OtherFilm("its film is not that of the loop, bit for bit")
        return min(seconds for seconds, _ in runs)


def _scene() -> SceneBuffers:
    loaded = load_scene(Path(SCENE), kernel_folder().parent / "scenes")
    return pack(loaded, native.layouts(), native.kernels().shaders(), SIDE, SIDE)


def _file_of(driver: CudaDriver) -> Path | None:
    """Where the choice for this GPU, driver and kernels is kept."""
    folder = kept_folder("schedules")
    told = repr((driver.description, driver.driver_version, sources_hash()))
    return folder and folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.json"


def _remembered(file: Path | None) -> str | None:
    """The name in the file, unless it holds anything else."""
    try:
        name = json.loads(file.read_bytes())["schedule"] if file else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) and name in SCHEDULES else None


def _chosen(driver: CudaDriver, name: str, why: str) -> Schedule:
    try:
        schedule = SCHEDULES[name](driver)
    except OutOfMemory as error:
        name, why = Loop.name, f"{name} finds no room: {error}"
        schedule = Loop(driver)
    message = f"Samples are shared out by schedule {name} ({why})."
    _log.event(Event.SCHEDULE_CHOSEN, message, schedule=name)
    return schedule
