"""The open device, how it traces, and what its machine can do at best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.device import clock_of
from benchmarks.kernels.compiler import CompilerMissing
from benchmarks.kernels.launcher import LAUNCHERS, Launcher
from benchmarks.kernels.probe import Machine, probe_gpu, probe_host
from benchmarks.kernels.tracers import GpuTracer, HostTracer, Tracer
from benchmarks.options import Options
from benchmarks.rays.scenes import RayKind
from benchmarks.timing import Clock
from gpuqueue.device import Device
from gpuqueue.device.cpu import usable_cores
from gpuqueue.device.kernel_device import KernelDevice

#: Rays of a kind: their square root. A GPU needs more of them to be busy.
HOST_SIDE, GPU_SIDE, QUICK_SIDE = 512, 1024, 64
QUICK_ELEMENTS = 1 << 16


@dataclass(frozen=True)
class Bench:
    """`launcher` is None on the host; `machine` where it cannot be measured: `note` says why."""

    device: KernelDevice
    options: Options
    launcher: Launcher | None
    machine: Machine | None = None
    note: str = ""

    @property
    def clock(self) -> Clock:
        """For the host; a GPU tells its own seconds."""
        return clock_of(self.device, self.options)

    @property
    def threads(self) -> int:
        """Of the host, for building and, on the cpu device, for tracing."""
        return self.options.threads or usable_cores()

    @property
    def layout(self) -> str:
        """The node layout of the device's kernels."""
        return "compressed8" if self.launcher else "float8"

    @property
    def other_layout(self) -> str:
        """The one that hits are checked with."""
        return "float8" if self.launcher else "compressed8"

    @property
    def side(self) -> int:
        """The square root of the number of camera rays."""
        return QUICK_SIDE if self.options.quick else GPU_SIDE if self.launcher else HOST_SIDE

    def tracer(self, built: Mapping[str, Any], asked: RayKind) -> Tracer:
        """All rays, ready to be traced."""
        if self.launcher is None:
            return HostTracer(built, asked.rays, asked.any_hit, self.threads, self.clock)
        return GpuTracer(self.device.driver, built, asked.rays, asked.any_hit)

    def probed(self) -> Bench:
        """With `machine`, or with a note."""
        small = {"elements": QUICK_ELEMENTS} if self.options.quick else {}
        try:
            if self.launcher is None:
                return replace(self, machine=probe_host(self.threads, self.clock, **small))
            measured = probe_gpu(self.device.driver, self.launcher, self.clock, **small)
            return replace(self, machine=measured)
        except (CompilerMissing, ValueError) as missing:
            return replace(self, note=f"no roof: {str(missing).splitlines()[0]}")


@contextmanager
def opened_bench(device: Device, options: Options) -> Iterator[Bench]:
    """The bench of an open device, while the block runs."""
    assert isinstance(device, KernelDevice)
    launcher = LAUNCHERS[device.name]() if device.name in LAUNCHERS else None
    try:
        yield Bench(device, options, launcher).probed()
    finally:
        if launcher is not None:
            launcher.close()
