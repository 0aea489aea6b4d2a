"""glTF files for tests, put together by hand."""

import json
import struct
from typing import Any

import numpy as np

COMPONENTS = {
    "int8": 5120,
    "uint8": 5121,
    "int16": 5122,
    "uint16": 5123,
    "uint32": 5125,
    "float32": 5126,
}
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
SQUARE = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
CORNERS = np.array([0, 1, 2, 0, 2, 3], np.uint16)


class Maker:
    """The JSON and the one buffer of a file."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.json: dict[str, Any] = {"asset": {"version": "2.0"}}

    def add(self, table: str, **members: Any) -> int:
        entries = self.json.setdefault(table, [])
        entries.append(members)
        return len(entries) - 1

    def view(self, data: bytes, **members: Any) -> int:
        self.data += bytes(-len(self.data) % 4)
        start = len(self.data)
        self.data += data
        return self.add("bufferViews", buffer=0, byteOffset=start, byteLength=len(data), **members)

    def accessor(self, values: np.ndarray, **members: Any) -> int:
        rows = values.reshape(len(values), -1)
        return self.add(
            "accessors",
            bufferView=self.view(rows.tobytes()),
            componentType=COMPONENTS[values.dtype.name],
            type=TYPES[rows.shape[1]],
            count=len(values),
            **members,
        )

    def square(self, **members: Any) -> int:
        """A mesh of one square."""
        attributes = {"POSITION": self.accessor(SQUARE)}
        primitive = {"attributes": attributes, "indices": self.accessor(CORNERS), **members}
        return self.add("meshes", name="square", primitives=[primitive])

    def text(self, **buffer: Any) -> bytes:
        buffers = [{"byteLength": len(self.data), **buffer}] if self.data else []
        return json.dumps({**self.json, "buffers": buffers}).encode()

    def glb(self) -> bytes:
        text = self.text()
        text += b" " * (-len(text) % 4)
        data = bytes(self.data) + bytes(-len(self.data) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        if data:
            chunks += struct.pack("<II", len(data), 0x004E4942) + data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def one_square(**node: Any) -> Maker:
    maker = Maker()
    maker.add("nodes", mesh=maker.square(), **node)
    return maker
