"""Pieces of geometry put together, and checks that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.source import Place

#: Coordinates beyond this leave the range in which 32-bit products are finite.
MAX_COORDINATE = 1e15
MAX_TRIANGLES = 1 << 28


def check_coordinates(values: NDArray[np.float64], at: Place) -> NDArray[np.float32]:
    """Return coordinates as float32; raise at `at` if one is beyond `MAX_COORDINATE`."""
    if values.size and not abs(values).max() <= MAX_COORDINATE:
        raise at.error(f"a coordinate is beyond {MAX_COORDINATE:g}")
    return values.astype(np.float32)


def check_indices(values: NDArray[np.int64], count: int, what: str, at: Place) -> None:
    """Raise at `at` unless every index is from 0 to `count` - 1."""
    wrong = values[(values < 0) | (values >= count)]
    if wrong.size:
        raise at.error(f"{what} {wrong[0]} does not exist; there are {count}, counted from 0")


def merge_geometry(pieces: Sequence[Geometry]) -> Geometry:
    """Return one geometry with the triangles of all."""
    if len(pieces) == 1:
        return pieces[0]
    slots = list(dict.fromkeys(slot for piece in pieces for slot in piece.slots))
    starts = np.cumsum([0, *(len(piece.positions) for piece in pieces[:-1])])
    renumbered = [
        np.array([slots.index(slot) for slot in piece.slots], np.int64)[piece.triangle_slots]
        for piece in pieces
    ]
    return Geometry(
        np.concatenate([piece.positions for piece in pieces]),
        _joined(pieces, lambda piece: piece.normals, 3),
        _joined(pieces, lambda piece: piece.uvs, 2),
        np.concatenate([p.triangles + start for p, start in zip(pieces, starts, strict=True)]),
        np.concatenate(renumbered),
        tuple(slots),
    )


def _joined(
    pieces: Sequence[Geometry],
    part: Callable[[Geometry], NDArray[np.float32] | None],
    width: int,
) -> NDArray[np.float32] | None:
    """The vectors of all pieces, zeros for a piece without; None if no piece has any."""
    arrays = [part(piece) for piece in pieces]
    if all(array is None for array in arrays):
        return None
    return np.concatenate(
        [
            np.zeros((len(piece.positions), width), np.float32) if array is None else array
            for piece, array in zip(pieces, arrays, strict=True)
        ]
    )
