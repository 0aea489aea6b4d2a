"""Tokens, and the long runs of numbers and rows that make up nearly all of a scene's bytes.

Those are read by compiled code (kernels/host/mi), which stops before whatever is not plain; that is
then read token by token, which tells what is wrong if anything is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gpuqueue import _scene_reader
from gpuqueue.scene.lexer import Kind, Token
from gpuqueue.scene.token_stream import TokenStream, words

__all__ = ["Kind", "PolygonRows", "Token", "Tokens", "joined", "words"]

#: Shorter lists are as quick token by token.
BULK = 9


def joined(runs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return all elements; mostly there is one run, which need not be copied."""
    return runs[0] if len(runs) == 1 else np.concatenate(runs)


@dataclass(frozen=True, slots=True)
class PolygonRows:
    """P polygons of one loop each: all corners ``[C]``, their numbers ``[P]``, slots ``[P]``, and
    the materials of the slots: names, labels, None for what was in force before."""

    corners: NDArray[np.int32]
    lengths: NDArray[np.int32]
    slots: NDArray[np.int32]
    materials: list[bytes | int | None]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.corners.nbytes + self.lengths.nbytes + self.slots.nbytes


class Tokens(TokenStream):
    """The tokens of a scene and everything that it includes, for the statements to read."""

    def numbers(self, count: int, what: str = "a number") -> NDArray[np.float64]:
        """Return exactly `count` numbers."""
        if count < BULK:
            return np.array([self.number(what) for _ in range(count)], np.float64)
        values = np.empty(count, np.float64)
        self._fill(values, lambda: self.number(what))
        return values

    def floats(self, count: int, what: str = "a number") -> NDArray[np.float32]:
        """Return exactly `count` numbers, infinite where they are beyond 32 bits."""
        self.check_room(count, 4)
        values = np.empty(count, np.float32)
        with np.errstate(over="ignore"):
            self._fill(values, lambda: self.number(what))
        return values

    def number_run(self) -> NDArray[np.float32]:
        """Return all numbers up to the next token that is none."""
        runs = self._read(_scene_reader.floats)
        while self.at_number():
            with np.errstate(over="ignore"):
                runs.append(np.array([self.number()]).astype(np.float32))
            runs += self._read(_scene_reader.floats)
        return joined(runs)

    def integer_run(self, what: str) -> NDArray[np.int32]:
        """Return all integers of 32 bits up to the next token that is none; there must be one."""
        if not self.at_integer():
            raise self.expected(what)
        runs = self._read(_scene_reader.integers)
        while self.at_integer():
            runs.append(np.array([self.integer(what)], np.int32))
            runs += self._read(_scene_reader.integers)
        return joined(runs)

    def binary_vectors(self) -> NDArray[np.float32]:
        """Return all vectors ``[N, 3]`` of 12 bytes between back quotes."""
        (vectors,) = self._read(_scene_reader.binary_vectors)
        return cast("NDArray[np.float32]", vectors)

    def vertex_rows(self, vector_count: int) -> NDArray[np.int32]:
        """Return position, normal and texture ``[N, 3]`` of the plain rows of vertices that come
        next, -1 for what is not given."""
        (rows,) = self._read(_scene_reader.vertices, vector_count)
        return cast("NDArray[np.int32]", rows)

    def polygon_rows(self, vertex_count: int, most_corners: int, *, tagged: bool) -> PolygonRows:
        """Return the plain polygons that come next."""
        return PolygonRows(*self._read(_scene_reader.polygons, vertex_count, most_corners, tagged))

    def triangle_rows(
        self,
        corners: NDArray[np.int32],
        slots: NDArray[np.int32],
        vertex_count: int,
        *,
        tagged: bool,
    ) -> tuple[int, list[bytes | int | None]]:
        """Read plain triangles of a trilist into corners ``[N, 3]`` and slots ``[N]``; return how
        many, and the materials of the slots: names, labels, None for what was in force."""
        count, materials = self._read(_scene_reader.triangles, corners, slots, vertex_count, tagged)
        return count, materials

    def check_room(self, count: int, memory_bytes: int) -> None:
        """Raise if `count` numbers cannot be in the rest of the file, which are two bytes each but
        the last, or if they take more memory than may be used; so many bytes each."""
        left = self._lexer.bytes_after(self._at)
        if 2 * count - 1 > left and not self._lexer.includes_after(self._at):
            raise self.fail(
                f"{count} numbers are announced; the rest of the file, {left} bytes, is too short"
            )
        self.watch.check_memory(count * memory_bytes, self.fail)

    @property
    def _at(self) -> int:
        return self._lexer.at if self._next is None else self._next.start

    def _read(self, reader: Callable[..., Any], *arguments: object) -> list[Any]:
        """What a compiled reader finds here; go to where it ended."""
        data = self._lexer.source.data
        found: list[Any]
        *found, self._lexer.at = reader(data, self._at, *arguments, self._lexer.tell)
        self._next = None
        return found

    def _fill(self, values: NDArray[Any], one: Callable[[], float]) -> None:
        """Read numbers, all of them plain but for some that `one` reads."""
        filled: int = self._read(_scene_reader.fill, values)[0]
        while filled < len(values):
            values[filled] = one()
            filled += 1 + self._read(_scene_reader.fill, values[filled + 1 :])[0]

    def binary_floats(self, count: int) -> NDArray[np.float32]:
        """Return `count` 32-bit floats between back quotes, of either byte order."""
        at = self._binary(4 * count)
        self.watch.check_memory(4 * count, self.fail)
        values = np.empty(count, np.float32)
        _scene_reader.binary_floats(self._lexer.source.data, at, values)
        return values

    def binary_indices(self, count: int, limit: int) -> NDArray[np.int32]:
        """Return `count` 32-bit integers between back quotes, of the byte order that keeps them
        below `limit` if one does; those of 2^31 and more are negative."""
        at = self._binary(4 * count)
        self.watch.check_memory(4 * count, self.fail)
        values = np.empty(count, np.uint32)
        _scene_reader.binary_indices(self._lexer.source.data, at, limit, values)
        return values.view(np.int32)

    def skip_binary(self, count: int) -> None:
        """Go past `count` bytes between back quotes."""
        self._binary(count)

    def _binary(self, count: int) -> int:
        """Go past `count` bytes between back quotes, and return where they start."""
        if self.peek().kind is not Kind.BINARY:
            raise self.expected("binary data between back quotes")
        if not self.binary_ends_after(count):
            raise self.fail(f"this binary data is not {count} bytes long")
        start = self.take().start + 1
        self._lexer.at = start + count + 1
        return start

    def binary_ends_after(self, count: int) -> bool:
        """Whether binary data comes next, and a back quote ends it after `count` bytes."""
        token = self.peek()
        end = token.start + 1 + count
        return token.kind is Kind.BINARY and self._lexer.source.data[end : end + 1] == b"`"
