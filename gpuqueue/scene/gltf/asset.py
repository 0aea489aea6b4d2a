"""A glTF 2.0 file and its buffers: the JSON, and bytes from the file, beside it, or in base64.

Source: glTF 2.0 specification (Khronos Group), sections 3.6 and 4 (binary glTF).
"""

from __future__ import annotations

import base64
import binascii
import struct
from pathlib import Path
from urllib.parse import unquote

from gpuqueue.errors import SceneError
from gpuqueue.scene.gltf.item import Item, root_item
from gpuqueue.scene.source import Library, Source
from gpuqueue.strict_json import NotJson, parse

_MAGIC, _JSON, _BIN = b"glTF", 0x4E4F534A, 0x004E4942
#: Extensions that a file may require.
KNOWN_EXTENSIONS = frozenset(
    {
        "KHR_lights_punctual",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_transmission",
        "KHR_materials_volume",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
    }
)


class Asset:
    """The JSON of a file, its top-level arrays, and the bytes of its buffers."""

    def __init__(self, root: Item, buffers: tuple[memoryview, ...]) -> None:
        self.root = root
        self.buffers = buffers
        self._tables: dict[str, list[Item]] = {}

    def table(self, name: str) -> list[Item]:
        """Return a top-level array, such as "meshes"; empty if there is none."""
        if name not in self._tables:
            self._tables[name] = self.root.children(name)
        return self._tables[name]

    def entry(self, item: Item, member: str, table: str) -> Item | None:
        """Return what an index of `item` stands for; None if it has no such member."""
        entries = self.table(table)
        index = item.index(member, len(entries), f"entry of {table}")
        return None if index is None else entries[index]

    def view(self, item: Item) -> tuple[Item, memoryview]:
        """Return the buffer view that `item` names, and its bytes. Raises SceneError."""
        view = self.entry(item, "bufferView", "bufferViews")
        if view is None:
            raise item.error("bufferView", "an index")
        buffer = view.index("buffer", len(self.buffers), "buffer")
        if buffer is None:
            raise view.error("buffer", "an index")
        data = self.buffers[buffer]
        start, length = view.integer("byteOffset", 0), view.integer("byteLength")
        if start + length > len(data):
            raise view.at.error(
                f"it ends at byte {start + length} of a buffer of {len(data)} bytes"
            )
        return view, data[start : start + length]


def read_asset(library: Library, path: Path) -> Asset:
    """Read a ``.gltf`` or ``.glb`` file below the library's root, and what it refers to.

    Raises SceneError, which tells the file and the member, for what is not glTF 2.0 or asks for
    an extension that we do not have.
    """
    name = path.relative_to(library.root).as_posix()
    data = library.read(path)
    text, chunk = _chunks(name, data) if data.startswith(_MAGIC) else (memoryview(data), None)
    try:
        root = root_item(parse(bytes(text)), Source(name, path, b""))
    except NotJson as error:
        raise SceneError(f"{name}: {error}") from None
    _check_version(root)
    buffers = root.children("buffers")
    return Asset(
        root,
        tuple(_buffer(library, path, b, chunk if i == 0 else None) for i, b in enumerate(buffers)),
    )


def _chunks(name: str, data: bytes) -> tuple[memoryview, memoryview | None]:
    """JSON and binary of a ``.glb``: a header of 12 bytes, then chunks of length, type, bytes."""
    view = memoryview(data)
    if len(data) < 20:
        raise SceneError(f"{name}: this binary glTF ends within its header")
    version, length = struct.unpack_from("<II", view, 4)
    if version != 2 or length > len(data):
        raise SceneError(
            f"{name}: expected binary glTF of version 2 and {length} bytes,"
            f" found version {version} and {len(data)} bytes"
        )
    found: dict[int, memoryview] = {}
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", view, at)
        if size > length - at - 8:
            raise SceneError(f"{name}: a chunk of {size} bytes at byte {at} goes beyond the file")
        found.setdefault(kind, view[at + 8 : at + 8 + size])
        at += 8 + size
    if _JSON not in found:
        raise SceneError(f"{name}: this binary glTF has no JSON chunk")
    return found[_JSON], found.get(_BIN)


def _check_version(root: Item) -> None:
    version = root.child("asset").text("version", "")
    if not version.startswith("2."):
        raise root.child("asset").error("version", 'glTF "2.0"')
    required = root.values.get("extensionsRequired", [])
    missing = sorted(str(e) for e in required if e not in KNOWN_EXTENSIONS)
    if missing:
        raise root.at.member("extensionsRequired").error(
            f"{', '.join(missing)[:200]} is not supported; export the file without it"
        )


def _buffer(library: Library, path: Path, item: Item, chunk: memoryview | None) -> memoryview:
    length = item.integer("byteLength", low=0)
    if item.has("uri"):
        data = memoryview(_bytes_of(library, path, item, item.text("uri")))
    elif chunk is not None:
        data = chunk
    else:
        raise item.error("uri", "the place of the buffer's bytes")
    if len(data) < length:
        raise item.at.error(f"the buffer has {len(data)} bytes, not {length} as byteLength says")
    return data[:length]


def bytes_of_data(item: Item) -> bytes:
    """Return what the "uri" of an item, which begins with ``data:``, holds. Raises SceneError."""
    head, comma, text = item.text("uri").partition(",")
    try:
        if not comma or not head.endswith(";base64"):
            raise ValueError("no base64")
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise item.at.member("uri").error("this data URI is not base64") from None


def _bytes_of(library: Library, path: Path, item: Item, uri: str) -> bytes:
    if uri.startswith("data:"):
        return bytes_of_data(item)
    try:
        found = library.locate(unquote(uri), (path.parent,), BUFFER_SUFFIXES)
        if found is None:
            raise SceneError(f"'{unquote(uri)[:100]}' does not exist")
        return library.read(found)
    except SceneError as error:
        raise item.at.member("uri").error(str(error)) from None


#: What a file of a buffer is called.
BUFFER_SUFFIXES = (".bin", ".glbin", ".glbuf")
