"""The GPU's machine code: built ahead of time, or compiled once for each kind of GPU and cached.

The container's build puts ``pathtrace.fatbin`` beside the kernels' sources; it holds every
supported architecture. Without it NVRTC compiles the sources at first use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

import gpuqueue
from gpuqueue.device.nvrtc import Nvrtc
from gpuqueue.disk_cache import cache_folder, write_whole
from gpuqueue.errors import ConfigError

#: The same for NVRTC and for nvcc in Dockerfile.cuda, so that both give one picture. Denormals are
#: kept and divisions and roots are exact as on the CPU; products that must not be contracted are
#: written so in the kernels.
OPTIONS = (
    "-std=c++17",
    "-ftz=false",
    "-prec-div=true",
    "-prec-sqrt=true",
    "-fmad=true",
)
#: The kernels' entry points: for scenes that stand still, for those in which something moves or is
#: cut out, and for those with textures.
ENTRY, ENTRY_VARYING, ENTRY_TEXTURED = "render", "render_varying", "render_textured"
ENTRIES = (ENTRY, ENTRY_VARYING, ENTRY_TEXTURED)
#: Rays alone (kernels/bvh/trace_rays.cuh): benchmarks launch these.
TRACE_ENTRIES = ("trace_rays", "trace_shadow_rays")


def entry_of(job: npt.NDArray[Any]) -> str:
    """The entry point that a job, one element of layout RenderJob, is for."""
    if job["is_textured"][0]:
        return ENTRY_TEXTURED
    return ENTRY_VARYING if job["is_varying"][0] else ENTRY


def kernel_folder() -> Path:
    """The folder of the installed ``.cu`` and ``.cuh`` files. Raises ConfigError."""
    for root in gpuqueue.__path__:
        folder = Path(root, "kernels")
        if (folder / "pathtrace.cu").is_file():
            return folder
    raise ConfigError("the package holds no kernels/pathtrace.cu; install gpuqueue again")


def kernel_image(architecture: int) -> Path:
    """A file that the driver can load on a GPU of this compute capability (75 is 7.5)."""
    folder = kernel_folder()
    fatbin = folder / "pathtrace.fatbin"
    return fatbin if fatbin.is_file() else _compiled(folder, architecture)


def sources_hash() -> str:
    """SHA-256 over all that the kernels are made of: films of other kernels have other bits."""
    folder = kernel_folder()
    key = hashlib.sha256(repr(OPTIONS).encode())
    for path in _sources(folder):
        content = path.read_bytes()
        key.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return key.hexdigest()


def _compiled(folder: Path, architecture: int) -> Path:
    compiler = Nvrtc()
    key = hashlib.sha256(repr((compiler.version, architecture, sources_hash())).encode())
    cached = cache_folder("kernels") / f"pathtrace-sm_{architecture}-{key.hexdigest()[:32]}.cubin"
    if not cached.is_file():
        binary = compiler.compile(folder / "pathtrace.cu", architecture, OPTIONS).binary
        write_whole(cached, binary)
    return cached


def _sources(folder: Path) -> Iterator[Path]:
    """Everything a kernel can include: an edit anywhere must give a new key."""
    yield from sorted(p for p in folder.rglob("*") if p.suffix in (".cu", ".cuh"))
