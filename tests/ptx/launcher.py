"""Loads a translated module and launches its kernels."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from .build import build
from .errors import LaunchError
from .memory import DeviceMemory

#: Limits of every GPU that the kernels are made for (CUDA programming guide, compute capabilities).
MAX_BLOCK_THREADS = 1024
MAX_SHARED_BYTES = 48 * 1024
MAX_GRID = (2**31 - 1, 65535, 65535)

Dimensions = tuple[int, int, int]
Argument = Any  # whatever bytes() or tobytes() turns into a parameter's bytes

_U32 = ctypes.c_uint32


class _KernelRow(ctypes.Structure):
    """PtxKernel of runtime/ptx_machine.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("entry", ctypes.c_void_p),
        ("parameter_count", _U32),
        ("sizes", ctypes.POINTER(_U32)),
        ("offsets", ctypes.POINTER(_U32)),
        ("parameter_bytes", _U32),
        ("max_threads", _U32),
        ("static_shared_bytes", _U32),
    )


class _VariableRow(ctypes.Structure):
    """PtxVariable."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("size", ctypes.c_uint64),
        ("is_writable", _U32),
    )


class _Range(ctypes.Structure):
    """Range."""

    _fields_ = (("start", ctypes.c_uint64), ("end", ctypes.c_uint64), ("is_writable", _U32))


class _Launch(ctypes.Structure):
    """Launch."""

    _fields_ = (
        ("grid", _U32 * 3),
        ("block", _U32 * 3),
        ("shared_bytes", _U32),
        ("range_count", _U32),
        ("ranges", ctypes.POINTER(_Range)),
        ("parameters", ctypes.c_char_p),
        ("parameter_bytes", ctypes.c_uint64),
        ("message", ctypes.c_char_p),
        ("message_bytes", ctypes.c_uint64),
    )


@dataclass(frozen=True)
class Kernel:
    """An entry point: what its parameters take, and how many threads a block may have."""

    name: str
    parameter_sizes: tuple[int, ...]
    parameter_offsets: tuple[int, ...]
    parameter_bytes: int
    max_threads: int
    static_shared_bytes: int
    row: _KernelRow


def load_ptx(text: str, name: str = "module.ptx", cache: Path | None = None) -> Program:
    """Translate a PTX module, compile it, load it.

    `name` is what errors call the PTX; `cache` a folder for compiled modules, one in the folder
    for temporary files if None. Raises PtxError.
    """
    return Program(build(text, name, cache))


class Program:
    """A module in memory, ready to be launched. One launch runs at a time."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        rows = _rows(self._library, "ptx_kernels", _KernelRow)
        self.kernels: Mapping[str, Kernel] = {k.name: k for k in map(_kernel, rows)}
        self._variables = {
            row.name.decode(): row for row in _rows(self._library, "ptx_variables", _VariableRow)
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
        message = ctypes.create_string_buffer(2048)
        request = _Launch(
            (_U32 * 3)(*grid),
            (_U32 * 3)(*block),
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

    def _ranges(self, memory: DeviceMemory) -> ctypes.Array[_Range]:
        """Everything that kernels may use, in order: allocations, and the module's variables."""
        usable = [(start, end, 1) for start, end in memory.ranges()]
        usable += [
            (row.address, row.address + row.size, row.is_writable)
            for row in self._variables.values()
        ]
        return (_Range * len(usable))(*(_Range(*r) for r in sorted(usable)))


def _rows(library: ctypes.CDLL, name: str, row: type[Any]) -> list[Any]:
    """The rows of a table that ends with a row without a name."""
    first = ctypes.addressof(row.in_dll(library, name))
    rows: list[Any] = []
    while (found := row.from_address(first + len(rows) * ctypes.sizeof(row))).name:
        rows.append(found)
    return rows


def _kernel(row: _KernelRow) -> Kernel:
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
    if not 0 < threads <= most:
        raise LaunchError(f"{kernel.name}: a block of {threads} threads; it may have 1 to {most}")
    if not all(0 < count <= limit for count, limit in zip(grid, MAX_GRID, strict=True)):
        raise LaunchError(f"{kernel.name}: a grid of {grid} blocks; it may have 1 to {MAX_GRID}")
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
