"""A context of the real PyCUDA on the double, and the kernels that tests launch in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ptx.compilers import nvrtc_ptx

from .control import Double

SOURCE = Path(__file__).parent / "kernels" / "arithmetic.cu"


@pytest.fixture(scope="session")
def ptx() -> bytes:
    return nvrtc_ptx(SOURCE, 75).encode()


@pytest.fixture
def cuda(libcuda: Double) -> Any:
    """``pycuda.driver``, initialized."""
    import pycuda.driver

    pycuda.driver.init()
    return pycuda.driver


@pytest.fixture
def context(cuda: Any) -> Iterator[Any]:
    """A current context."""
    made = cuda.Device(0).make_context()
    yield made
    made.pop()
    made.detach()


@pytest.fixture
def module(cuda: Any, context: Any, ptx: bytes) -> Any:
    return cuda.module_from_buffer(ptx)
