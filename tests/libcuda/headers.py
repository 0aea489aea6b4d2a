"""NVIDIA's headers of the driver: ``cuda.h`` and ``cudaProfiler.h``, out of two small wheels."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

NAMES = ("cuda.h", "cudaProfiler.h")


class Missing(Exception):
    """Something that the double needs is not here; the text says what, and how it is to be had."""


def include_folder() -> Path:
    """The folder that holds both headers. Raises Missing."""
    spec = find_spec("nvidia")
    for root in (spec and spec.submodule_search_locations) or ():
        for found in sorted(Path(root).glob(f"*/include/{NAMES[0]}"), reverse=True):
            if all((found.parent / name).is_file() for name in NAMES):
                return found.parent
    packages = "nvidia-cuda-runtime nvidia-cuda-profiler-api"
    raise Missing(f"no {' and '.join(NAMES)} (pip install {packages})")


def functions(folder: Path) -> list[str]:
    """The names of all functions that the driver's library has, old versions too."""
    text = "".join((folder / name).read_text() for name in NAMES)
    declared = re.findall(r"CUDAAPI\s+(cu[A-Z]\w*)\s*\(", text)
    renamed = re.findall(r"#define\s+(cu[A-Z]\w*)\s+(?:__CUDA_API_PT[DS][SZ]\()?(cu[A-Z]\w*)", text)
    return sorted({*declared, *(name for pair in renamed for name in pair)})
