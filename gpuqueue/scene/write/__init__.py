"""Entities to ``.mi`` text, which reads back to the same entities.

values.py writes what an entity is made of, statements.py each entity, geometry.py the triangles.
"""

from __future__ import annotations

from collections.abc import Iterator

from gpuqueue.scene.document import Document
from gpuqueue.scene.write.statements import declaration_lines, entity_lines, render_line

__all__ = ["scene_pieces"]


def scene_pieces(document: Document, *, binary: bool = False) -> Iterator[bytes]:
    """Yield a document as the bytes of a ``.mi`` file, piece by piece.

    `binary` writes triangles as 32-bit numbers between back quotes: quicker to read, and half as
    large. Includes, comments and what the reader skips are gone; free-form surfaces have become
    triangles. Raises SceneError for a name that the format cannot hold.
    """
    for declaration in document.declarations.values():
        yield from _ended(declaration_lines(declaration))
    for entity in document.entities.values():
        yield from _ended(entity_lines(entity, binary=binary))
    if document.render is not None:
        yield render_line(document.render).encode()


def _ended(lines: Iterator[str | bytes]) -> Iterator[bytes]:
    """Lines with their ends, and an empty one; what is already bytes stays as it is."""
    for line in lines:
        yield line if isinstance(line, bytes) else f"{line}\n".encode()
    yield b"\n"
