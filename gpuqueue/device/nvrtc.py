"""NVRTC, NVIDIA's run-time compiler, through ctypes: CUDA C++ to a cubin or PTX, without a GPU.

One compiler serves every CUDA device. It comes with the wheel ``nvidia-cuda-nvrtc`` or a toolkit.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from gpuqueue.errors import ConfigError

#: Sonames of the CUDA releases that know the architectures supported, newest first.
_SONAMES = ("libnvrtc.so.13", "libnvrtc.so.12")


@dataclass(frozen=True)
class Compiled:
    """What the compiler made for one architecture, and what it and the assembler said.

    The driver loads the binary, which is a cubin or again the PTX.
    """

    binary: bytes
    ptx: bytes
    log: str


class Nvrtc:
    """The first NVRTC library found. Raises ConfigError if there is none."""

    def __init__(self) -> None:
        self._library = _load()

    def _call(self, function: str, *arguments: object) -> None:
        status: int = self._library[function](*arguments)
        if status != 0:
            describe = self._library["nvrtcGetErrorString"]
            describe.restype = ctypes.c_char_p
            raise ConfigError(f"{function}: {describe(status).decode()}")

    @cached_property
    def version(self) -> tuple[int, int]:
        """Release of the compiler, for instance (13, 0)."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        return major.value, minor.value

    @cached_property
    def architectures(self) -> tuple[int, ...]:
        """Compute capabilities that it makes code for, ascending: 75 is 7.5."""
        count = ctypes.c_int()
        self._call("nvrtcGetNumSupportedArchs", ctypes.byref(count))
        known = (ctypes.c_int * count.value)()
        self._call("nvrtcGetSupportedArchs", known)
        return tuple(sorted(known))

    def compile(self, source: Path, architecture: int, options: Sequence[str]) -> Compiled:
        """Compile a ``.cu`` file that may include what lies beside it.

        A GPU newer than the compiler gets PTX for the newest architecture that it knows, which
        the driver then compiles. Raises ConfigError with the compiler's log.
        """
        native = architecture in self.architectures
        older = [known for known in self.architectures if known <= architecture]
        if not older:
            listed = ", ".join(map(str, self.architectures))
            raise ConfigError(f"NVRTC does not know compute capability {architecture}: {listed}")
        target = f"-arch=sm_{architecture}" if native else f"-arch=compute_{older[-1]}"
        program = ctypes.c_void_p()
        text, name = source.read_bytes(), source.name.encode()
        self._call("nvrtcCreateProgram", ctypes.byref(program), text, name, 0, None, None)
        try:
            flags = [target, f"-I{source.parent}", *options]
            self._compile(program, source, flags)
            ptx = self._get("PTX", program)
            binary = self._get("CUBIN", program) if native else ptx
            return Compiled(binary, ptx.rstrip(b"\0"), self._log(program))
        finally:
            self._call("nvrtcDestroyProgram", ctypes.byref(program))

    def _compile(self, program: ctypes.c_void_p, source: Path, flags: Sequence[str]) -> None:
        encoded = (ctypes.c_char_p * len(flags))(*(flag.encode() for flag in flags))
        try:
            self._call("nvrtcCompileProgram", program, len(flags), encoded)
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}\n{self._log(program)}") from error

    def _get(self, what: str, program: ctypes.c_void_p) -> bytes:
        size = ctypes.c_size_t()
        self._call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        data = ctypes.create_string_buffer(size.value)
        self._call(f"nvrtcGet{what}", program, data)
        return data.raw

    def _log(self, program: ctypes.c_void_p) -> str:
        return self._get("ProgramLog", program).rstrip(b"\0\n").decode(errors="replace")


def _load() -> ctypes.CDLL:
    reasons = []
    for place in (*_in_wheels(), *_in_toolkits(), *_SONAMES):
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            reasons.append(str(error))
    raise ConfigError(
        "NVRTC is not installed (pip install nvidia-cuda-nvrtc), so kernels cannot be compiled; "
        + "; ".join(reasons)
    )


def _in_wheels() -> Iterator[str]:
    """CUDA 13 wheels unpack to ``nvidia/cu13``, CUDA 12 wheels to ``nvidia/cuda_nvrtc``."""
    spec = find_spec("nvidia")
    for root in (spec and spec.submodule_search_locations) or ():
        yield from _newest_first(Path(root).glob("*/lib/libnvrtc.so.*"))


def _in_toolkits() -> Iterator[str]:
    for root in (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"):
        if root:
            yield from _newest_first(Path(root).glob("lib64/libnvrtc.so.*"))


def _newest_first(found: Iterable[Path]) -> Iterator[str]:
    """Libraries with a soname that is known: ``.so.12``, not ``.alt.so`` or full versions."""
    names = {str(path) for path in found}
    for soname in _SONAMES:
        yield from sorted(name for name in names if name.endswith(f"/{soname}"))
