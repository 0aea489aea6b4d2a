"""What a job delivers: bytes with their MIME type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from gpuqueue.errors import shown

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]

#: MIME type to file extension; the extension is what ``${mime_ext}`` becomes.
EXTENSIONS = {
    "application/json": "json",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/vnd.radiance": "hdr",
    "image/x-exr": "exr",
}


#: A MIME type, perhaps with parameters; it travels in HTTP headers.
MIME_TYPE = r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[!-~ ]+)?"


@dataclass(frozen=True)
class Binary:
    """Bytes and their MIME type: an image, or the JSON text of a command's result."""

    data: bytes = field(repr=False)
    mime_type: str

    def __post_init__(self) -> None:
        """Raise ValueError for a MIME type that is none."""
        if not re.fullmatch(MIME_TYPE, self.mime_type):
            raise ValueError(f"{shown(self.mime_type)!r} is no MIME type such as image/png")

    @property
    def extension(self) -> str:
        """File extension without the dot; ``bin`` for a MIME type not in `EXTENSIONS`."""
        return EXTENSIONS.get(self.mime_type, "bin")

    @classmethod
    def of(cls, result: Binary | JsonValue) -> Binary:
        """The result itself, or its JSON text if it is plain data."""
        if isinstance(result, Binary):
            return result
        return cls(json.dumps(result, allow_nan=False).encode(), "application/json")


#: What a part of a job delivers while others are still at work: there is no result yet.
NOTHING = Binary(b"", "application/x-nothing")
