"""Fixtures that several rooms share."""

from __future__ import annotations

import logging
import signal
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.libcuda.forward import forward_marked_tests

if TYPE_CHECKING:
    from tests.cloud import Cloud

pytest_plugins = ["tests.libcuda.fixtures"]


# A shell without job control starts what it puts into the background with SIGINT ignored, and
# children inherit that: the tests' processes would never see the signal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    forward_marked_tests(session)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Some tests log what is no text, halves of surrogate pairs; a report goes to another process
    as UTF-8."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


#: The property under which a test tells a line of the table of kernel resources.
RESOURCES = "kernel resources"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the kernels take on each GPU, whichever processes found it out."""
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    properties = (p for report in reports for p in getattr(report, "user_properties", ()))
    lines = sorted({value for name, value in properties if name == RESOURCES})
    if lines:
        terminalreporter.section(RESOURCES)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """SQS and S3 over HTTP on a free port of this machine."""
    from moto.server import ThreadedMotoServer

    from tests.cloud import Cloud

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Cloud(f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What gpuqueue logs during the test, whatever other tests made of its handlers."""
    found: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = found.append  # type: ignore[method-assign]
    logger = logging.getLogger("gpuqueue")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.setLevel(level)
    logger.removeHandler(handler)
