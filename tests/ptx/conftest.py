"""Translated modules are kept in pytest's cache: a second run compiles only what changed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from . import Program, load_ptx
from .build import forget_unused
from .compilers import kernels_ptx


@pytest.fixture(scope="session")
def ptx_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = getattr(request.config, "cache", None)
    if cache is None:
        return tmp_path_factory.mktemp("ptx")
    folder: Path = cache.mkdir("ptx")
    forget_unused(folder)
    return folder


@pytest.fixture(scope="session")
def load(ptx_cache: Path) -> Callable[[str, str], Program]:
    """``load(text, name)``: a module, translated, compiled and loaded."""
    return lambda text, name: load_ptx(text, name, ptx_cache)


@pytest.fixture(scope="session")
def compiled(load: Callable[[str, str], Program]) -> Callable[[str, int, bool], Program]:
    """The shipped kernels by a compiler, for an architecture, with products fused or not."""

    @cache
    def program(compiler: str, architecture: int, fuses: bool) -> Program:
        ptx = kernels_ptx(compiler, architecture, fuses)
        return load(ptx, f"pathtrace-{compiler}-{architecture}.ptx")

    return program
