"""From a file to a scene."""

from __future__ import annotations

from pathlib import Path

from gpuqueue.scene.document import Document
from gpuqueue.scene.model import Scene
from gpuqueue.scene.resolve import resolve
from gpuqueue.scene.source import Library, open_scene
from gpuqueue.scene.statements import read_statements
from gpuqueue.scene.tokens import Tokens

#: All files of a scene together.
MAX_BYTES = 1 << 30


def load_scene(path: Path, root: Path, *, max_bytes: int = MAX_BYTES) -> Scene:
    """Read the ``.mi`` scene at `path`, which is absolute or below `root`.

    Nothing outside `root` is read, nothing is executed. Raises SceneError, whose message gives
    ``file:line:column``, what was expected, and the line.
    """
    library = Library(root, max_bytes)
    document = read_document(library, path)
    name = library.files[0].path.relative_to(library.root).as_posix()
    return resolve(document, name, library.files)


def load_document(path: Path, root: Path, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read what a scene says, without looking names up. As `load_scene` otherwise."""
    return read_document(Library(root, max_bytes), path)


def read_document(library: Library, path: Path) -> Document:
    """Read what a scene file says, entity by entity. Raises SceneError."""
    document = Document()
    read_statements(Tokens(library, open_scene(library, path), document.warnings), document)
    return document
