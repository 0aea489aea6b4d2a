"""``python -m benchmarks.rays``: a line for each kind of ray and each build; rows as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.options import CheckFailed, Options
from benchmarks.rays.build import builds
from benchmarks.rays.places import FAST, OURS, PLACES, ROBUST
from benchmarks.rays.section import rays
from benchmarks.rows import Row, to_json

SECTIONS = {"rays": rays, "build": builds}


def main(arguments: list[str] | None = None) -> int:
    """1 where hits differ or the file cannot be written."""
    asked = parser().parse_args(arguments)
    options = Options(quick=asked.quick, rounds=max(1, asked.rounds))
    machine, rows = describe(), list[Row]()
    try:
        for section in asked.sections:
            for name in asked.scenes:
                found = list(SECTIONS[section](options, (name,)))
                print("\n".join(table(found)), flush=True)
                rows += found
        if asked.json:
            told = {"version": 1, "machine": machine, "rows": [to_json(row) for row in rows]}
            asked.json.write_text(json.dumps(told, indent=1) + "\n")
    except (CheckFailed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for note in {row.note for row in rows if row.note}:
        print(note, file=sys.stderr)
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be asked."""
    parsed = argparse.ArgumentParser(prog="python -m benchmarks.rays", description=__doc__)
    parsed.add_argument("--sections", nargs="+", default=list(SECTIONS), choices=list(SECTIONS))
    parsed.add_argument("--scenes", nargs="+", default=list(PLACES), choices=list(PLACES))
    parsed.add_argument("--rounds", type=int, default=Options().rounds)
    parsed.add_argument("--quick", action="store_true", help="small scenes, to see that it works")
    parsed.add_argument("--json", type=Path, help="write the rows to this file")
    return parsed


def table(rows: Iterable[Row]) -> Iterator[str]:
    """One line for each kind of ray, and each builder: medians, and ratios with their spread."""
    for (section, scene, case), own in groupby(
        rows, key=lambda row: (row.section, row.scene, row.case)
    ):
        of = {row.metric: row for row in own}
        cells = ray_cells(of) if section == "rays" else map(told, of.values())
        yield f"{scene:14}{case:12}" + "   ".join(cells)


def ray_cells(of: dict[str, Row]) -> Iterator[str]:
    """Our rate, and the ratios to Embree where there are any."""
    yield f"{of[f'{OURS}, Mrays/s'].median:6.2f} Mrays/s"
    for who in (ROBUST, FAST):
        if f"ratio to {who}" in of:
            yield told(of[f"ratio to {who}"])
            yield f"({of[f'differing from {who}, per million'].median:.0f} differ per million)"


def told(row: Row) -> str:
    """The median of a row, and its spread where there were several rounds."""
    low, high = row.spread
    spread = f" ({low:.3g} to {high:.3g})" if len(row.values) > 1 else ""
    return f"{row.metric} {row.median:.3g}{spread}"


if __name__ == "__main__":
    sys.exit(main())
