"""``python -m benchmarks.rays``: prints a line for each kind of ray, writes rows as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.options import CheckFailed, Options
from benchmarks.rays.section import FAST, OURS, PLACES, ROBUST, rays
from benchmarks.rows import Row, to_json


def main(arguments: list[str] | None = None) -> int:
    """1 where hits differ or the file cannot be written."""
    asked = parser().parse_args(arguments)
    options = Options(quick=asked.quick, rounds=max(1, asked.rounds))
    machine, rows = describe(), list[Row]()
    print(
        f"{'':14}{'':12}{'Mrays/s':>9}{'to ' + ROBUST:>18}{'to ' + FAST:>18}  differing per million"
    )
    try:
        for name in asked.scenes:
            found = list(rays(options, (name,)))
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
    parsed.add_argument("--scenes", nargs="+", default=list(PLACES), choices=list(PLACES))
    parsed.add_argument("--rounds", type=int, default=Options().rounds)
    parsed.add_argument("--quick", action="store_true", help="small scenes, to see that it works")
    parsed.add_argument("--json", type=Path, help="write the rows to this file")
    return parsed


def table(rows: Iterable[Row]) -> Iterator[str]:
    """One line for each kind of ray: our rate, and the ratios to Embree where there are any."""
    for (scene, case), own in groupby(rows, key=lambda row: (row.scene, row.case)):
        of = {row.metric: row.median for row in own}
        line = f"{scene:14}{case:12}{of[f'{OURS}, Mrays/s']:9.2f}"
        if f"ratio to {FAST}" in of:
            line += f"{of[f'ratio to {ROBUST}']:18.2f}{of[f'ratio to {FAST}']:18.2f}"
            line += "  " + ", ".join(
                f"{of[f'differing from {who}, per million']:.0f}" for who in (ROBUST, FAST)
            )
        yield line


if __name__ == "__main__":
    sys.exit(main())
