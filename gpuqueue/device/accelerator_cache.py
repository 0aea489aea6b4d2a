"""Acceleration structures on disk: a large scene is built once, not by every process.

A file is named by what the structure is a function of, so it is never out of date; a damaged one
is told by its checksums and built anew. It is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import native
from gpuqueue.device.base import Progress
from gpuqueue.device.kernel_image import sources_hash
from gpuqueue.disk_cache import keep_within, kept_folder, write_parts
from gpuqueue.log import Category, Event, EventLogger

Built = dict[str, Any]
Bytes = npt.NDArray[np.uint8]

#: Scenes of fewer triangles are built sooner than they are looked up.
MIN_TRIANGLES = 250_000
#: Bytes between two looks at whether to go on.
_PIECE = 1 << 24
#: Changes with the form of a file.
_MAGIC = b"gpuqueue accelerator 1\n"
_MAX_HEADER = 1 << 12
#: As the kernels want them on the host.
_ALIGNMENT = 64

log = EventLogger(Category.SCENE)


class Header(BaseModel):
    """What a file says of itself."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    key: str
    numbers: dict[str, int]
    #: Bytes and CRC-32 of each array, in the order of the file.
    arrays: dict[str, tuple[NonNegativeInt, int]]


class AcceleratorCache:
    """The files of one folder, at most `max_bytes` in all. Whatever goes wrong costs a warning."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def load(self, key: str, progress: Progress | None = None) -> Built | None:
        """What was kept under a key, or None. `progress` ends it by raising, here and below."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                found = _read(file, key, progress)
            os.utime(path)  # the time of its last use
        except FileNotFoundError:
            return None
        except (OSError, ValueError, MemoryError, struct.error) as error:
            _warn(f"{path} is damaged and is made anew: {error}")
            return None
        return found

    def keep(self, key: str, built: Built, progress: Progress | None = None) -> None:
        """Store a structure; others go where there is no room."""
        if _bytes_of(built) > self._max_bytes:
            return
        try:
            write_parts(self._path(key), _file_parts(key, built, progress))
            keep_within(self._folder, self._max_bytes)
        except OSError as error:
            _warn(f"An acceleration structure cannot be kept: {error}")

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.bvh"


def cache_of(settings: RenderSettings) -> AcceleratorCache | None:
    """The cache that the settings name; None where they want none, or the folder is not ours."""
    if settings.bvh_cache_bytes == 0:
        return None
    folder = kept_folder("accelerators", settings.bvh_cache_folder)
    if folder is None:
        _warn(
            "The folder for acceleration structures cannot be used: it must be of this user alone."
        )
        return None
    return AcceleratorCache(folder, settings.bvh_cache_bytes)


def key_of(layout: str, arrays: Iterable[npt.NDArray[Any]], progress: Progress | None) -> str:
    """SHA-256 of all that a structure is a function of: the scene's arrays, layout and builder."""
    version = native.kernels().BUILDER_VERSION
    key = hashlib.sha256(repr((_MAGIC, version, layout, sources_hash())).encode())
    for array in arrays:
        key.update(f"{array.dtype.itemsize} {array.shape}\0".encode())
        for piece in _pieces(array, progress):
            key.update(piece)
    return key.hexdigest()


def _pieces(array: npt.NDArray[Any], progress: Progress | None) -> Iterator[memoryview]:
    """The bytes of an array, few enough at a time that who waits can stop between them."""
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    for start in range(0, flat.nbytes, _PIECE):
        if progress is not None:
            progress(0.0)
        yield flat[start : start + _PIECE].data


def _checksum(array: Bytes, progress: Progress | None) -> int:
    value = 0
    for piece in _pieces(array, progress):
        value = zlib.crc32(piece, value)
    return value


def _arrays_of(built: Built) -> dict[str, Bytes]:
    return {name: value for name, value in built.items() if isinstance(value, np.ndarray)}


def _bytes_of(built: Built) -> int:
    return len(_MAGIC) + _MAX_HEADER + sum(array.nbytes for array in _arrays_of(built).values())


def _file_parts(key: str, built: Built, progress: Progress | None) -> Iterator[bytes | memoryview]:
    """Magic, header with sizes and checksums, the checksum of the header, the arrays."""
    arrays = _arrays_of(built)
    header = Header(
        key=key,
        numbers={name: int(value) for name, value in built.items() if name not in arrays},
        arrays={name: (a.nbytes, _checksum(a, progress)) for name, a in arrays.items()},
    )
    text = header.model_dump_json().encode()
    yield _MAGIC + struct.pack("<II", len(text), zlib.crc32(text)) + text
    for array in arrays.values():
        yield from _pieces(array, progress)


def _read(file: Any, key: str, progress: Progress | None) -> Built:
    """The structure of a file. Raises ValueError or the like where it is not whole."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("it does not begin as an acceleration structure does")
    length, checksum = struct.unpack("<II", file.read(8))
    text = file.read(min(length, _MAX_HEADER))
    if zlib.crc32(text) != checksum:
        raise ValueError("its header has another checksum")
    header = Header.model_validate_json(text)
    if header.key != key:
        raise ValueError("it is that of another scene")
    if {*header.numbers, *header.arrays} != set(native.layouts()["Accelerator"].names or ()):
        raise ValueError("it has other fields than an acceleration structure")
    left = os.fstat(file.fileno()).st_size - file.tell()
    if sum(size for size, _ in header.arrays.values()) != left:
        raise ValueError(f"it holds {left} bytes of arrays, which is not what its header says")
    built: Built = dict(header.numbers)
    for name, (size, expected) in header.arrays.items():
        built[name] = _read_array(file, size, progress)
        if _checksum(built[name], progress) != expected:
            raise ValueError(f"its {name} have another checksum")
    return built


def _read_array(file: Any, size: int, progress: Progress | None) -> Bytes:
    room = np.empty(size + _ALIGNMENT, np.uint8)
    start = -room.ctypes.data % _ALIGNMENT
    array: Bytes = room[start : start + size]
    for piece in _pieces(array, progress):
        if file.readinto(piece) != len(piece):
            raise ValueError("it ends too soon")
    return array


def _warn(message: str) -> None:
    log.event(Event.BVH_CACHE_UNUSABLE, message, level=logging.WARNING)
