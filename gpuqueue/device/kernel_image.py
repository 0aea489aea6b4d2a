"""The GPU's machine code: built ahead of time, or compiled once for each kind of GPU and cached.

The container's build puts ``pathtrace.fatbin`` beside the kernels' sources; it holds every
supported architecture. Without it NVRTC compiles the sources at first use.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gpuqueue
from gpuqueue.device.nvrtc import Nvrtc
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
ENTRY = "render"


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


def _compiled(folder: Path, architecture: int) -> Path:
    compiler = Nvrtc()
    key = hashlib.sha256(repr((compiler.version, architecture, OPTIONS)).encode())
    for path in _sources(folder):
        content = path.read_bytes()
        key.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    cached = _cache_folder() / f"pathtrace-sm_{architecture}-{key.hexdigest()[:32]}.cubin"
    if not cached.is_file():
        binary = compiler.compile(folder / "pathtrace.cu", architecture, OPTIONS).binary
        _write_whole(cached, binary)
    return cached


def _sources(folder: Path) -> Iterator[Path]:
    """Everything a kernel can include: an edit anywhere must give a new key."""
    yield from sorted(p for p in folder.rglob("*") if p.suffix in (".cu", ".cuh"))


def _cache_folder() -> Path:
    """A folder of this user alone: what lies there is run on the GPU."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "gpuqueue", "kernels")
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _only_we_write_to(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="gpuqueue-kernels-"))


def _only_we_write_to(folder: Path) -> bool:
    state = folder.stat()
    is_shared = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() and not is_shared and os.access(folder, os.W_OK)


def _write_whole(path: Path, data: bytes) -> None:
    """Write so that another process sees all of it or nothing."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)
