"""The compiled kernels: the build for this processor, and the layouts that it reports."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from gpuqueue.errors import ConfigError

Layouts = dict[str, "np.dtype[np.void]"]


def _has_avx2() -> bool:
    """Whether this processor and its kernel run x86-64-v3 code."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    info = Path("/proc/cpuinfo")
    flags = (
        info.read_text().partition("flags")[2].partition("\n")[0].split() if info.exists() else []
    )
    return {"avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", "abm"} <= set(flags)


@cache
def kernels() -> Any:
    """The compiled module: AVX2 where the processor has it, else the baseline.

    ``GPUQUEUE_KERNELS=baseline`` (or ``avx2``) asks for one build; both give the same bits.
    """
    build = os.environ.get("GPUQUEUE_KERNELS") or ("avx2" if _has_avx2() else "baseline")
    if build not in ("avx2", "baseline"):
        raise ConfigError(f"GPUQUEUE_KERNELS is '{build}'; expected 'avx2' or 'baseline'")
    try:
        return import_module(f"gpuqueue._kernels_{build}")
    except ModuleNotFoundError as error:
        raise ConfigError(f"the compiled kernels are missing ({error}); install again") from error


@cache
def layouts() -> Layouts:
    """A numpy dtype for every struct that Python fills, with the compiler's own offsets."""
    reported = kernels().layouts()
    done: Layouts = {}

    def dtype_of(name: str) -> np.dtype[np.void]:
        if name not in done:
            size, _, fields = reported[name]
            spec: Any = {
                "names": [f[0] for f in fields],
                "formats": [_format(f[1], f[2], f[3], f[5], dtype_of) for f in fields],
                "offsets": [f[4] for f in fields],
                "itemsize": size,
            }
            done[name] = np.dtype(spec)
        return done[name]

    return {name: dtype_of(name) for name in reported}


def _format(kind: str, element_size: int, count: int, structure: str, dtype_of: Any) -> Any:
    element = dtype_of(structure) if kind == "V" else np.dtype(f"{kind}{element_size}")
    return element if count == 1 else (element, (count,))
