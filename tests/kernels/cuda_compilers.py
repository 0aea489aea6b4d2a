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
from importlib.util import find_spec
from pathlib import Path

from gpuqueue.device.cuda import BLOCK_THREADS
from gpuqueue.device.kernel_image import ENTRIES, OPTIONS
from gpuqueue.device.nvrtc import Nvrtc
from gpuqueue.errors import ConfigError

from .occupancy import occupancy

SOURCE = Path(__file__).parents[2] / "kernels" / "pathtrace.cu"
BUDGET = Path(__file__).parent / "cuda_budget.json"
ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)


#: Which of several values of a field is the worst one.
WORST: dict[str, Callable[..., int]] = {
    "registers": max,
    "spills": max,
    "stack": max,
    "occupancy": min,
}


class CompilerMissing(Exception):
    """The compiler is not on this machine; the text says which and where it was looked for."""


@dataclass(frozen=True)
class Resources:
    """What one thread of a kernel takes: 32-bit registers, and bytes of local memory.

    And what follows: the percentage of a multiprocessor's warps that can be resident.
    """

    registers: int
    spills: int
    stack: int
    occupancy: int

    def __str__(self) -> str:
        return (
            f"{self.registers:3} registers, {self.spills} bytes spilled, {self.stack} bytes of "
            f"stack, occupancy {self.occupancy} %"
        )


def find_nvcc() -> str:
    """nvcc on the PATH, or that of the wheel nvidia-cuda-nvcc. Raises CompilerMissing."""
    found = shutil.which("nvcc")
    if found is not None:
        return found
    spec = find_spec("nvidia")
    for root in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(root).glob("cu*/bin/nvcc")):
            return str(path)
    raise CompilerMissing("nvcc is not on the PATH, and no wheel nvidia-cuda-nvcc is installed")


def nvcc_log(architecture: int) -> str:
    """What nvcc and ptxas say when they make a cubin; warnings are errors."""
    nvcc = find_nvcc()
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


def resources(log: str, architecture: int) -> dict[str, Resources]:
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
        share = occupancy(architecture, registers, BLOCK_THREADS)
        found[entry] = Resources(registers, stores + loads, stack, int(100 * share))
    return found


def rows(compiler: str, architecture: int, taken: dict[str, Resources]) -> list[str]:
    """Lines of the table."""
    place = f"{compiler:5} sm_{architecture:<4}"
    return [f"{place} {entry:15} {resources}" for entry, resources in taken.items()]


def table() -> dict[str, list[dict[str, Resources]]]:
    """The resources for every architecture, by each compiler that is here."""
    found: dict[str, list[dict[str, Resources]]] = {}
    for name, log in COMPILERS.items():
        for architecture in ARCHITECTURES:
            taken = resources(log(architecture), architecture)
            found.setdefault(f"sm_{architecture}", []).append(taken)
            print(*rows(name, architecture, taken), sep="\n", flush=True)
    return found


def main() -> None:
    """Print the table; with --write, make the worse of both compilers the budget."""
    budget = {
        architecture: {
            entry: {
                field: worst(asdict(taken[entry])[field] for taken in by_compiler)
                for field, worst in WORST.items()
            }
            for entry in ENTRIES
        }
        for architecture, by_compiler in table().items()
    }
    if "--write" in sys.argv[1:]:
        BUDGET.write_text(json.dumps(budget, indent=1) + "\n")


if __name__ == "__main__":
    main()
