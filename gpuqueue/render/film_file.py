"""A film and what is to be known of it, as bytes that are whole or refused."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from gpuqueue.device.film import Film, pack_film, unpack_film

#: Larger films are not stored: to move them costs more than it saves.
MAX_BYTES = 2 << 30
MIME_TYPE = "application/octet-stream"
_MAGIC = b"gpuqueue film 2\n"
_DIGEST_BYTES = 32


def seal_film(film: Film, told: dict[str, Any]) -> bytes:
    """Header, film, and the SHA-256 of both; `told` is JSON."""
    header = {**told, "height": film.shape[0], "width": film.shape[1]}
    text = json.dumps(header).encode()
    data = b"".join((_MAGIC, struct.pack("<I", len(text)), text, pack_film(film)))
    return data + hashlib.sha256(data).digest()


def open_film(data: bytes, fingerprint: str) -> tuple[Film, dict[str, Any]] | None:
    """The film and what was told of it; None if that is not of this fingerprint, or not whole."""
    told, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if not data.startswith(_MAGIC) or hashlib.sha256(told).digest() != digest:
        return None
    start = len(_MAGIC) + 4
    (length,) = struct.unpack("<I", told[len(_MAGIC) : start])
    header = json.loads(told[start : start + length])
    if header["fingerprint"] != fingerprint:
        return None
    packed = memoryview(told)[start + length :]
    return unpack_film(packed, header["width"], header["height"]), header
