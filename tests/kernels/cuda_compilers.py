"""The two CUDA compilers, and what they say of a kernel's use of registers, spills and stack.

``python -m tests.kernels.cuda_compilers`` prints the table; with ``--write`` it sets the budget
that test_cuda_compile.py holds the kernels to.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from gpuqueue.device.kernel_image import ENTRIES, OPTIONS
from gpuqueue.device.nvrtc import Nvrtc
from gpuqueue.errors import ConfigError

SOURCE = Path(__file__).parents[2] / "kernels" / "pathtrace.cu"
BUDGET = Path(__file__).parent / "cuda_budget.json"
ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)


class CompilerMissing(Exception):
    """The compiler is not on this machine; the text says which and where it was looked for."""


@dataclass(frozen=True)
class Resources:
    """What one thread of a kernel takes: 32-bit registers, and bytes of local memory."""

    registers: int
    spills: int
    stack: int


def nvcc_log(architecture: int) -> str:
    """What nvcc and ptxas say when they make a cubin; warnings are errors."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise CompilerMissing("nvcc is not on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        target = ["-cubin", f"-arch=sm_{architecture}", "-o", f"{folder}/pathtrace.cubin"]
        strict = ["-Werror", "all-warnings", "-Xptxas", "-v"]
        command = [nvcc, *target, *strict, *OPTIONS, str(SOURCE)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        raise ConfigError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stderr


def nvrtc_log(architecture: int) -> str:
    """The same of NVRTC, which has no switch that makes warnings errors."""
    try:
        compiler = Nvrtc()
    except ConfigError as error:
        raise CompilerMissing(str(error)) from error
    return compiler.compile(SOURCE, architecture, [*OPTIONS, "--ptxas-options=-v"]).log


COMPILERS: dict[str, Callable[[int], str]] = {"nvcc": nvcc_log, "nvrtc": nvrtc_log}


def resources(log: str) -> dict[str, Resources]:
    """What each entry point takes, from ptxas' report."""
    found = {}
    for entry in ENTRIES:
        match = re.search(
            rf"Function properties for {entry}\n.*?(\d+) bytes stack frame, (\d+) bytes spill "
            r"stores, (\d+) bytes spill loads\n.*?Used (\d+) registers",
            log,
        )
        assert match, f"no report of {entry} in:\n{log}"
        stack, stores, loads, registers = map(int, match.groups())
        found[entry] = Resources(registers, stores + loads, stack)
    return found


def table() -> dict[str, list[dict[str, Resources]]]:
    """The resources for every architecture, by each compiler that is here."""
    found: dict[str, list[dict[str, Resources]]] = {}
    for name, log in COMPILERS.items():
        for architecture in ARCHITECTURES:
            taken = resources(log(architecture))
            found.setdefault(f"sm_{architecture}", []).append(taken)
            for entry, resource in taken.items():
                print(f"{name:5} sm_{architecture:<4} {entry:15} {resource}", flush=True)
    return found


def main() -> None:
    """Print the table; with --write, make the greater of both compilers the budget."""
    budget = {
        architecture: {
            entry: {
                field: max(asdict(taken[entry])[field] for taken in by_compiler)
                for field in ("registers", "spills", "stack")
            }
            for entry in ENTRIES
        }
        for architecture, by_compiler in table().items()
    }
    if "--write" in sys.argv[1:]:
        BUDGET.write_text(json.dumps(budget, indent=1) + "\n")


if __name__ == "__main__":
    main()
