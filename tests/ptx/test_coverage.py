"""The coverage of the kernels: that a line which no scene reaches any more is told."""

from __future__ import annotations

import json

from .compilers import KERNELS
from .coverage import ALLOWED, SLACK, missed, report, too_many

COUNTS = {"film.cuh": {3: 10, 4: 0, 7: 2}, "vec.cuh": dict.fromkeys(range(1, 9), 0)}


def test_lines_that_were_never_executed_are_listed() -> None:
    assert missed(COUNTS["film.cuh"]) == [4]
    lines = report(COUNTS).splitlines()
    assert lines[1].split() == ["film.cuh", "3", "66.7%", "4"]
    assert lines[2].split() == ["vec.cuh", "8", "0.0%", *"12345678"]
    assert lines[3].split() == ["all", "11", "18.2%"]


def test_a_file_may_lack_what_is_allowed_and_little_more() -> None:
    assert too_many(COUNTS, {"vec.cuh": 8 - SLACK}) == {}
    assert too_many(COUNTS, {"vec.cuh": 7 - SLACK}) == {"vec.cuh": (8, 7 - SLACK)}
    assert too_many(COUNTS, {}) == {"vec.cuh": (8, 0)}


def test_what_is_allowed_is_said_of_files_that_exist() -> None:
    for name in json.loads(ALLOWED.read_text()):
        assert (KERNELS.parent / name).is_file(), f"{name}: python -m tests.ptx.coverage --write"
