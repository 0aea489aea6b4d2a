"""Loads a translated module and launches its kernels."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from .abi import Dimensions3, KernelRow, Launch, Range, VariableRow, table
from .build import build
from .errors import LaunchError
from .memory import DeviceMemory

#: Limits of every GPU that the kernels are made for (CUDA programming guide, compute capabilities).
MAX_BLOCK_THREADS = 1024
MAX_BLOCK = (1024, 1024, 64)
MAX_SHARED_BYTES = 48 * 1024
MAX_GRID = (2**31 - 1, 65535, 65535)
#: Of an error: the longest path and as much again.
_MESSAGE_BYTES = 8192

Dimensions = tuple[int, int, int]
Argument = Any  # whatever bytes() or tobytes() turns into a parameter's bytes


@dataclass(frozen=True)
class Kernel:
    """An entry point: what its parameters take, and how many threads a block may have."""

    name: str
    parameter_sizes: tuple[int, ...]
    parameter_offsets: tuple[int, ...]
    parameter_bytes: int
    max_threads: int
    static_shared_bytes: int
    row: KernelRow


def load_ptx(text: str, name: str = "module.ptx", cache: Path | None = None) -> Program:
    """Translate a PTX module, compile it, load it.

    `name` is what errors call the PTX; `cache` a folder for compiled modules, one in the folder
    for temporary files if None. Loading the same text again gives the same module, with what its
    variables hold by then. Raises PtxError.
    """
    return Program(build(text, name, cache))


class Program:
    """A module in memory, ready to be launched. One launch runs at a time."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        rows = table(self._library, "ptx_kernels", KernelRow)
        self.kernels: Mapping[str, Kernel] = {k.name: k for k in map(_kernel, rows)}
        self._variables = {
            row.name.decode(): row for row in table(self._library, "ptx_variables", VariableRow)
        }

    def variable(self, name: str) -> Any:
        """The bytes of a ``__device__`` or ``__constant__`` variable, to be read and written."""
        row = self._variables[name]
        return (ctypes.c_uint8 * row.size).from_address(row.address)

    def launch(
        self,
        name: str,
        grid: Dimensions,
        block: Dimensions,
        arguments: Sequence[Argument],
        memory: DeviceMemory,
        shared_bytes: int = 0,
    ) -> None:
        """Run a kernel to its end.

        An argument is an `Allocation` (its address is passed), a numpy scalar or structured array,
        or bytes. Raises LaunchError where the launch or anything that the kernel does is not
        allowed.
        """
        kernel = self._kernel(name)
        shared = kernel.static_shared_bytes + shared_bytes
        _check_shape(kernel, grid, block, shared)
        parameters = _packed(kernel, arguments)
        ranges = self._ranges(memory)
        message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        request = Launch(
            Dimensions3(*grid),
            Dimensions3(*block),
            shared,
            len(ranges),
            ranges,
            ctypes.cast(parameters, ctypes.c_char_p),
            kernel.parameter_bytes,
            ctypes.cast(message, ctypes.c_char_p),
            len(message),
        )
        if self._library.ptx_launch(ctypes.byref(kernel.row), ctypes.byref(request)):
            raise LaunchError(message.value.decode(errors="replace"))

    def _kernel(self, name: str) -> Kernel:
        if name not in self.kernels:
            raise LaunchError(f"there is no kernel '{name}'; known: {', '.join(self.kernels)}")
        return self.kernels[name]

    def _ranges(self, memory: DeviceMemory) -> ctypes.Array[Range]:
        """Everything that kernels may use, in order: allocations, and the module's variables."""
        usable = [(start, end, 1) for start, end in memory.ranges()]
        usable += [
            (row.address, row.address + row.size, row.is_writable)
            for row in self._variables.values()
        ]
        return (Range * len(usable))(*(Range(*r) for r in sorted(usable)))


def _kernel(row: KernelRow) -> Kernel:
    count = row.parameter_count
    return Kernel(
        name=row.name.decode(),
        parameter_sizes=tuple(row.sizes[:count]),
        parameter_offsets=tuple(row.offsets[:count]),
        parameter_bytes=row.parameter_bytes,
        max_threads=row.max_threads,
        static_shared_bytes=row.static_shared_bytes,
        row=row,
    )


def _check_shape(kernel: Kernel, grid: Dimensions, block: Dimensions, shared_bytes: int) -> None:
    threads, most = prod(block), kernel.max_threads or MAX_BLOCK_THREADS
    for what, shape, limits in (("block", block, MAX_BLOCK), ("grid", grid, MAX_GRID)):
        if not all(0 < count <= limit for count, limit in zip(shape, limits, strict=True)):
            raise LaunchError(f"{kernel.name}: a {what} of {shape}; it may be 1 to {limits}")
    if threads > most:
        raise LaunchError(f"{kernel.name}: a block of {threads} threads; it may have {most}")
    if shared_bytes > MAX_SHARED_BYTES:
        raise LaunchError(
            f"{kernel.name}: {shared_bytes} bytes of shared memory; it may use {MAX_SHARED_BYTES}"
        )


def _packed(kernel: Kernel, arguments: Sequence[Argument]) -> ctypes.Array[ctypes.c_char]:
    """The arguments where the kernel looks for them; each must have the parameter's size."""
    if len(arguments) != len(kernel.parameter_sizes):
        wanted = len(kernel.parameter_sizes)
        raise LaunchError(f"{kernel.name}: {len(arguments)} arguments for {wanted} parameters")
    buffer = ctypes.create_string_buffer(kernel.parameter_bytes + 16)
    start = -ctypes.addressof(buffer) % 16
    places = zip(kernel.parameter_sizes, kernel.parameter_offsets, strict=True)
    for number, (argument, (size, offset)) in enumerate(zip(arguments, places, strict=True)):
        data = argument.tobytes() if hasattr(argument, "tobytes") else bytes(argument)
        if len(data) != size:
            raise LaunchError(
                f"{kernel.name}: argument {number} has {len(data)} bytes, the parameter {size}"
            )
        ctypes.memmove(ctypes.addressof(buffer) + start + offset, data, size)
    return (ctypes.c_char * (kernel.parameter_bytes or 1)).from_buffer(buffer, start)
