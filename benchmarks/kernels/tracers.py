"""The kernels' traversal on a device: rays and accelerator lie there before anything is timed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from benchmarks.timing import Clock, timed
from gpuqueue.device.kernel_device import Buffer, Driver
from gpuqueue.device.native import kernels, layouts
from tests.kernels.ray_scenes import Array

EVERYTHING = 0xFFFFFFFF
#: Rays of one call of the module: its answers then stay in the cache.
CHUNK = 4096


class Tracer(Protocol):
    """Traces all of its rays."""

    def trace(self) -> float:
        """For the closest hit, or any; the seconds that it took."""

    def answers(self) -> Array:
        """Hit records [N] of the last time, or 1 for each ray that hit anything, 0 for others."""


class HostTracer:
    """The compiled module's own loop over rays."""

    def __init__(
        self, built: Mapping[str, Any], rays: Array, any_hit: bool, threads: int, clock: Clock
    ) -> None:
        self._built, self._any_hit, self._threads = built, any_hit, threads
        self._clock = clock
        size = CHUNK if threads == 1 else len(rays)
        self._chunks = [rays[first : first + size].copy() for first in range(0, len(rays), size)]
        self._answers: list[Array] = []

    def trace(self) -> float:
        """Chunk after chunk."""
        seconds, self._answers = timed(self._trace_all, self._clock)
        return seconds

    def _trace_all(self) -> list[Array]:
        run = kernels().trace_any if self._any_hit else kernels().trace_closest
        return [
            run(self._built, chunk, EVERYTHING, "float8", threads=self._threads)
            for chunk in self._chunks
        ]

    def answers(self) -> Array:
        """All chunks."""
        found = np.concatenate(self._answers)
        return found if self._any_hit else found.view(layouts()["Hit"])


class GpuTracer:
    """The entry points trace_rays and trace_shadow_rays (kernels/bvh/trace_rays.cuh). Seconds are
    the GPU's own, between two events."""

    def __init__(
        self,
        driver: Driver,
        built: Mapping[str, Any],
        rays: Array,
        any_hit: bool,
    ) -> None:
        self._driver, self._any_hit = driver, any_hit
        self._entry = "trace_shadow_rays" if any_hit else "trace_rays"
        self._buffers: list[Buffer] = []
        self._job = np.zeros(1, layouts()["TraceRaysJob"])
        record = self._job[0]
        for name in layouts()["Accelerator"].names or ():
            value = built[name]
            is_array = isinstance(value, np.ndarray)
            record["accelerator"][name] = self._upload(value) if is_array else value
        record["rays"] = self._upload(np.ascontiguousarray(rays))
        each = 4 if any_hit else layouts()["Hit"].itemsize
        self._written = driver.zeros(len(rays) * each)
        record["occluded" if any_hit else "hits"] = self._written.address
        record["item_count"], record["mask"] = len(rays), EVERYTHING
        self._mark = driver.mark()

    def _upload(self, array: Array) -> int:
        self._buffers.append(self._driver.upload(array))
        return self._buffers[-1].address

    def trace(self) -> float:
        """One launch."""
        self._driver.launch(self._entry, self._job, int(self._job["item_count"][0]), [self._mark])
        return self._driver.finish()

    def answers(self) -> Array:
        """Read back."""
        data = self._driver.download(self._written)
        return data.view(np.uint32 if self._any_hit else layouts()["Hit"])
