"""What a run was asked for; every section gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row


@dataclass(frozen=True)
class Options:
    """`quick` makes a smoke test of it: small scenes, few samples, two rounds."""

    device: str = "auto"
    quick: bool = False
    rounds: int = 5
    scenes: tuple[str, ...] = ("cornell", "terrain", "room", "lamps", "planet")
    #: Threads of the cpu device: one, so that rates are those of a core.
    threads: int = 1
    #: The machine's price, in any currency; None leaves prices out.
    price_per_hour: float | None = None
    #: Virtual environments of other renderers.
    cache: Path = Path.home() / ".cache" / "gpuqueue-benchmarks"

    @property
    def detail(self) -> float:
        """Share of a scene's triangles to build."""
        return 0.01 if self.quick else 1.0


#: A section checks its results, then yields what it measured. Raises CheckFailed.
Section = Callable[[Options], Iterator[Row]]


class CheckFailed(Exception):
    """A result is wrong: nothing measured with it means anything."""
