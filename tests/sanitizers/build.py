"""The CPU kernels compiled with g++'s sanitizers, and Python processes that those watch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nanobind
import pytest

ROOT = Path(__file__).parents[2]
KERNELS = "_kernels_baseline"
SCENE_READER = "_scene_reader"
#: Enough for names and lines in a report; -O1 keeps what -O3 would optimise away. No warning of the
#: kernels passes, but for one that the checks themselves make g++ raise.
_COMMON = ("-O1", "-g1", "-Werror", "-Wno-maybe-uninitialized")


@dataclass(frozen=True)
class Sanitizer:
    """What g++ is told, which libraries a process loads before all others, and their options.

    A process ends at the first report, with an exit code of its own.
    """

    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    options: dict[str, str]


#: Memory and undefined behaviour. A float divided by zero counts as a mistake although IEEE 754
#: defines it: the infinity, or 0 * infinity, would travel on through a path. The kernels avoid it.
#: Leaks are not looked for: the interpreter keeps memory until its end.
ADDRESS_AND_UNDEFINED = Sanitizer(
    flags=(
        "-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow",
        "-fno-sanitize-recover=all",
    ),
    libraries=("libasan.so", "libubsan.so"),
    options={
        "ASAN_OPTIONS": "detect_leaks=0:strict_string_checks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    },
)
THREADS = Sanitizer(
    flags=("-fsanitize=thread",),
    libraries=("libtsan.so",),
    options={"TSAN_OPTIONS": "halt_on_error=1"},
)
SANITIZERS = {"address_and_undefined": ADDRESS_AND_UNDEFINED, "threads": THREADS}


def tool(name: str) -> str:
    """The path of a program on the PATH or beside Python, or a skip that says it is missing."""
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which(name, path=places)
    if found is None:
        pytest.skip(f"{name} is neither on the PATH nor beside Python")
    return found


def libraries(sanitizer: Sanitizer) -> list[str]:
    """The paths of its libraries, or a skip: g++ comes without them on some systems."""
    found = []
    for name in sanitizer.libraries:
        path = _output(tool("g++"), f"-print-file-name={name}").strip()
        if not Path(path).is_file():
            pytest.skip(f"g++ has no {name}")
        found.append(path)
    return found


def _output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def build_module(sanitizer: Sanitizer, folder: Path, target: str = KERNELS) -> Path:
    """A compiled Python module with a sanitizer; `folder` keeps what is up to date."""
    options = ";".join((*_COMMON, *sanitizer.flags))
    definitions = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_MODULE_LINKER_FLAGS": sanitizer.flags[0],
        "KERNEL_OPTIMIZATION": options,
        "Python_EXECUTABLE": sys.executable,
        "nanobind_DIR": nanobind.cmake_dir(),
    }
    given = [f"-D{name}={value}" for name, value in definitions.items()]
    _output(tool("cmake"), "-G", "Ninja", "-S", str(ROOT), "-B", str(folder), *given)
    _output(tool("cmake"), "--build", str(folder), "--target", target)
    (module,) = folder.glob(f"{target}*.so")
    return module


def build_library(sanitizer: Sanitizer, source: Path, folder: Path) -> Path:
    """A shared library of one source with the same flags."""
    library = folder / f"{source.stem}.so"
    flags = [*_COMMON, "-std=c++17", "-ffp-contract=off", "-shared", "-fPIC", "-pthread"]
    headers = f"-I{ROOT / 'kernels'}"
    _output(tool("g++"), *flags, *sanitizer.flags, headers, str(source), "-o", str(library))
    return library


def run_python(sanitizer: Sanitizer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the sanitizer's libraries loaded first."""
    environment = {
        **os.environ,
        **sanitizer.options,
        "LD_PRELOAD": " ".join(libraries(sanitizer)),
        # ASan sees through no allocator but the system's.
        "PYTHONMALLOC": "malloc",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
        cwd=ROOT,
        env=environment,
    )
