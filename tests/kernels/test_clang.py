"""clang reads the device code without a complaint, and its analyser finds nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KERNELS = HERE.parents[1] / "kernels"
#: As NVRTC is used: no host headers. The shim stands for what NVIDIA's would declare.
CUDA = (
    *("-x", "cuda", "--cuda-device-only", "--cuda-gpu-arch=sm_80", "-nocudainc", "-nocudalib"),
    *("-D__CUDACC__", "-D__CUDACC_RTC__", "-isystem", str(HERE), "-include", "clang_cuda.h"),
    *("-std=c++17", "-Wall", "-Wextra", "-Wshadow", "-Wdouble-promotion"),
)


def complaints(source: Path) -> str:
    """What clang says of a source; skips the test without it."""
    tool = shutil.which("clang-tidy", path=str(Path(sys.executable).parent)) or shutil.which(
        "clang-tidy"
    )
    if tool is None:
        pytest.skip("no clang-tidy (pip install clang-tidy)")
    checks = ["--checks=-*,clang-diagnostic-*,clang-analyzer-*", "--header-filter=.*", "--quiet"]
    command = [tool, *checks, str(source), "--", *CUDA]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=250)
    said = [line for line in done.stdout.splitlines() if "[clang-" in line]
    assert said or done.returncode == 0, done.stdout + done.stderr
    return "\n".join(said)


def test_the_kernels_are_read_without_a_complaint() -> None:
    assert complaints(KERNELS / "pathtrace.cu") == ""


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        ("*x = *x * 0.5;", "double-promotion"),
        ("float y; *x = y;", "uninitialized"),
        ("float* p = nullptr; *p = *x;", "NullDereference"),
        ("*x = missing;", "undeclared identifier"),
        ("{ float x = 1.0f; (void)x; }", "shadow"),
    ],
)
def test_a_planted_mistake_is_told(mistake: str, complaint: str, tmp_path: Path) -> None:
    source = tmp_path / "mistake.cu"
    source.write_text(f"__global__ void render(float* x) {{ {mistake} }}\n")
    assert complaint.lower() in complaints(source).lower()
