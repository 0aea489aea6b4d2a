"""The kernels' traversal on a device: rays and accelerator lie there before anything is timed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from benchmarks.kernels.launcher import Launcher
from gpuqueue.device.kernel_device import Buffer, Driver
from gpuqueue.device.kernel_image import kernel_image
from gpuqueue.device.native import kernels, layouts
from tests.kernels.ray_scenes import Array

EVERYTHING = 0xFFFFFFFF
#: Rays of one call of the module: its answers then stay in the cache.
CHUNK = 4096


class Tracer(Protocol):
    """Traces all of its rays."""

    def trace(self) -> None:
        """For the closest hit, or any; returns when all are traced."""

    def answers(self) -> Array:
        """Hit records [N] of the last time, or 1 for each ray that hit anything, 0 for others."""


class HostTracer:
    """The compiled module's own loop over rays."""

    def __init__(self, built: Mapping[str, Any], rays: Array, any_hit: bool, threads: int) -> None:
        self._built, self._any_hit, self._threads = built, any_hit, threads
        size = CHUNK if threads == 1 else len(rays)
        self._chunks = [rays[first : first + size].copy() for first in range(0, len(rays), size)]
        self._answers: list[Array] = []

    def trace(self) -> None:
        """Chunk after chunk."""
        run = kernels().trace_any if self._any_hit else kernels().trace_closest
        self._answers = [
            run(self._built, chunk, EVERYTHING, "float8", threads=self._threads)
            for chunk in self._chunks
        ]

    def answers(self) -> Array:
        """All chunks."""
        found = np.concatenate(self._answers)
        return found if self._any_hit else found.view(layouts()["Hit"])


class GpuTracer:
    """The entry points trace_rays and trace_shadow_rays (kernels/bvh/trace_rays.cuh)."""

    def __init__(
        self,
        driver: Driver,
        launcher: Launcher,
        built: Mapping[str, Any],
        rays: Array,
        any_hit: bool,
    ) -> None:
        self._driver, self._launcher, self._any_hit = driver, launcher, any_hit
        image = kernel_image(launcher.properties.architecture)
        self._function = launcher.load(image, "trace_shadow_rays" if any_hit else "trace_rays")
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

    def _upload(self, array: Array) -> int:
        self._buffers.append(self._driver.upload(array))
        return self._buffers[-1].address

    def trace(self) -> None:
        """One launch."""
        self._launcher.launch(self._function, self._job)

    def answers(self) -> Array:
        """Read back."""
        data = self._driver.download(self._written)
        return data.view(np.uint32 if self._any_hit else layouts()["Hit"])
