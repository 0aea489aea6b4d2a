"""A pytest plugin: the child's loop. It runs the tests that it is asked for, by their names.

A line of the first pipe is ``[name, name of the next test or ""]``; the second pipe is given a line
for each report, and ``null`` at a test's end.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--served", help="numbers of the two pipes")


def pytest_configure(config: pytest.Config) -> None:
    asked, answered = map(int, config.getoption("--served").split(","))
    config.pluginmanager.register(_Loop(config, asked, answered))


class _Loop:
    def __init__(self, config: pytest.Config, asked: int, answered: int) -> None:
        self._config = config
        self._questions = os.fdopen(asked)
        self._answers = os.fdopen(answered, "w", buffering=1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for line in self._questions:
            name, next_name = json.loads(line)
            item, following = items[name], items.get(next_name)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            self._answer(None)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        self._answer(hook.pytest_report_to_serializable(config=self._config, report=report))

    def _answer(self, data: Any) -> None:
        print(json.dumps(data, default=os.fspath), file=self._answers)
