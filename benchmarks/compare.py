"""Two runs beside each other: ratios of medians, and which of them are more than noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.rows import Row

#: Medians that differ by less are noise, on a machine that does nothing else.
NOISE = 0.05
#: What must be the same for two runs to say something of the code between them.
MACHINE = ("cpu", "cores", "gpus", "device")


def compare(before: Iterable[Row], after: Iterable[Row]) -> Iterator[str]:
    """A line for each thing that both measured, in the order of the first.

    ``better`` or ``worse`` stands where the rounds of the two do not overlap and the medians differ
    by more than `NOISE`.
    """
    others = {row.key: row for row in after}
    for old in before:
        new = others.get(old.key)
        if new is None or old.better == "neither" or not old.median:
            continue
        place = f"{old.section:10} {old.scene:12} {old.case:24} {old.metric:26}"
        medians = f"{old.median:10.4g} {new.median:10.4g}"
        yield f"{place} {medians} {new.median / old.median:8.3f} {verdict(old, new)}".rstrip()


def verdict(old: Row, new: Row) -> str:
    """``better``, ``worse``, or nothing where the difference is within the spread."""
    apart = old.spread[1] < new.spread[0] or new.spread[1] < old.spread[0]
    if not apart or abs(new.median / old.median - 1) <= NOISE:
        return ""
    return "better" if (new.median > old.median) == (old.better == "higher") else "worse"


def unlike(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """A line for each way in which the machines of two runs differ."""
    for name in MACHINE:
        if before.get(name) != after.get(name):
            yield f"other {name}: {before.get(name)} and {after.get(name)}"
