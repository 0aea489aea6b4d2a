"""Lines of the log: whoever chose the words in them, they stay one line of ours."""

import io
import logging
from collections.abc import Iterator

import pytest

from gpuqueue.log import Category, Event, EventLogger, RealityServerFormatter

FORGED = "a\nQUEUE  main info : forged\r\x1b[2J\x9b"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged during the test, as it is written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RealityServerFormatter())
    logger = logging.getLogger("gpuqueue")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def failure() -> Exception:
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        return error


@pytest.mark.parametrize("exc_info", [None, failure()])
def test_text_of_others_neither_begins_a_line_nor_commands_a_terminal(
    stream: io.StringIO, exc_info: Exception | None
) -> None:
    log = EventLogger(Category.QUEUE)
    log.event(Event.JOB_FAILED, f"Job failed: {FORGED}", level=40, exc_info=exc_info)
    first, *others = stream.getvalue().splitlines()
    assert first == "QUEUE  main error : Job failed: a"
    assert all(line.startswith("    ") for line in others)
    assert not set("\r\x1b\x9b") & set(stream.getvalue())
