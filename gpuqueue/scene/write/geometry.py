"""Triangles as ``trilist``, in text or as 32-bit numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.write.values import quoted

#: Rows that become text at once.
_ROWS = 1 << 15
#: Sizes that the reader, which has to guess the byte order, takes for coordinates.
_PLAUSIBLE = (1e-12, 1e12)


def geometry_lines(geometry: Geometry, *, tagged: bool, binary: bool) -> Iterator[str | bytes]:
    """Yield a ``trilist`` of vertices with their normals and texture coordinates.

    Numbers keep every bit. Binary is only what reads back: plausible coordinates, and triangles
    without names of materials, for which the format has no place there.
    """
    vertices = _vertices(geometry)
    fields = f"p{'' if geometry.normals is None else ' n'}{'' if geometry.uvs is None else ' t 2'}"
    counts = f"vertex {len(vertices)} {fields} triangle {len(geometry.triangles)}"
    yield f"    trilist {counts}"
    if binary and _is_plausible(vertices):
        yield _binary("scalar", vertices, ">f4")
    else:
        yield "    ["
        yield from _rows_of_floats(vertices)
        yield "    ]"
    yield from _triangles(geometry, tagged=tagged, binary=binary)
    yield "    end trilist"


def _vertices(geometry: Geometry) -> NDArray[np.float32]:
    """Rows ``[V, 3 to 8]``: position, normal, texture coordinates."""
    parts = (geometry.positions, geometry.normals, geometry.uvs)
    return np.hstack([part for part in parts if part is not None]).astype(np.float32)


def _is_plausible(values: NDArray[np.float32]) -> bool:
    sizes = abs(values)
    low, high = _PLAUSIBLE
    return bool(((sizes == 0) | ((sizes > low) & (sizes < high))).all())


def _binary(word: str, values: NDArray[np.generic], form: str) -> bytes:
    return b"    %s `%s`\n" % (word.encode(), values.astype(form).tobytes())


def _triangles(geometry: Geometry, *, tagged: bool, binary: bool) -> Iterator[str | bytes]:
    is_plain = all(slot is None for slot in geometry.slots)
    if binary and (tagged or is_plain):
        yield _binary("integer", geometry.triangles, ">u4")
        if tagged:
            yield _binary("integer", _labels(geometry), ">u4")
        return
    yield "    ["
    if tagged:
        yield from _rows(np.column_stack([_labels(geometry), geometry.triangles]))
    elif is_plain:
        yield from _rows(geometry.triangles)
    else:
        yield from _named_triangles(geometry)
    yield "    ]"


def _labels(geometry: Geometry) -> NDArray[np.int64]:
    """The label of each triangle; one without has the first material, as label 0 does."""
    labels = [slot if isinstance(slot, int) else 0 for slot in geometry.slots]
    return np.array(labels or [0], np.int64)[geometry.triangle_slots]


def _named_triangles(geometry: Geometry) -> Iterator[str]:
    """A material's name before each run of triangles that have it; "" is the instance's own."""
    slots = geometry.triangle_slots
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    for first, last in zip(starts, [*starts[1:], len(slots)], strict=True):
        name = geometry.slots[slots[first]]
        yield f"        {quoted(name if isinstance(name, str) else '')}"
        yield from _rows(geometry.triangles[first:last])


def _rows(values: NDArray[np.integer[Any]]) -> Iterator[str]:
    for row in values.tolist():
        yield f"        {' '.join(map(str, row))}"


def _rows_of_floats(values: NDArray[np.float32]) -> Iterator[str]:
    """The shortest decimals from which a 32-bit float comes back."""
    for first in range(0, len(values), _ROWS):
        for row in values[first : first + _ROWS].astype(str).tolist():
            yield f"        {' '.join(row)}"
