"""Tests with the mark ``libcuda_double`` run in a child whose libcuda is the double.

A process that loads a libcuda keeps it, so the double must not come into the one that runs all
other tests. What the child reports of a test is reported here as it is.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from select import select
from typing import Any

import pytest

from .headers import Missing
from .library import build_library
from .pycuda_package import build_pycuda

MARK = "libcuda_double"
#: Set for the child alone: it runs the tests that it is asked for itself.
IN_CHILD = "GPUQUEUE_LIBCUDA_DOUBLE"
ROOT = Path(__file__).parents[2]
#: Of one test in the child; it is ended then, and the next test starts another.
TIMEOUT_S = 200


def forward_marked_tests(session: pytest.Session) -> None:
    """Build what they need now, while no clock runs; they skip where it cannot be had."""
    marked = [item for item in session.items if item.get_closest_marker(MARK)]
    if not marked or IN_CHILD in os.environ or session.config.option.collectonly:
        return
    try:
        environment = _environment(build_library(), build_pycuda(), _cache(session.config))
    except Missing as missing:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=str(missing)))
        return
    files = sorted({str(item.path) for item in marked})
    session.config.pluginmanager.register(Forward(files, environment))


class Forward:
    """Hands tests over to a child, which is started with the first of them."""

    def __init__(self, files: list[str], environment: dict[str, str]) -> None:
        self._files = files
        self._environment = environment
        self._child: _Child | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Any:
        if item.get_closest_marker(MARK) is None:
            return None
        child = self._child = self._child or _Child(self._files, self._environment)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(child, item, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        # The test before this one kept up what it thought this one would use here.
        item.session._setupstate.teardown_exact(nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _reports(
        self, child: _Child, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Iterator[pytest.TestReport]:
        is_last = nextitem is None or nextitem.get_closest_marker(MARK) is None
        try:
            for data in child.run(item.nodeid, "" if is_last or not nextitem else nextitem.nodeid):
                yield item.config.hook.pytest_report_from_serializable(
                    config=item.config, data=data
                )
        except ChildDied as died:
            self._child = None
            yield pytest.TestReport(
                item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed", str(died),
                "call",
            )  # fmt: skip

    def pytest_sessionfinish(self) -> None:
        if self._child:
            self._child.close()


class ChildDied(Exception):
    """The child ended, or did not answer in time; the text is what it printed last."""


class _Child:
    """A pytest of its own, whose loop is `serve`."""

    def __init__(self, files: list[str], environment: dict[str, str]) -> None:
        asked, self._ask = os.pipe()
        self._answers, answered = os.pipe()
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the child)
        options = ["-p", "tests.libcuda.serve", "-p", "no:cacheprovider", "-p", "no:xdist"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, f"--served={asked},{answered}", *files],
            cwd=ROOT, env=environment, pass_fds=[asked, answered],
            stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        os.close(asked)
        os.close(answered)
        self._lines = os.fdopen(self._answers, "rb", buffering=0)

    def run(self, nodeid: str, next_nodeid: str) -> Iterator[Any]:
        """The reports of a test, serialized. Raises ChildDied."""
        try:
            os.write(self._ask, f"{json.dumps([nodeid, next_nodeid])}\n".encode())
        except BrokenPipeError:
            self._raise_died("ended")
        while (answer := json.loads(self._line())) is not None:
            yield answer

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            if not select([self._answers], [], [], TIMEOUT_S)[0]:
                self._raise_died(f"did not answer within {TIMEOUT_S} s")
            part = self._lines.readline()
            if not part:
                self._raise_died("ended")
            line += part
        return line

    def _raise_died(self, how: str) -> None:
        self._process.kill()
        code = self._process.wait()
        self._output.seek(0)
        text = self._output.read()[-6000:]
        self.close()
        raise ChildDied(f"the process with the double {how} (exit code {code}):\n{text}")

    def close(self) -> None:
        """No more tests: the child ends by itself."""
        os.close(self._ask)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._lines.close()
        self._output.close()


def _cache(config: pytest.Config) -> Path:
    """A folder for what the child compiles, kept like pytest's own."""
    cache: Path = config.cache.mkdir("libcuda") if config.cache else Path(tempfile.mkdtemp())
    return cache


def _environment(library: Path, pycuda: Path, cache: Path) -> dict[str, str]:
    def with_front(variable: str, folder: Path) -> str:
        return os.pathsep.join(filter(None, [str(folder), os.environ.get(variable)]))

    ptx = shlex.join(["cd", str(ROOT)]) + " && "
    ptx += shlex.join([sys.executable, "-m", "tests.ptx", str(cache)])
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        IN_CHILD: "1",
        "LD_LIBRARY_PATH": with_front("LD_LIBRARY_PATH", library),
        "LIBCUDA_DOUBLE_TRANSLATOR": ptx,
        "PYTHONPATH": with_front("PYTHONPATH", pycuda),
        "XDG_CACHE_HOME": str(cache),
    }
