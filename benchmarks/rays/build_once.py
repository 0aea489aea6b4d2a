"""``python -m benchmarks.rays.build_once PLACE WHO``: builds once and prints two numbers of bytes:
by how much the process grew at most, and for good."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.options import Options
from benchmarks.rays.build import EMBREE
from benchmarks.rays.embree import Embree, EmbreeScene
from benchmarks.rays.places import OURS, PLACES


def main() -> None:
    """Linux only: elsewhere the file of the peak is missing."""
    parsed = argparse.ArgumentParser(description=__doc__)
    parsed.add_argument("place", choices=list(PLACES))
    parsed.add_argument("who", choices=(OURS, EMBREE))
    parsed.add_argument("--quick", action="store_true")
    asked = parsed.parse_args()
    scene, _ = PLACES[asked.place].scaled(Options(quick=asked.quick))
    with ExitStack() as held:
        build: Callable[[], object] = scene.build
        if asked.who == EMBREE:
            embree = held.enter_context(Embree())
            build = held.enter_context(EmbreeScene(embree, scene, robust=True)).build
        before = status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far: proc(5)
        built = build()
        print(status("VmHWM") - before, status("VmRSS") - before)
        del built


def status(name: str) -> int:
    """A number of bytes that the system tells of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
