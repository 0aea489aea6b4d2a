"""What bounds the rate of rays on a machine (Williams, Waterman, Patterson 2009).

A ray takes at least the time of its floating-point operations at the machine's peak, and at least
that of its bytes from memory at the measured bandwidth; the larger of the two is the roof. Its
bytes from memory are those that some ray must fetch once, for caches can serve the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.kernels.counting import Visits
from benchmarks.kernels.probe import Machine


@dataclass(frozen=True)
class Roof:
    """Rays a second that the machine allows, and what sets the limit."""

    rays_per_s: float
    limit: str


def operations_of(visits: Visits, operations: Mapping[str, int], layout: str) -> float:
    """Of one ray, in nodes and triangles."""
    node, block = operations[f"node_{layout}"], operations[f"block_{layout}"]
    return visits.nodes * node + visits.blocks * block


def roof_of(visits: Visits, operations: float, machine: Machine) -> Roof:
    """The lower of the two roofs."""
    compute = machine.operations_per_s / operations
    memory = machine.bytes_per_s / visits.memory_bytes
    return Roof(compute, "arithmetic") if compute < memory else Roof(memory, "memory")
