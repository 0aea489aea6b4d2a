"""Scene text and places in it: offset to line and column, the excerpt with a caret, and includes.

Files are mapped into memory, not read: the system can drop what has been parsed. A token's text is
Latin-1, one character a byte; names and excerpts are decoded as UTF-8 when they are read.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gpuqueue.errors import JobFailed, SceneError
from gpuqueue.scene.watch import Watch

#: Characters of a long line that an error shows.
EXCERPT_WIDTH = 96
MAX_INCLUDES = 1000
#: What a scene file is called, and whatever it includes.
SUFFIX = ".mi"
_GZIP = b"\x1f\x8b"
#: Beyond so many bytes of a line, columns count bytes.
_LONG_LINE = 1 << 20

Data: TypeAlias = bytes | mmap.mmap


def decode(text: str) -> str:
    """Return a token's text as the UTF-8 that it was written in."""
    return _utf8(text.encode("latin-1"))


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


@dataclass(frozen=True, eq=False)
class Source:
    """One scene file: its name relative to the scene root, its bytes, and what included it."""

    name: str
    path: Path
    data: Data = field(repr=False)
    included_at: Place | None = None
    #: An offset, and the lines before it: places are asked for from front to back.
    _counted: list[int] = field(default_factory=lambda: [0, 0], repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column, both from 1, of a byte offset."""
        start = self.data.rfind(b"\n", 0, offset) + 1
        is_long = offset - start > _LONG_LINE
        column = offset - start if is_long else len(_utf8(self.data[start:offset]))
        return self._lines_before(offset) + 1, column + 1

    def _lines_before(self, offset: int) -> int:
        at, lines = self._counted if self._counted[0] <= offset else (0, 0)
        for first in range(at, offset, _LONG_LINE):
            lines += self.data[first : min(first + _LONG_LINE, offset)].count(b"\n")
        self._counted[:] = offset, lines
        return lines

    def excerpt(self, offset: int) -> str:
        """Return the line of an offset and, below it, a caret."""
        start = max(self.data.rfind(b"\n", 0, offset) + 1, offset - EXCERPT_WIDTH // 2)
        shown, *_ = self.data[offset : start + EXCERPT_WIDTH].partition(b"\n")
        before = _printable(_utf8(self.data[start:offset]))
        return f"  {before}{_printable(_utf8(shown))}\n  {' ' * len(before)}^"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the scene files; prints as ``file:line:column``."""

    source: Source
    offset: int

    def __str__(self) -> str:
        line, column = self.source.position(self.offset)
        return f"{self.source.name}:{line}:{column}"

    def error(self, message: str) -> SceneError:
        """Return the error to raise: place, message, the line and a caret, the includes."""
        lines = [f"{self}: {message}", self.source.excerpt(self.offset)]
        outer = self.source.included_at
        while outer is not None:
            lines.append(f"  included at {outer}")
            outer = outer.source.included_at
        return SceneError("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Part(Place):
    """A part of a file that is no text, by its path; prints as ``file: path``."""

    path: str = ""

    def __str__(self) -> str:
        return f"{self.source.name}: {self.path}" if self.path else self.source.name

    def member(self, name: str) -> Part:
        """Return a part of this part."""
        return Part(self.source, self.offset, f"{self.path}.{name}" if self.path else name)

    def error(self, message: str) -> SceneError:
        """Return the error to raise: the part and the message."""
        return SceneError(f"{self}: {message}")


@dataclass(frozen=True)
class SourceFile:
    """A file that a scene was read from, for caches: it is the same while `sha256` is."""

    path: Path
    size: int
    sha256: str


class Library:
    """Opens scene files below one root and counts what is read, under one watch.

    Raises SceneError for a path outside the root, for a file that is not there or no plain
    file, and when all files together exceed `max_bytes`.
    """

    def __init__(self, root: Path, max_bytes: int, watch: Watch | None = None) -> None:
        self.root = root.resolve()
        self.max_bytes = max_bytes
        self.watch = watch or Watch()
        self._bytes_left = max_bytes
        self._opened = 0
        self._files: dict[Path, tuple[Source, SourceFile]] = {}
        self._stands: dict[Path, tuple[int, int, int]] = {}

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """Every file read so far, the scene first."""
        return tuple(file for _, file in self._files.values())

    def locate(
        self, name: str, folders: tuple[Path, ...], suffixes: tuple[str, ...] = (SUFFIX,)
    ) -> Path | None:
        """Return the first file called `name` in `folders`; None if there is none.

        Raises SceneError if every such place lies outside the root, and for a file that is there
        but whose name has none of the suffixes: errors show lines of what is read, and the root
        may hold secrets.
        """
        try:
            places = [(folder / name).resolve() for folder in folders]
        except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the name
            raise SceneError(f"'{_printable(name)}' is not a usable path") from None
        inside = [place for place in places if place.is_relative_to(self.root)]
        if not inside:
            raise SceneError(f"'{_printable(name)}' lies outside the scene folder")
        found = next(filter(_is_file, inside), None)
        if found is not None and not found.name.lower().endswith(suffixes):
            what = "no scene file: its" if SUFFIX in suffixes else "not what is wanted here: its"
            raise SceneError(
                f"'{_printable(name)}' is {what} name must end in {' or '.join(suffixes)}"
            )
        return found

    def open(self, path: Path) -> Source:
        """Read a file that lies inside the root; each inclusion counts its bytes again."""
        self._opened += 1
        if self._opened > MAX_INCLUDES:
            raise SceneError(f"more than {MAX_INCLUDES} files are included")
        if path not in self._files:
            self._files[path] = self._read(path)
        source, _ = self._files[path]
        self._bytes_left -= len(source.data)
        if self._bytes_left < 0:
            raise self._too_large()
        return source

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file that lies inside the root; counted as by `open`."""
        return bytes(self.open(path).data)

    def _too_large(self) -> SceneError:
        return SceneError(f"the scene files exceed the limit of {self.max_bytes} bytes")

    def check_unchanged(self) -> None:
        """Raise JobFailed if a file was written to since it was opened: what was parsed may be half
        of one scene and half of another."""
        for path, stand in self._stands.items():
            try:
                now = _stand(path.stat())
            except OSError:  # removed or replaced: the map is of the old one
                continue
            if now != stand and now[0] == stand[0]:
                raise JobFailed(f"'{path.name}' was written to while it was read; try again")

    def _read(self, path: Path) -> tuple[Source, SourceFile]:
        name = path.relative_to(self.root).as_posix()
        try:
            with path.open("rb") as stream:
                stand = os.fstat(stream.fileno())
                if stand.st_size > self._bytes_left:
                    raise self._too_large()
                data = _mapped(stream.fileno(), stand.st_size)
        except OSError as error:
            raise SceneError(f"cannot read '{name}': {error.strerror}") from None
        self._stands[path] = _stand(stand)
        file = SourceFile(path, len(data), hashlib.sha256(data).hexdigest())
        return Source(name, path, self._unpacked(name, data)), file

    def _unpacked(self, name: str, data: Data) -> Data:
        """The content of a file that gzip has compressed; any other as it is."""
        if data[:2] != _GZIP:
            return data
        unpack = zlib.decompressobj(wbits=31)
        try:
            content = unpack.decompress(data, self._bytes_left + 1)
        except zlib.error as error:
            raise SceneError(f"'{name}' is compressed, and damaged: {error}") from None
        if len(content) > self._bytes_left:
            raise self._too_large()
        if not unpack.eof:
            raise SceneError(f"'{name}' is compressed, and cut short")
        return content


def _mapped(descriptor: int, size: int) -> Data:
    # An empty file cannot be mapped.
    return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if size else b""


def _stand(status: os.stat_result) -> tuple[int, int, int]:
    """What tells that a file is still the same: its number first."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system
        return False


def locate_scene(library: Library, path: Path, suffixes: tuple[str, ...] = (SUFFIX,)) -> Path:
    """Return the scene file itself. Raises SceneError if it is missing or outside the root."""
    found = library.locate(str(path), (library.root,), suffixes)
    if found is None:
        raise SceneError(f"scene file '{path}' does not exist")
    return found


def open_scene(library: Library, path: Path) -> Source:
    """Open a ``.mi`` scene file. Raises SceneError as `locate_scene`."""
    return library.open(locate_scene(library, path))
