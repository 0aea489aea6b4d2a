"""From a file to a scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from gpuqueue.scene.document import Document
from gpuqueue.scene.gltf import read_gltf
from gpuqueue.scene.mesh_files import SUFFIXES, read_mesh_file
from gpuqueue.scene.model import Scene
from gpuqueue.scene.phenomena import expand_phenomena
from gpuqueue.scene.resolve import resolve
from gpuqueue.scene.source import Library, locate_scene
from gpuqueue.scene.statements import read_statements
from gpuqueue.scene.tokens import Tokens
from gpuqueue.scene.watch import Report, Watch

#: All files of a scene together.
MAX_BYTES = 1 << 30


def load_scene(
    path: Path,
    root: Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_memory_bytes: float = math.inf,
    max_seconds: float = math.inf,
    report: Report | None = None,
) -> Scene:
    """Read the scene at `path`, ``.mi`` or glTF, which is absolute or below `root`.

    Nothing outside `root` is read, nothing is executed. `report` is told some ten times a second
    what is done and the share of it, and ends the load by raising. Raises SceneError, whose message
    gives ``file:line:column`` and the line, or the member of a glTF file, and what was expected;
    or says that the load took more than `max_seconds`, or the arrays of its meshes more than
    `max_memory_bytes`. Raises JobFailed if a file was written to meanwhile.
    """
    library = Library(root, max_bytes, Watch(report, max_seconds, max_memory_bytes))
    document = read_document(library, path)
    library.check_unchanged()
    name = library.files[0].path.relative_to(library.root).as_posix()
    return resolve(document, name, library.files)


def load_document(path: Path, root: Path, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read what a scene or a file of meshes says, without looking names up.

    As `load_scene` otherwise.
    """
    return read_document(Library(root, max_bytes), path, {**READERS, **MESH_READERS})


def read_document(
    library: Library, path: Path, readers: Mapping[str, Reader] | None = None
) -> Document:
    """Read what a scene file says, entity by entity. Raises SceneError.

    `readers` by the end of a file's name; `READERS` by default.
    """
    readers = READERS if readers is None else readers
    found = locate_scene(library, path, tuple(readers))
    reader = next(r for suffix, r in readers.items() if found.name.lower().endswith(suffix))
    return reader(library, found)


def _read_mi(library: Library, path: Path) -> Document:
    document = Document(library.root, library.watch)
    read_statements(Tokens(library, library.open(path), document.warnings), document)
    expand_phenomena(document)
    return document


Reader = Callable[[Library, Path], Document]
#: What reads a scene file, by the end of its name.
READERS: dict[str, Reader] = {
    ".mi": _read_mi,
    ".mi.gz": _read_mi,
    ".gltf": read_gltf,
    ".glb": read_gltf,
}
#: What reads files of meshes, which only a person's own are.
MESH_READERS: dict[str, Reader] = dict.fromkeys(SUFFIXES, read_mesh_file)
