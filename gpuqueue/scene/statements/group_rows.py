"""The plain rows of a group, read many at a time: ``v 0 n 4 t 8`` and ``p "m" 0 1 2 3``.

They are most of a group's text. A row of any other form, or with an index that does not exist,
ends the run; it is then read token by token, which tells what is wrong if anything is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpuqueue.scene.source import Place, decode
from gpuqueue.scene.tokens import Tokens

_VERTEX = re.compile(
    r"\s*+v\s++(\d{1,9})(?:\s++n\s++(\d{1,9}))?+(?:\s++t\s++(\d{1,9}))?+(?=\s++(?:v|p|c|cp|end)\s)",
    re.ASCII,
)
_POLYGON = re.compile(
    r'\s*+(p|c|cp)(?:\s*+"([^"\\]*)")?+((?:\s++\d{1,9})++)(?=\s++(?:p|c|cp|end)\s)', re.ASCII
)


@dataclass(frozen=True, slots=True)
class PolygonRow:
    """A polygon of one loop; `material` None was not written. A label is its first number."""

    material: str | None
    numbers: list[int]
    at: Place


def vertex_rows(tokens: Tokens, vector_count: int) -> list[list[int]]:
    """Return [position, normal, uv] of the vertices that come next, -1 for what is not given."""
    rows = []
    for match in tokens.matches(_VERTEX):
        row = [-1 if index is None else int(index) for index in match.groups()]
        if max(row) >= vector_count:
            break
        tokens.skip_to(match.end())
        rows.append(row)
    return rows


def polygon_rows(tokens: Tokens, vertex_count: int, *, tagged: bool) -> list[PolygonRow]:
    """Return the polygons that come next."""
    rows = []
    for match in tokens.matches(_POLYGON):
        numbers = list(map(int, match[3].split()))
        corners = numbers[1:] if tagged else numbers
        if len(corners) < 3 or max(corners) >= vertex_count or (tagged and match[2] is not None):
            break
        material = None if match[2] is None else decode(match[2])
        rows.append(PolygonRow(material, numbers, tokens.place_of(match.start(3) + 1)))
        tokens.skip_to(match.end())
    return rows
