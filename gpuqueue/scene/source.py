"""Scene text and places in it: offset to line and column, the excerpt with a caret, and includes.

Text is held as Latin-1, one character a byte, so that offsets are byte offsets and binary
vectors survive; names and excerpts are decoded as UTF-8 when they are read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from gpuqueue.errors import SceneError

#: Characters of a long line that an error shows.
EXCERPT_WIDTH = 96
MAX_INCLUDES = 1000
#: What a scene file is called, and whatever it includes.
SUFFIX = ".mi"
_GZIP = b"\x1f\x8b"


def decode(text: str) -> str:
    """Return a piece of `Source.text` as the UTF-8 that it was written in."""
    return text.encode("latin-1").decode("utf-8", "replace")


@dataclass(frozen=True, eq=False)
class Source:
    """One scene file: its name relative to the scene root, its text, and what included it."""

    name: str
    path: Path
    text: str = field(repr=False)
    included_at: Place | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column, both from 1, of a byte offset."""
        start = self.text.rfind("\n", 0, offset) + 1
        column = len(decode(self.text[start:offset])) + 1
        return self.text.count("\n", 0, offset) + 1, column

    def excerpt(self, offset: int) -> str:
        """Return the line of an offset and, below it, a caret."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end
        start = max(start, offset - EXCERPT_WIDTH // 2)
        end = min(end, start + EXCERPT_WIDTH)
        before = _printable(decode(self.text[start:offset]))
        return f"  {before}{_printable(decode(self.text[offset:end]))}\n  {' ' * len(before)}^"


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
    """Opens scene files below one root and counts what is read.

    Raises SceneError for a path outside the root, for a file that is not there or no plain
    file, and when all files together exceed `max_bytes`.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.root = root.resolve()
        self.max_bytes = max_bytes
        self._bytes_left = max_bytes
        self._opened = 0
        self._files: dict[Path, tuple[Source, SourceFile]] = {}

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
        if found is not None and found.suffix.lower() not in suffixes:
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
        source, file = self._files[path]
        self._bytes_left -= file.size
        if self._bytes_left < 0:
            raise self._too_large()
        return source

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file that lies inside the root; counted as by `open`."""
        return self.open(path).text.encode("latin-1")

    def _too_large(self) -> SceneError:
        return SceneError(f"the scene files exceed the limit of {self.max_bytes} bytes")

    def _read(self, path: Path) -> tuple[Source, SourceFile]:
        name = path.relative_to(self.root).as_posix()
        try:
            with path.open("rb") as stream:
                data = stream.read(self._bytes_left + 1)
        except OSError as error:
            raise SceneError(f"cannot read '{name}': {error.strerror}") from None
        if len(data) > self._bytes_left:
            raise self._too_large()
        if data.startswith(_GZIP):
            raise SceneError(f"'{name}' is compressed; unpack it first (gunzip)")
        digest = hashlib.sha256(data).hexdigest()
        return Source(name, path, data.decode("latin-1")), SourceFile(path, len(data), digest)


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
