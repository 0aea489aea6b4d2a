"""The two CUDA compilers, and what they say of a kernel's use of registers, spills and stack.

``python -m tests.kernels.cuda_compilers`` prints the table; with ``--write`` it sets the budget
that test_cuda_compile.py holds the kernels to, and with ``--loosen`` too it may allow more than
before. The budget covers nvcc 13.0, as in Dockerfile.cuda, and 13.5, as in the wheels.
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
Budget = dict[str, dict[str, dict[str, int]]]
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
    for entry in sorted(set(re.findall(r"Compiling entry function '(\w+)'", log))):
        match = re.search(
            rf"Function properties for {entry}\n.*?(\d+) bytes stack frame, (\d+) bytes spill "
            r"stores, (\d+) bytes spill loads\n.*?Used (\d+) registers",
            log,
        )
        assert match, f"no report of {entry} in:\n{log}"
        stack, stores, loads, registers = map(int, match.groups())
        share = occupancy(architecture, registers, BLOCK_THREADS)
        found[entry] = Resources(registers, stores + loads, stack, int(100 * share))
    assert set(ENTRIES) <= set(found), f"no report of all of {ENTRIES} in:\n{log}"
    return found


def rows(compiler: str, architecture: int, taken: dict[str, Resources]) -> list[str]:
    """Lines of the table."""
    place = f"{compiler:5} sm_{architecture:<4}"
    return [f"{place} {entry:25} {resources}" for entry, resources in taken.items()]


def table() -> dict[str, list[dict[str, Resources]]]:
    """The resources for every architecture, by each compiler that is here."""
    found: dict[str, list[dict[str, Resources]]] = {}
    for name, log in COMPILERS.items():
        for architecture in ARCHITECTURES:
            taken = resources(log(architecture), architecture)
            found.setdefault(f"sm_{architecture}", []).append(taken)
            print(*rows(name, architecture, taken), sep="\n", flush=True)
    return found


def budget_of(by_architecture: dict[str, list[dict[str, Resources]]]) -> Budget:
    """The worse of what the compilers need."""
    return {
        architecture: {
            entry: {
                field: worst(asdict(taken[entry])[field] for taken in by_compiler)
                for field, worst in WORST.items()
            }
            for entry in by_compiler[0]
        }
        for architecture, by_compiler in by_architecture.items()
    }


def as_text(budget: Budget) -> str:
    """The budget file: a line for each kernel on each architecture."""
    blocks = []
    for architecture, entries in budget.items():
        lines = [f"  {json.dumps(name)}: {json.dumps(line)}" for name, line in entries.items()]
        blocks.append(f"{json.dumps(architecture)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n " + ",\n ".join(blocks) + "\n}\n"


def changes(old: Budget, new: Budget) -> tuple[list[str], list[str]]:
    """What differs, a line each; and of those the lines that allow more than before."""
    told, looser = [], []
    for architecture, entries in new.items():
        for entry, fields in entries.items():
            before = old.get(architecture, {}).get(entry, {})
            for field, value in fields.items():
                if before.get(field) == value:
                    continue
                line = f"{architecture} {entry} {field}: {before.get(field, 'new')} -> {value}"
                told.append(line)
                if field in before and WORST[field](before[field], value) == value:
                    looser.append(line)
    return told, looser


def main() -> None:
    """Print the table; with --write, set the budget, which --loosen alone may make looser."""
    new = budget_of(table())
    old = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
    told, looser = changes(old, new)
    print(*told, sep="\n")
    if "--write" not in sys.argv[1:]:
        return
    if looser and "--loosen" not in sys.argv[1:]:
        sys.exit(
            "not written: these allow more than before; if they are worth it, add --loosen\n"
            + "\n".join(looser)
        )
    BUDGET.write_text(as_text(new))


if __name__ == "__main__":
    main()
