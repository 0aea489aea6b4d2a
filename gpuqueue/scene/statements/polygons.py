"""The polygons of a group as they are read: long runs of plain rows as arrays, the others one by
one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.mesh import SlotTable, check_indices
from gpuqueue.scene.tokens import Tokens, joined
from gpuqueue.scene.triangulate import MAX_CORNERS, Polygon, Polygons, triangulate

#: The words with which polygons begin.
POLYGON = ("p", "c", "cp", "strip", "fan")


class PolygonReader:
    """Reads polygons of `vertex_count` vertices; `tagged` ones begin with a label."""

    def __init__(self, vertex_count: int, *, tagged: bool) -> None:
        self.table = SlotTable()
        self._vertex_count = vertex_count
        self._tagged = tagged
        self._corners = [np.zeros(0, np.int32)]
        self._lengths = [np.zeros(0, np.int32)]
        self._slots = [np.zeros(0, np.int32)]
        self._places: dict[int, Place] = {}
        self._holed: list[tuple[Polygon, int]] = []
        self._count = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self._count and not self._holed

    def parse(self, tokens: Tokens) -> None:
        """Read polygons as long as there are any."""
        while tokens.at_word(*POLYGON):
            rows = tokens.polygon_rows(self._vertex_count, MAX_CORNERS, tagged=self._tagged)
            tokens.watch.check_memory(rows.nbytes, tokens.fail)
            self.table.renumber(rows.slots, rows.materials)
            self._add(rows.corners, rows.lengths, rows.slots)
            if tokens.at_word(*POLYGON):
                self._parse_one(tokens)

    def triangles(
        self, positions: NDArray[np.float32], document: Document
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return all triangles ``[T, 3]`` and their slots ``[T]``."""
        polygons = Polygons(
            joined(self._corners[1:] or self._corners),
            joined(self._lengths[1:] or self._lengths),
            self._places,
            [polygon for polygon, _ in self._holed],
        )
        of_holed = np.array([slot for _, slot in self._holed], np.int32)
        slots = np.concatenate([*self._slots, of_holed])
        triangles = triangulate(positions, polygons, document.watch)
        return triangles, np.repeat(slots, polygons.triangle_counts())

    def _parse_one(self, tokens: Tokens) -> None:
        """polygon = ("p" | "c" | "cp") [material | label] INT+ { "hole" INT+ }
        | ("strip" | "fan") [material | label] INT+."""
        word = tokens.take().text
        at = tokens.peek().place
        if self._tagged:
            self.table.current = tokens.integer("the label of a tagged polygon", 0)
        elif tokens.at_string():
            self.table.current = tokens.string() or None
        loops = [self._parse_loop(tokens)]
        while word in ("p", "c", "cp") and tokens.accept_word("hole"):
            loops.append(self._parse_loop(tokens))
        slot = self.table.number()
        if len(loops) > 1:
            self._holed.append((Polygon([loop.tolist() for loop in loops], at), slot))
        else:
            self._add_one(word, loops[0], slot, at)

    def _parse_loop(self, tokens: Tokens) -> NDArray[np.int32]:
        at = tokens.peek().place
        loop = tokens.integer_run("the vertices of a polygon")
        check_indices(loop, self._vertex_count, "vertex", at)
        if len(loop) < 3:
            raise at.error(f"a polygon needs 3 vertices, this one has {len(loop)}")
        return loop

    def _add_one(self, word: str, loop: NDArray[np.int32], slot: int, at: Place) -> None:
        if word in ("strip", "fan"):
            triangles = _strip(loop) if word == "strip" else _fan(loop)
            lengths = np.full(len(triangles), 3, np.int32)
            self._add(triangles.reshape(-1), lengths, np.full(len(triangles), slot, np.int32))
            return
        if len(loop) > MAX_CORNERS:
            self._places[self._count] = at
        self._add(loop, np.array([len(loop)], np.int32), np.array([slot], np.int32))

    def _add(
        self, corners: NDArray[np.int32], lengths: NDArray[np.int32], slots: NDArray[np.int32]
    ) -> None:
        if len(lengths):
            self._corners.append(corners)
            self._lengths.append(lengths)
            self._slots.append(slots)
            self._count += len(lengths)


def _strip(loop: NDArray[np.int32]) -> NDArray[np.int32]:
    """Every second triangle of a strip is turned round."""
    triangles = np.stack([loop[:-2], loop[1:-1], loop[2:]], axis=1)
    triangles[1::2, :2] = triangles[1::2, 1::-1]
    return triangles


def _fan(loop: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.stack([np.full(len(loop) - 2, loop[0]), loop[1:-1], loop[2:]], axis=1)
