"""CUDA C++ to PTX by both compilers, as tests need it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from gpuqueue.device.kernel_image import OPTIONS
from gpuqueue.device.nvrtc import Nvrtc
from gpuqueue.errors import ConfigError
from tests.kernels.cuda_compilers import CompilerMissing, find_nvcc

#: Whose entry points are the kernels that are shipped.
KERNELS = Path(__file__).parents[2] / "kernels" / "pathtrace.cu"
#: So that errors name lines of the source.
_LINE_INFO = "-lineinfo"


def nvcc_ptx(source: Path, architecture: int, options: Sequence[str] = ()) -> str:
    """What nvcc makes for a virtual architecture (75 is compute_75); skips the test without it."""
    try:
        nvcc = find_nvcc()
    except CompilerMissing as missing:
        pytest.skip(str(missing))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "module.ptx")
        flags = ["-ptx", f"-arch=compute_{architecture}", "-std=c++17", _LINE_INFO, *options]
        command = [nvcc, *flags, "-o", str(target), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=250)
        assert done.returncode == 0, done.stderr
        return target.read_text()


def nvrtc_ptx(source: Path, architecture: int, options: Sequence[str] = ()) -> str:
    """What NVRTC makes on the way to a cubin; skips the test without it."""
    try:
        compiler = Nvrtc()
    except ConfigError as missing:
        pytest.skip(str(missing))
    flags = ["-std=c++17", _LINE_INFO, *options]
    return compiler.compile(source, architecture, flags).ptx.decode()


COMPILERS = {"nvcc": nvcc_ptx, "nvrtc": nvrtc_ptx}


def kernels_ptx(compiler: str, architecture: int, fuses: bool) -> str:
    """The shipped kernels with the shipped options, but for the fusing of products into sums."""
    # Both compilers are told the C++ standard by the functions above.
    options = [o for o in OPTIONS if not o.startswith(("-fmad", "-std"))]
    return COMPILERS[compiler](KERNELS, architecture, [*options, f"-fmad={str(fuses).lower()}"])
