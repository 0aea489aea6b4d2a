"""The container's build, as far as it can be checked without building it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpuqueue.device.kernel_image import OPTIONS
from tests.kernels.cuda_compilers import ARCHITECTURES, SOURCE, CompilerMissing, find_nvcc

from .dockerfile import read

DOCKERFILE = Path(__file__).parents[2] / "Dockerfile.cuda"
STAGES = read(DOCKERFILE)


def test_hadolint_has_no_objection() -> None:
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("hadolint", path=beside_python)
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([program, DOCKERFILE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def compile_line() -> list[str]:
    """The words of the command that compiles the kernels."""
    (words,) = (run.words for run in STAGES[0].all("RUN"))
    assert words[0] == "nvcc"
    return words


def test_nvcc_takes_the_line_that_compiles_the_kernels(tmp_path: Path) -> None:
    try:
        nvcc = find_nvcc()
    except CompilerMissing as missing:
        pytest.skip(str(missing))
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
    copies = [copy.words for stage in STAGES for copy in stage.all("COPY")]
    for words in copies:
        if words[0].startswith("--from"):
            continue
        for source in words[:-1]:
            assert (DOCKERFILE.parent / source).exists()
            assert f"!{source}" in kept


def test_the_server_runs_without_root_and_is_asked_for_its_health() -> None:
    last = STAGES[-1]
    user, check, entry = last.last("USER"), last.last("HEALTHCHECK"), last.last("ENTRYPOINT")
    assert user is not None
    assert int(user.text) > 0
    assert check is not None
    assert check.text.endswith('CMD ["gpuqueue", "health"]')
    assert entry is not None
    assert entry.words == ["gpuqueue"]


def test_base_images_are_named_by_their_release() -> None:
    for stage in STAGES:
        assert ":" in stage.image
        assert not stage.image.endswith((":", ":latest"))
