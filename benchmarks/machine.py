"""The machine, the versions and the moment of a run."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gpuqueue.device.cpu import usable_cores

ROOT = Path(__file__).parents[1]
PACKAGES = ("gpuqueue", "numpy", "cupy-cuda12x", "cupy-cuda13x", "pycuda", "embreex", "mitsuba")


def describe() -> dict[str, Any]:
    """What to know beside figures. Load is that of the last minute, before the run."""
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "gpus": gpus(),
        "load": os.getloadavg()[0],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := package_version(name))},
    }


def cpu_model() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def gpus() -> list[dict[str, str]]:
    """Name, driver and memory of each GPU, by nvidia-smi; none where that is missing."""
    answer = output(
        "nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"
    )
    rows = [line.split(", ") for line in answer.splitlines() if line.count(", ") == 2]
    return [{"name": name, "driver": driver, "memory": memory} for name, driver, memory in rows]


def commit() -> str:
    """The commit, with a plus where files differ from it; empty outside a repository."""
    head = output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return head + ("+" if head and changed else "")


def package_version(name: str) -> str | None:
    """The version of a package, None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def output(*command: str) -> str:
    """What a command prints; empty where it cannot run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
