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
    source = open_scene(library, path)
    document = Document()
    read_statements(Tokens(library, source, document.warnings), document)
    return resolve(document, source.name, library.files)
