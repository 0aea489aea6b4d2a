"""A virtual environment for each renderer: their needs exclude each other (numpy 1.26 and 2)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Environment:
    """What to install, and the module that shows whether it is there."""

    requirements: tuple[str, ...]
    module: str


ENVIRONMENTS = {
    "mitsuba": Environment(("mitsuba>=3.7", "numpy"), "mitsuba"),
    "cycles": Environment(
        # Blender publishes its module for one version of Python at a time.
        ("bpy==5.0.1; python_version<'3.12'", "bpy>=5.1; python_version>='3.12'", "numpy<2"),
        "bpy",
    ),
    "luxcore": Environment(("pyluxcore>=2.10", "numpy"), "pyluxcore"),
}


class PeerMissing(Exception):
    """A renderer cannot run here; the text says why and what to do."""


def python_of(renderer: str, cache: Path) -> Path:
    """The interpreter that has the renderer. Raises PeerMissing."""
    if renderer == "gpuqueue":
        return Path(sys.executable)
    name = renderer.partition("-")[0]
    python = cache / name / "bin" / "python"
    if not python.exists() or not has(python, ENVIRONMENTS[name].module):
        raise PeerMissing(f"{name} is not installed: python -m benchmarks peers --install")
    return python


def install(name: str, cache: Path) -> None:
    """Make the environment `name` below `cache`, where it is not yet. Raises PeerMissing."""
    environment = ENVIRONMENTS[name]
    python = cache / name / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(cache / name)], check=True)
        if not has(python, environment.module):
            pip = [str(python), "-m", "pip", "install", "--quiet", *environment.requirements]
            subprocess.run(pip, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerMissing(f"{name} cannot be installed in {cache / name}: {error}") from error


def has(python: Path, module: str) -> bool:
    """Whether an interpreter finds a module."""
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0


def environment_variables() -> dict[str, str]:
    """The environment of a worker: our modules, one thread, an LLVM for Dr.Jit."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    if "DRJIT_LIBLLVM_PATH" not in variables and (found := find_llvm()):
        variables["DRJIT_LIBLLVM_PATH"] = str(found)
    return variables


def find_llvm(
    folders: tuple[Path, ...] = (Path("/usr/lib"), Path("/usr/local/lib")),
) -> Path | None:
    """The newest LLVM library from 16 to 20: Dr.Jit fails with 15, later ones are not tried."""
    found: dict[int, Path] = {}
    for folder in folders:
        for path in [*folder.glob("*/libLLVM*.so*"), *folder.glob("llvm-*/lib/libLLVM*.so*")]:
            if match := re.search(r"libLLVM(?:-|\.so\.)(\d+)", path.name):
                found.setdefault(int(match[1]), path)
    usable = [number for number in found if 16 <= number <= 20]
    return found[max(usable)] if usable else None
