"""A row: one thing measured, once for each round. Tables, files and plots are made of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Row:
    """A metric of a case in a scene. `values` holds one number for each round, in time's order, so
    that rows of one section may be divided round by round."""

    section: str
    scene: str
    case: str
    metric: str
    values: tuple[float, ...]
    better: Better = "higher"
    note: str = ""

    def __post_init__(self) -> None:
        if not self.values or not np.isfinite(self.values).all():
            raise ValueError(f"{self.key}: expected finite numbers, not {self.values}")

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the same measurement has in another run."""
        return self.section, self.scene, self.case, self.metric

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return float(np.median(self.values))

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest round."""
        return min(self.values), max(self.values)


def ratio(own: Iterable[float], other: Iterable[float]) -> tuple[float, ...]:
    """Round by round: each compares neighbours in time."""
    return tuple(a / b for a, b in zip(own, other, strict=True))


def to_json(row: Row) -> dict[str, Any]:
    """A row for a file."""
    return {**asdict(row), "values": list(row.values)}


def from_json(value: dict[str, Any]) -> Row:
    """A row from a file. Raises ValueError where it is none."""
    try:
        return Row(**{**value, "values": tuple(float(v) for v in value["values"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a row: {value!r} ({error})") from error
