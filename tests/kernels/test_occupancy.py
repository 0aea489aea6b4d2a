"""The occupancy in the budget is what NVIDIA's own header reckons."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.libcuda.headers import Missing, include_folder

from .occupancy import LIMITS, occupancy

#: Prints the resident warps of blocks of 32 to 256 threads for 16 to 255 registers.
PROGRAM = r"""
#include <cstdio>
#include <cuda_occupancy.h>

int main() {
  const int capabilities[][4] = {%s};
  for (const auto& [major, minor, warps, blocks] : capabilities)
    for (int threads = 32; threads <= 256; threads *= 2)
      for (int registers = 16; registers < 256; registers++) {
        cudaOccDeviceProp device;
        device.computeMajor = major, device.computeMinor = minor;
        device.maxThreadsPerBlock = 1024;
        device.maxThreadsPerMultiprocessor = warps * 32;
        device.regsPerBlock = device.regsPerMultiprocessor = 65536;
        device.warpSize = 32;
        device.sharedMemPerBlock = device.sharedMemPerBlockOptin = 49152;
        device.sharedMemPerMultiprocessor = 65536;
        device.numSms = 1;
        device.reservedSharedMemPerBlock = 0;
        cudaOccFuncAttributes kernel;
        kernel.maxThreadsPerBlock = 1024;
        kernel.numRegs = registers;
        kernel.sharedSizeBytes = 0;
        const cudaOccDeviceState state;
        cudaOccResult result;
        if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, threads, 0))
          return 1;
        printf("%%d %%d %%d %%d\n", 10 * major + minor, threads, registers,
               result.activeBlocksPerMultiprocessor * threads / 32);
      }
}
"""


def test_it_is_what_the_header_of_the_toolkit_reckons(tmp_path: Path) -> None:
    try:
        include = include_folder()
    except Missing as missing:
        pytest.skip(str(missing))
    compiler = shutil.which("g++")
    if compiler is None or not (include / "cuda_occupancy.h").is_file():
        pytest.skip("no g++ on the PATH, or no cuda_occupancy.h (pip install nvidia-cuda-runtime)")
    rows = (f"{{{a // 10}, {a % 10}, {w}, {b}}}" for a, (w, b) in LIMITS.items())
    source = tmp_path / "occupancy.cpp"
    source.write_text(PROGRAM % ", ".join(rows))
    program = tmp_path / "occupancy"
    command = [compiler, "-std=c++17", "-w", f"-I{include}", str(source), "-o", str(program)]
    subprocess.run(command, check=True, timeout=100)
    told = subprocess.run([program], check=True, capture_output=True, text=True, timeout=100)
    lines = told.stdout.splitlines()
    assert len(lines) == len(LIMITS) * 4 * 240
    for line in lines:
        architecture, threads, registers, warps = map(int, line.split())
        expected = warps / LIMITS[architecture][0]
        assert occupancy(architecture, registers, threads) == expected, line


def test_fewer_registers_never_lower_it() -> None:
    for architecture in LIMITS:
        found = [occupancy(architecture, registers, 128) for registers in range(16, 256)]
        assert found == sorted(found, reverse=True)
        assert found[0] == 1
