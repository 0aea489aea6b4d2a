"""What people read of rows, the file that keeps them, and their price."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.rows import Row, from_json, to_json

VERSION = 1
#: What a section calls the seconds that one picture takes from end to end; they have a price.
IMAGE_SECONDS, IMAGE_PRICE = "s an image", "price an image"


def line(row: Row) -> str:
    """The median, the lowest and the highest round, and what is to be known of it."""
    low, high = row.spread
    spread = f"{low:10.4g} to {high:<10.4g}" if len(row.values) > 1 else f"{'':24}"
    text = f"{row.scene:12} {row.case:24} {row.metric:28} {row.median:10.4g} {spread} {row.note}"
    return text.rstrip()


def priced(rows: Iterable[Row], price_per_hour: float | None) -> Iterator[Row]:
    """The rows, and after each that tells the seconds of an image what they cost.

    `price_per_hour` is that of the whole machine, in any currency; None leaves prices out.
    """
    for row in rows:
        yield row
        if row.metric == IMAGE_SECONDS and price_per_hour is not None:
            values = tuple(seconds * price_per_hour / 3600 for seconds in row.values)
            yield replace(row, metric=IMAGE_PRICE, values=values)


def write(path: Path, machine: dict[str, Any], command: list[str], rows: Iterable[Row]) -> None:
    """Keep a run: the machine, what was asked for, and the rows."""
    told = {
        "version": VERSION,
        "command": command,
        "machine": machine,
        "rows": [to_json(row) for row in rows],
    }
    path.write_text(json.dumps(told, indent=1) + "\n")


def read(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """The machine and the rows of a file. Raises ValueError for what is no such file."""
    told = json.loads(path.read_text())
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise ValueError(f"{path} is no file of benchmarks that this version reads")
    if not isinstance(told.get("rows"), list) or not isinstance(told.get("machine"), dict):
        raise ValueError(f"{path}: expected an object 'machine' and an array 'rows'")
    return told["machine"], [from_json(value) for value in told["rows"]]
