"""Which lines of the kernels the PTX executes on the zoo: ``python -m tests.ptx.coverage``.

The translated C speaks of the lines of the ``.cu`` and ``.cuh`` files, so that gcov counts those.
A line counts where the compiler left instructions of it. Prints each file's share and the lines
that no scene reaches, and fails where a file has more of them than ``coverage.json`` allows; with
``--write`` that file is written anew.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernels.schedules import Persistent, Scheduled, Wavefront, render

from .build import compile_c
from .compilers import KERNELS as SOURCE
from .compilers import kernels_ptx
from .driver import PtxDriver
from .errors import PtxError
from .launcher import Program
from .parser import parse
from .test_trace import KERNELS as TRACING
from .test_trace import accelerator_of, rays_into, traced
from .translate import translate
from .zoo import HEIGHT, SCENES, WIDTH, WORK, zoo_scene

#: For each file, how many lines may stay without execution.
ALLOWED = Path(__file__).parent / "coverage.json"
ARCHITECTURE = 90
#: Lines of a file that another release of the compiler may leave instructions of.
SLACK = 2
_WRITE_COUNTS = "void __gcov_dump(void);\nvoid write_counts(void) { __gcov_dump(); }\n"

PART = replace(WORK, first_pixel=700, pixel_count=150, sample_count=1)
SCHEDULES = (Persistent(threads=100, bound=PART.samples), Wavefront(slots=100, bound=PART.samples))

#: Of each file, by its path below kernels/: how often each line was executed.
Counts = dict[str, dict[int, int]]


class GcovMissing(Exception):
    """The counts cannot be read; the text says what would."""


def measure() -> Counts:
    """Run every kernel on every scene of the zoo. Raises GcovMissing."""
    ptx = kernels_ptx("nvrtc", ARCHITECTURE, False)
    with tempfile.TemporaryDirectory() as folder:
        source = translate(parse(ptx, "pathtrace.ptx")) + _WRITE_COUNTS
        library = compile_c(source, Path(folder), "--coverage")
        program = Program(library)
        for name in SCENES:
            _run_all(program, name)
        ctypes.CDLL(str(library)).write_counts()
        return _counted(Path(folder))


def _run_all(program: Program, name: str) -> None:
    """The kernels that render the scene, by each schedule, and those that trace rays into it."""
    scene, driver = zoo_scene(name), PtxDriver(program)
    render(driver, scene, WIDTH, HEIGHT, WORK)
    for schedule in SCHEDULES:
        render(Scheduled(driver, schedule), scene, WIDTH, HEIGHT, PART)
    rays, accelerator = rays_into(scene), accelerator_of(scene, "compressed8")
    reference = accelerator_of(scene, "float8")
    for kernel, (_, on_cpu) in TRACING.items():
        traced(program, kernel, accelerator, rays, on_cpu(reference, rays))


def _counted(folder: Path) -> Counts:
    """What gcov says of the run that left its counts in a folder."""
    gcov = shutil.which("gcov")
    if gcov is None:
        raise GcovMissing("gcov is not on the PATH; it comes with gcc")
    command = [gcov, "--json-format", "--stdout", *(f.name for f in folder.glob("*.gcda"))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250)
    if done.returncode != 0 or not done.stdout:
        raise PtxError(f"{' '.join(command)}\n{done.stderr}")
    counts: Counts = defaultdict(lambda: defaultdict(int))
    for file in json.loads(done.stdout)["files"]:
        name = _below_kernels(Path(file["file"]))
        for line in file["lines"] if name else ():
            counts[name][line["line_number"]] += line["count"]
    return counts


def _below_kernels(path: Path) -> str:
    """The name of a source of the kernels, else nothing. The compiler knows the first by name."""
    if path.name == SOURCE.name:
        return SOURCE.name
    folder = SOURCE.parent
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""


def missed(lines: dict[int, int]) -> list[int]:
    """The lines that were never executed."""
    return sorted(number for number, count in lines.items() if count == 0)


def report(counts: Counts) -> str:
    """A table, a line for each file, and what it lacks."""
    rows = [f"{'file':30} {'lines':>5} {'executed':>8}  never executed"]
    for name, lines in sorted(counts.items()):
        share = 1 - len(missed(lines)) / len(lines)
        listed = " ".join(map(str, missed(lines)))
        rows.append(f"{name:30} {len(lines):5} {share:8.1%}  {listed}".rstrip())
    total = sum(map(len, counts.values()))
    share = 1 - sum(len(missed(lines)) for lines in counts.values()) / total
    return "\n".join([*rows, f"{'all':30} {total:5} {share:8.1%}"])


def too_many(counts: Counts, allowed: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Files with more such lines than allowed: how many, and how many there may be."""
    found = {name: (len(missed(lines)), allowed.get(name, 0)) for name, lines in counts.items()}
    return {name: pair for name, pair in found.items() if pair[0] > pair[1] + SLACK}


def main() -> int:
    """1 where a file has too many. Without NVRTC or gcov there is nothing to measure."""
    try:
        counts = measure()
    except (GcovMissing, pytest.skip.Exception) as missing:
        print(f"line coverage of the kernels was not measured: {missing}")
        return 0
    print(report(counts))
    if "--write" in sys.argv[1:]:
        written = {name: len(missed(lines)) for name, lines in sorted(counts.items())}
        ALLOWED.write_text(json.dumps(written, indent=1) + "\n")
        return 0
    excess = too_many(counts, json.loads(ALLOWED.read_text()))
    for name, (found, most) in excess.items():
        print(f"{name}: {found} lines are never executed; there may be {most}", file=sys.stderr)
    return 1 if excess else 0


if __name__ == "__main__":
    sys.exit(main())
