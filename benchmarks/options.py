"""What a run was asked for; every section gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row

PEERS = ("mitsuba-llvm", "mitsuba-llvm-multijitter", "mitsuba-scalar", "cycles", "luxcore")


@dataclass(frozen=True)
class Options:
    """`quick` makes a smoke test of it: small scenes, few samples, at most two rounds."""

    #: The device of the sections that use one; `peers` and `loading` are of the CPU.
    device: str = "auto"
    quick: bool = False
    rounds: int = 5
    scenes: tuple[str, ...] = ("cornell", "terrain", "room", "lamps", "planet")
    peers: tuple[str, ...] = PEERS
    #: Processor time of a picture in the race.
    seconds: float = 3.0
    #: Pixels a side.
    size: int = 256
    #: Threads of the cpu device: one, so that rates are those of a core; 0 is one for each core.
    threads: int = 1
    #: Virtual environments of other renderers, and reference pictures.
    cache: Path = Path.home() / ".cache" / "gpuqueue-benchmarks"

    @property
    def detail(self) -> float:
        """Share of a scene's triangles to build."""
        return 0.01 if self.quick else 1.0


#: A section checks its results, then yields what it measured. Raises CheckFailed.
Section = Callable[[Options], Iterator[Row]]


class CheckFailed(Exception):
    """A result is wrong: nothing measured with it means anything."""
