"""Compiled code of the scene reader (kernels/host/mi/bind_mi.cpp says what each does)."""

from collections.abc import Callable
from mmap import mmap
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Text: TypeAlias = bytes | mmap
Report: TypeAlias = Callable[[int], None] | None

def fill(text: Text, at: int, out: NDArray[Any], report: Report = None) -> tuple[int, int]: ...
def floats(text: Text, at: int, report: Report = None) -> tuple[NDArray[np.float32], int]: ...
def integers(text: Text, at: int, report: Report = None) -> tuple[NDArray[np.int32], int]: ...
def binary_vectors(
    text: Text, at: int, report: Report = None
) -> tuple[NDArray[np.float32], int]: ...
def vertices(
    text: Text, at: int, vector_count: int, report: Report = None
) -> tuple[NDArray[np.int32], int]: ...
def polygons(
    text: Text,
    at: int,
    vertex_count: int,
    most_corners: int,
    tagged: bool,
    report: Report = None,
) -> tuple[
    NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], list[bytes | int | None], int
]: ...
def triangles(
    text: Text,
    at: int,
    corners: NDArray[np.int32],
    slots: NDArray[np.int32],
    vertex_count: int,
    tagged: bool,
    report: Report = None,
) -> tuple[int, list[bytes | int | None], int]: ...
def binary_floats(text: Text, at: int, out: NDArray[np.float32]) -> None: ...
def binary_indices(text: Text, at: int, limit: int, out: NDArray[np.uint32]) -> None: ...
def fans(
    positions: NDArray[np.float32],
    corners: NDArray[np.int32],
    lengths: NDArray[np.int32],
    triangles: NDArray[np.int32],
    report: Report = None,
) -> NDArray[np.int64]: ...
