"""What `serve` keeps running beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from gpuqueue.cli import children
from gpuqueue.cli.children import Keeper


def test_a_child_that_cannot_be_started_again_for_a_while_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, records: list[Any]
) -> None:
    monkeypatch.setattr(children, "FIRST_DELAY_S", 0.01)
    is_back = threading.Event()
    outcomes: list[Any] = ["ends", OSError(11, "Resource temporarily unavailable"), None]

    def start() -> subprocess.Popen[bytes]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        if outcome is None:
            is_back.set()
        code = "import sys; sys.stdin.read()" if outcome is None else "pass"
        return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)

    with Keeper(start, patience_s=10):
        assert is_back.wait(30)
    lines = [record.getMessage() for record in records]
    assert "Listener cannot be started: Resource temporarily unavailable." in lines
