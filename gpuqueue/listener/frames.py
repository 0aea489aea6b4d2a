"""The wire between the listener and its render process: framed JSON headers and raw bytes.

A frame is the size of its header (4 bytes), the size of its body (8 bytes), both big-endian, then
a JSON object and the body's bytes. Nothing that is read can run code, as a pickle could.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from gpuqueue.errors import (
    ConfigError,
    DeviceLost,
    GpuqueueError,
    Interrupted,
    InvalidJob,
    JobFailed,
    OutOfMemory,
    SceneError,
    TransientError,
)

SIZES = struct.Struct(">IQ")
MAX_HEADER_BYTES = 8 << 20
MAX_BODY_BYTES = 4 << 30


#: The classes of errors that cross the wire, by their names; the first that fits is taken.
ERRORS: dict[str, type[GpuqueueError]] = {
    kind.__name__: kind
    for kind in (
        SceneError,
        InvalidJob,
        TransientError,
        DeviceLost,
        Interrupted,
        ConfigError,
        OutOfMemory,
        JobFailed,
    )
}


class BrokenFrame(Exception):
    """The other side sent something else than frames, or ended in the middle of one."""


@dataclass(frozen=True)
class Frame:
    """One message: what it is, its fields, and bytes that need no JSON."""

    kind: str
    fields: dict[str, Any]
    body: bytes = field(default=b"", repr=False)


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Send a frame and flush it. Raises OSError if the other side is gone."""
    header = json.dumps({**frame.fields, "kind": frame.kind}, allow_nan=False).encode()
    stream.write(SIZES.pack(len(header), len(frame.body)))
    stream.write(header)
    stream.write(frame.body)
    stream.flush()


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next frame, or None if the other side has closed. Raises BrokenFrame."""
    sizes = stream.read(SIZES.size)
    if not sizes:
        return None
    if len(sizes) < SIZES.size:
        raise BrokenFrame("ended in the middle of a frame")
    header_bytes, body_bytes = SIZES.unpack(sizes)
    if header_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
        raise BrokenFrame(f"a frame of {header_bytes} + {body_bytes} bytes is too large")
    header, body = stream.read(header_bytes), stream.read(body_bytes)
    if len(header) < header_bytes or len(body) < body_bytes:
        raise BrokenFrame("ended in the middle of a frame")
    return _decoded(header, body)


def _decoded(header: bytes, body: bytes) -> Frame:
    try:
        fields = json.loads(header)
        return Frame(fields.pop("kind"), fields, body)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise BrokenFrame("the header of a frame is not a JSON object with a kind") from error
