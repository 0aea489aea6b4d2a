"""Builds the real PyCUDA, linked with the double, and keeps it.

There is no wheel of it, its build guesses where CUDA lies, and it links with a libcuda that only
machines with a driver have. So its sources are told where the headers and the double are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import numpy as np

from . import headers
from .cache import key_of, made_once
from .headers import Missing
from .library import build_library

#: The release that runs on the double; what pyproject.toml asks for is no newer.
VERSION = "2026.1"
#: Executed by the build of PyCUDA, as is this other file of ours.
_PARALLEL = Path(__file__).with_name("compile_in_parallel.py")
#: Without optimisation, which would cost minutes and gain its tests nothing.
_CONFIGURATION = """
CUDA_INC_DIR = [{include!r}]
CUDADRV_LIB_DIR = [{library!r}]
CUDADRV_LIBNAME = ["cuda"]
CUDA_ENABLE_CURAND = CUDA_ENABLE_GL = False
USE_SHIPPED_BOOST = True
CXXFLAGS = ["-O0", "-g0", "-w"]
__import__("runpy").run_path({parallel!r})
"""


def build_pycuda() -> Path:
    """A folder for ``PYTHONPATH``. Raises Missing with the reason where it cannot be had."""
    library, include = build_library(), headers.include_folder()
    python = (sysconfig.get_config_var("EXT_SUFFIX"), np.__version__.split(".")[0])
    key = key_of(VERSION, python, _CONFIGURATION, *(include / name for name in headers.NAMES))

    def make(folder: Path) -> None:
        sources = _download(folder.parent)
        configuration = _CONFIGURATION.format(
            include=str(include), library=str(library), parallel=str(_PARALLEL)
        )
        (sources / "siteconf.py").write_text(configuration)
        _pip(["install", "--target", str(folder), str(sources)], folder.parent)

    return made_once("pycuda", key, make)


def _download(folder: Path) -> Path:
    """The unpacked sources."""
    _pip(["download", "--no-binary=pycuda", f"pycuda=={VERSION}"], folder)
    archive = next(folder.glob("pycuda-*.tar.gz"))
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def _pip(arguments: list[str], folder: Path) -> None:
    """``pycuda.driver`` needs numpy alone, its build setuptools and numpy: all that is here."""
    verb, *rest = arguments
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", verb, *options, *rest]
    log = folder / "pip.log"
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=folder, stdout=output, stderr=output, timeout=1200, env=_environment()
        )
    if done.returncode != 0:
        last = " ".join(log.read_text(errors="replace").split()[-60:])
        raise Missing(f"PyCUDA {VERSION} cannot be built: {last}")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
