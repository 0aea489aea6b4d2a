"""Pieces of geometry put together, and checks that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.source import Place
from gpuqueue.scene.tokens import Tokens

#: Coordinates beyond this leave the range in which 32-bit products are finite.
MAX_COORDINATE = 1e15
MAX_TRIANGLES = 1 << 28


def check_coordinates(values: NDArray[np.floating[Any]], at: Place) -> NDArray[np.float32]:
    """Return coordinates as float32; raise at `at` if one is beyond `MAX_COORDINATE`."""
    if values.size and not (values.max() <= MAX_COORDINATE and values.min() >= -MAX_COORDINATE):
        raise at.error(f"a coordinate is beyond {MAX_COORDINATE:g}")
    return values.astype(np.float32, copy=False)


def check_indices(values: NDArray[np.integer[Any]], count: int, what: str, at: Place) -> None:
    """Raise at `at` unless every index is from 0 to `count` - 1."""
    if values.size and (values.min() < 0 or values.max() >= count):
        wrong = values[(values < 0) | (values >= count)][0]
        raise at.error(f"{what} {wrong} does not exist; there are {count}, counted from 0")


def parse_index(tokens: Tokens, count: int, expected: str, what: str = "vertex") -> int:
    """Return an integer from 0 to `count` - 1."""
    at = tokens.peek().place
    index = tokens.integer(expected)
    check_indices(np.array([index]), count, what, at)
    return index


class SlotTable:
    """Materials of an object's triangles: names, labels, or None for the instance's own, numbered
    in the order of their first use. `current` is that of what comes next."""

    def __init__(self) -> None:
        self.current: str | int | None = None
        self._numbers: dict[str | int | None, int] = {}

    @property
    def materials(self) -> tuple[str | int | None, ...]:
        """The material of every slot."""
        return tuple(self._numbers)

    def number(self) -> int:
        """Return the slot of the current material."""
        return self._numbers.setdefault(self.current, len(self._numbers))

    def renumber(self, slots: NDArray[np.int32], materials: Sequence[bytes | int | None]) -> None:
        """Make slots that number `materials`, None for the current one, slots of this table; the
        last one's material becomes the current."""
        if not len(slots):
            return
        # A row that was given up may have named one more.
        used = materials[: int(slots.max()) + 1]
        named = [self.current if m is None else _name_or_label(m) for m in used]
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in named]
        self.current = named[slots[-1]]
        if numbers != list(range(len(numbers))):
            slots[:] = np.array(numbers, np.int32)[slots]


def _name_or_label(material: bytes | int) -> str | int | None:
    return material if isinstance(material, int) else material.decode("utf-8", "replace") or None


def merge_geometry(pieces: Sequence[Geometry]) -> Geometry:
    """Return one geometry with the triangles of all."""
    if len(pieces) == 1:
        return pieces[0]
    slots = list(dict.fromkeys(slot for piece in pieces for slot in piece.slots))
    numbers = {slot: number for number, slot in enumerate(slots)}
    starts = np.cumsum([0, *(len(piece.positions) for piece in pieces[:-1])])
    renumbered = [
        np.array([numbers[slot] for slot in piece.slots], np.int32)[piece.triangle_slots]
        for piece in pieces
    ]
    return Geometry(
        np.concatenate([piece.positions for piece in pieces]),
        _joined(pieces, lambda piece: piece.normals, 3),
        _joined(pieces, lambda piece: piece.uvs, 2),
        np.concatenate(
            [p.triangles + np.int32(start) for p, start in zip(pieces, starts, strict=True)]
        ),
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
