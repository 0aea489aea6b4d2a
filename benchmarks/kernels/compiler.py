"""The host's C++ compiler with the options of the CPU kernels, for what includes their headers."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import tempfile
from pathlib import Path

from benchmarks.machine import ROOT

HERE = Path(__file__).parent
KERNELS = ROOT / "kernels"
FLAGS = ("-std=c++17", "-O3", "-ffp-contract=off", "-fno-math-errno", "-Wno-psabi")
IS_X86 = platform.machine() in ("x86_64", "AMD64")


class CompilerMissing(Exception):
    """There is no C++ compiler, or it cannot compile this; the text says which."""


def library(source: str) -> ctypes.CDLL:
    """The file of this folder as a library that is loaded and leaves nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "library.so"
        compile_to(source, target, "-shared", "-fPIC")
        return ctypes.CDLL(str(target))


def assembly(source: str) -> str:
    """What the compiler makes of the file, one float after another where it has a choice."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "listing.s"
        compile_to(source, target, "-S", "-fno-tree-vectorize", "-fno-tree-slp-vectorize")
        return target.read_text()


def compile_to(source: str, target: Path, *options: str) -> None:
    """Raises CompilerMissing."""
    architecture = ("-march=x86-64-v3",) if IS_X86 else ()
    command = ["c++", *FLAGS, *architecture, *options, f"-I{KERNELS}"]
    try:
        subprocess.run(
            [*command, str(HERE / source), "-o", str(target)],
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise CompilerMissing("no C++ compiler (c++) on the PATH") from error
    except subprocess.CalledProcessError as error:
        raise CompilerMissing(f"{source} does not compile:\n{error.stderr}") from error
