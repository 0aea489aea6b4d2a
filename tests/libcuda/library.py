"""Builds the double: what is modelled, and every other function of the driver as a refusal."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import headers
from .cache import key_of, made_once
from .headers import Missing

SOURCES = Path(__file__).parent / "driver"
PTX_RUNTIME = Path(__file__).parents[1] / "ptx" / "runtime"
#: What the dynamic linker looks for, and what a program is linked with.
SONAME, LINKER_NAME = "libcuda.so.1", "libcuda.so"
_OPTIONS = (
    *("-std=gnu11", "-O1", "-g1", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"),
    *("-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,defs", f"-Wl,-soname,{SONAME}"),
)


def build_library() -> Path:
    """The folder with the double. Raises Missing where there is no compiler, or no headers."""
    compiler, include = _compiler(), headers.include_folder()
    shared = [PTX_RUNTIME / name for name in ("ptx_abi.h", "ptx_types.h")]
    named = [include / name for name in headers.NAMES]
    key = key_of(compiler, _OPTIONS, Path(__file__), *sorted(SOURCES.iterdir()), *shared, *named)
    return made_once("libcuda", key, lambda folder: _compile(compiler, include, folder))


def _compiler() -> str:
    found = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc")
    if found is None:
        raise Missing("no C compiler is on the PATH")
    return found


def _compile(compiler: str, include: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        rest = Path(work, "unmodelled.c")
        rest.write_text(_unmodelled(headers.functions(include)))
        sources = [*sorted(SOURCES.glob("*.c")), rest]
        includes = [f"-I{place}" for place in (SOURCES, PTX_RUNTIME)]
        includes += ["-isystem", str(include)]
        files = [*map(str, sources), "-o", str(folder / SONAME), "-ldl", "-lpthread"]
        command = [compiler, *_OPTIONS, *includes, *files]
        done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[:4000]}")
    (folder / LINKER_NAME).symlink_to(SONAME)


def _unmodelled(names: list[str]) -> str:
    """Weak, so that what is modelled takes the place of these."""
    lines = ['#include "control.h"', "#pragma GCC visibility push(default)"]
    for name in names:
        body = f'return double_unmodelled("{name}");'
        lines.append(f"__attribute__((weak)) int {name}(void) {{ {body} }}")
    return "\n".join(lines) + "\n"
