"""Fixtures of tests that run on the double, wherever they stand."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from .control import Double
from .forward import IN_CHILD, MARK


@pytest.fixture
def libcuda() -> Iterator[Double]:
    """The double, as at its start. The test fails if it refused something, or lost memory."""
    double = Double()
    double.reset()
    yield double
    gc.collect()
    mistakes = double.take_mistakes()
    double.reset()
    assert not mistakes, "\n".join(["the double says:", *mistakes])


@pytest.fixture(autouse=True)
def no_mistakes(request: pytest.FixtureRequest) -> None:
    """Every marked test is held to that."""
    if IN_CHILD in os.environ and request.node.get_closest_marker(MARK):
        request.getfixturevalue("libcuda")
