"""The last lines of the log: of this job's time, bounded, harmless."""

from __future__ import annotations

import logging

import pytest

from gpuqueue.listener.last_lines import MAX_LINE_CHARS, MAX_LINES, LastLines
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)


@pytest.fixture(autouse=True)
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gpuqueue")


def say(text: str, **options: object) -> None:
    log.event(Event.TRY_FAILED, text, **options)  # type: ignore[arg-type]


def test_what_is_said_in_the_block_is_kept_as_the_log_shows_it() -> None:
    say("before")
    with LastLines() as lines:
        say("first")
        say("second \x1b[31m", level=logging.WARNING)
    say("after")
    assert lines.lines == (
        "QUEUE  main info : first",
        "QUEUE  main warn : second \ufffd[31m",
    )


def test_of_much_the_last_is_kept_and_of_a_long_line_the_beginning() -> None:
    with LastLines() as lines:
        for number in range(100):
            say(f"{number} " + "x" * 1000)
    assert len(lines.lines) == MAX_LINES
    assert lines.lines[-1].startswith("QUEUE  main info : 99 ")
    assert all(len(line) <= MAX_LINE_CHARS + 1 for line in lines.lines)


def test_a_traceback_ends_with_its_error() -> None:
    with LastLines() as lines:
        try:
            raise ValueError("the cause")
        except ValueError as error:
            say("failed", exc_info=error)
    assert lines.lines[-1].strip() == "ValueError: the cause"
