"""The structs that the launcher and a translated module share (runtime/ptx_abi.h)."""

from __future__ import annotations

import ctypes
from typing import TypeVar

U32 = ctypes.c_uint32
U64 = ctypes.c_uint64
Dimensions3 = U32 * 3


class KernelRow(ctypes.Structure):
    """PtxKernel."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("entry", ctypes.c_void_p),
        ("parameter_count", U32),
        ("sizes", ctypes.POINTER(U32)),
        ("offsets", ctypes.POINTER(U32)),
        ("parameter_bytes", U32),
        ("max_threads", U32),
        ("static_shared_bytes", U32),
    )


class VariableRow(ctypes.Structure):
    """PtxVariable."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("size", U64),
        ("is_writable", U32),
    )


class Range(ctypes.Structure):
    """Range."""

    _fields_ = (("start", U64), ("end", U64), ("is_writable", U32))


class Launch(ctypes.Structure):
    """Launch."""

    _fields_ = (
        ("grid", Dimensions3),
        ("block", Dimensions3),
        ("shared_bytes", U32),
        ("range_count", U32),
        ("ranges", ctypes.POINTER(Range)),
        ("parameters", ctypes.c_char_p),
        ("parameter_bytes", U64),
        ("message", ctypes.c_char_p),
        ("message_bytes", U64),
    )


Row = TypeVar("Row", KernelRow, VariableRow)


def table(library: ctypes.CDLL, name: str, row: type[Row]) -> list[Row]:
    """The rows of a module's table, which ends with a row without a name."""
    first = ctypes.addressof(row.in_dll(library, name))
    rows: list[Row] = []
    while (found := row.from_address(first + len(rows) * ctypes.sizeof(row))).name:
        rows.append(found)
    return rows
