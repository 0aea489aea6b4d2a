"""``python -m benchmarks``: our renderer beside others on five scenes; ``compare A B``: two runs.

Results are checked before anything is reported: pictures that differ end the run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.options import CheckFailed, Options
from benchmarks.peers.environments import ENVIRONMENTS, PeerMissing, install
from benchmarks.peers.race import Course, race
from benchmarks.rows import Row, from_json, to_json

PEERS = ("mitsuba-llvm", "mitsuba-llvm-multijitter", "mitsuba-scalar", "cycles", "luxcore")
#: Medians that differ by less are noise, on a machine that does nothing else.
NOISE = 0.05


def main(arguments: list[str] | None = None) -> int:
    """1 where pictures differ or files cannot be read."""
    asked = parser().parse_args(arguments)
    try:
        if asked.action == "compare":
            print_lines(compare(read(asked.before), read(asked.after)))
        else:
            run(asked)
    except (CheckFailed, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be asked."""
    defaults = Options()
    parsed = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    actions = parsed.add_subparsers(dest="action")
    both = actions.add_parser("compare", help="ratios between the files of two runs")
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)
    parsed.add_argument("--scenes", nargs="+", default=defaults.scenes, choices=defaults.scenes)
    parsed.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parsed.add_argument("--quick", action="store_true", help="small scenes, to see that it works")
    parsed.add_argument("--rounds", type=int, default=defaults.rounds)
    parsed.add_argument("--seconds", type=float, default=3.0, help="processor time of a picture")
    parsed.add_argument("--size", type=int, default=256, help="pixels a side")
    parsed.add_argument("--install", action="store_true", help="install the other renderers")
    parsed.add_argument("--cache", type=Path, default=defaults.cache, help="where they are")
    parsed.add_argument("--json", type=Path, help="write the rows to this file")
    return parsed


def run(asked: argparse.Namespace) -> None:
    """Race scene by scene; print each table as it is there, write the file at the end."""
    if asked.install:
        for name in ENVIRONMENTS:
            try:
                install(name, asked.cache)
            except PeerMissing as missing:
                print(missing, file=sys.stderr)
    machine = describe()
    detail = Options(quick=asked.quick).detail
    rows: list[Row] = []
    for scene in asked.scenes:
        course = Course(scene, detail, asked.size, max(2, asked.rounds), asked.seconds)
        found = list(race(course, asked.peers, asked.cache))
        print_lines(table(found))
        rows += found
    if asked.json:
        told = {"version": 1, "machine": machine, "rows": [to_json(row) for row in rows]}
        asked.json.write_text(json.dumps(told, indent=1) + "\n")


def table(rows: Iterable[Row]) -> Iterator[str]:
    """One line a row: the median, and the lowest and the highest round."""
    for row in rows:
        low, high = row.spread
        spread = f"{low:10.4g} to {high:.4g}" if len(row.values) > 1 else ""
        yield f"{row.scene:10} {row.case:15} {row.metric:24} {row.median:10.4g} {spread}"


def read(path: Path) -> dict[tuple[str, str, str, str], Row]:
    """The rows of a file by what they measure. Raises ValueError for what is no such file."""
    told = json.loads(path.read_text())
    if not isinstance(told, dict) or told.get("version") != 1:
        raise ValueError(f"{path} is no file of benchmarks that this version reads")
    rows = [from_json(value) for value in told["rows"]]
    return {row.key: row for row in rows}


def compare(
    before: dict[tuple[str, str, str, str], Row], after: dict[tuple[str, str, str, str], Row]
) -> Iterator[str]:
    """What both measured, as the ratio of the medians; a star where it is more than noise."""
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        if old.better == "neither" or not old.median:
            continue
        ratio = new.median / old.median
        gain = ratio if old.better == "higher" else 1 / ratio
        apart = old.spread[1] < new.spread[0] or new.spread[1] < old.spread[0]
        mark = ("better" if gain > 1 else "worse") if apart and abs(gain - 1) > NOISE else ""
        yield f"{old.scene:10} {old.case:15} {old.metric:24} {ratio:8.3f} {mark}"


def print_lines(lines: Iterable[str]) -> None:
    """Each as soon as it is there."""
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
