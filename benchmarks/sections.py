"""The sections of a run, in the order in which they run."""

from __future__ import annotations

from importlib import import_module

from benchmarks.options import Section

#: Name to the module and the function in it that is the `Section`.
SECTIONS = {
    "kernels": ("benchmarks.kernels.section", "kernels"),
    "integrator": ("benchmarks.integrator.section", "integrator"),
    "loading": ("benchmarks.loading.section", "loading"),
    "jobs": ("benchmarks.jobs.section", "jobs"),
    "rays": ("benchmarks.rays", "rows"),
    "peers": ("benchmarks.peers.section", "peers"),
}


def section(name: str) -> Section:
    """The section `name`, imported now."""
    module, function = SECTIONS[name]
    found: Section = getattr(import_module(module), function)
    return found
