"""What rays visit, counted by an instrumented build of the kernels on the CPU.

A visit does not depend on the machine: the counts of the GPU's layout hold for the GPU.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.kernels.compiler import library
from gpuqueue.device.native import layouts
from tests.kernels.ray_scenes import Array

#: Bytes of a record in each layout: node, block of triangles (kernels/bvh).
NODE_BYTES = {"float8": 256, "compressed8": 80}
BLOCK_BYTES = {"float8": 176, "compressed8": 48}


@dataclass(frozen=True)
class Visits:
    """Of one ray, on average: how many nodes, blocks and placements it visits, how many bytes it
    asks for, and how many bytes must come from memory at least once for all rays."""

    nodes: float
    blocks: float
    placements: float
    asked_bytes: float
    memory_bytes: float


def count_visits(built: Mapping[str, Any], rays: Array, any_hit: bool, layout: str) -> Visits:
    """The visits of rays through what build_accelerator made. Raises CompilerMissing."""
    kinds = layouts()
    accelerator = np.zeros(1, kinds["Accelerator"])
    for name in kinds["Accelerator"].names or ():
        value = built[name]
        accelerator[name] = value.ctypes.data if isinstance(value, np.ndarray) else value
    sizes = (NODE_BYTES[layout], BLOCK_BYTES[layout], kinds["Placement"].itemsize)
    rays, counts = np.ascontiguousarray(rays), np.zeros(6, np.uint64)
    _counter()(
        ctypes.c_void_p(accelerator.ctypes.data),
        ctypes.c_uint64(built["nodes"].nbytes // sizes[0]),
        ctypes.c_uint64(built["blocks"].nbytes // sizes[1]),
        ctypes.c_void_p(rays.ctypes.data),
        ctypes.c_uint64(len(rays)),
        ctypes.c_int(layout == "compressed8"),
        ctypes.c_int(any_hit),
        ctypes.c_void_p(counts.ctypes.data),
    )
    visited, distinct = counts.astype(float).reshape(2, 3) / len(rays)
    ends = rays.itemsize + (4 if any_hit else kinds["Hit"].itemsize)  # read, and written
    asked, needed = float(visited @ sizes) + ends, float(distinct @ sizes) + ends
    nodes, blocks, placements = visited.tolist()
    return Visits(nodes, blocks, placements, asked, needed)


@cache
def _counter() -> Any:
    return library("counting.cpp").count_visits
