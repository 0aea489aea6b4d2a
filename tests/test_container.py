"""The container's build, as far as it can be checked without building it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpuqueue.device.kernel_image import OPTIONS

from .kernels.cuda_compilers import ARCHITECTURES, SOURCE

DOCKERFILE = Path(__file__).parent.parent / "Dockerfile.cuda"
TEXT = DOCKERFILE.read_text().replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", TEXT, re.MULTILINE)


def test_hadolint_has_no_objection() -> None:
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("hadolint", path=beside_python)
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([program, DOCKERFILE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def compile_line() -> list[str]:
    """The words of the command that compiles the kernels."""
    (line,) = (line for line in instructions("RUN") if line.startswith("nvcc "))
    return shlex.split(line)


def test_nvcc_takes_the_line_that_compiles_the_kernels(tmp_path: Path) -> None:
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not on the PATH")
    here = {"/kernels/pathtrace.cu": str(SOURCE), "/pathtrace.fatbin": str(tmp_path / "fatbin")}
    command = [nvcc, "--dryrun", *(here.get(word, word) for word in compile_line()[1:])]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_kernels_are_built_with_the_options_and_for_the_gpus_that_the_tests_check() -> None:
    words = compile_line()
    assert [word for word in words if word in OPTIONS] == list(OPTIONS)
    assert words[words.index("-Werror") + 1] == "all-warnings"
    gencode = [words[i + 1] for i, word in enumerate(words) if word == "-gencode"]
    native = [f"arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES[:-1]]
    last = ARCHITECTURES[-1]
    assert gencode == [*native, f"arch=compute_{last},code=[sm_{last},compute_{last}]"]
    assert words[-1] == f"/kernels/{SOURCE.name}"


def test_everything_copied_into_the_build_exists_and_is_not_ignored() -> None:
    kept = (DOCKERFILE.parent / ".dockerignore").read_text().splitlines()
    for line in instructions("COPY"):
        if "--from" in line:
            continue
        for source in line.split()[:-1]:
            assert (DOCKERFILE.parent / source).exists()
            assert f"!{source}" in kept


def test_the_server_runs_without_root_and_is_asked_for_its_health() -> None:
    last_stage = TEXT.rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\d+)$", last_stage, re.MULTILINE)
    assert user
    assert int(user[1]) > 0
    assert re.search(r'^HEALTHCHECK .* CMD \["gpuqueue", "health"\]$', last_stage, re.MULTILINE)
    assert instructions("ENTRYPOINT") == ['["gpuqueue"]']
