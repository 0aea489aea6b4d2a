r"""The syntax of ``realityserver.conf``: text in, a plain tree of directives out.

::

    file      = { line }
    line      = blank | comment | directive | open | close
    comment   = "#" anything             only at the start of a line, after blanks
    directive = key [ blanks value ]     one line; the value is the rest of it, unquoted
    open      = "<" key [ blanks value ] ">"
    close     = "</" key ">"             closes the innermost open block
    key       = letters, digits and "_", in any case

A line ends with ``\n`` or ``\r\n``; a ``\`` as its very last character joins the next line to
it as it stands. Blanks before a key and before a value do not count, those at the end of a value
do. Outside of every block, ``include path`` reads another file, or the files of a folder in
alphabetical order; the path is relative to the file that includes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gpuqueue.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
MAX_INCLUDE_DEPTH = 16
MAX_FILES = 1000
MAX_BLOCK_DEPTH = 32

_DIRECTIVE = re.compile(r"([A-Za-z0-9_]+)(?:[ \t]+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A line of a configuration file, written ``file:line``."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Directive:
    """``key value``; the key is in lower case. The value may be a secret: it has no repr."""

    key: str
    value: str = field(repr=False)
    place: Place


@dataclass
class Block:
    """``<key name> … </key>``, or a whole file, whose key and name are empty."""

    key: str
    name: str
    place: Place
    children: list[Directive | Block] = field(default_factory=list)

    def __str__(self) -> str:
        return f"<{self.key} {self.name}>" if self.key else "the file"


@dataclass(frozen=True)
class Logical:
    """A line after joining continued ones, and where it began."""

    text: str
    place: Place


def parse_file(path: Path) -> Block:
    """The tree of a configuration file and of all that it includes.

    Raises ConfigError, beginning with ``file:line:`` and saying what was expected.
    """
    return _Files().read(path, Place(path, 0))


def parse(text: str, path: Path) -> Block:
    """The tree of one text, includes not followed. Raises ConfigError."""
    root = Block("", "", Place(path, 1))
    stack = [root]
    for line in logical_lines(text, path):
        _parse_line(line, stack)
    if len(stack) > 1:
        unclosed = stack[-1]
        raise ConfigError(
            f"{unclosed.place}: {unclosed} is never closed; expected </{unclosed.key}>"
        )
    return root


def logical_lines(text: str, path: Path) -> Iterator[Logical]:
    r"""Lines with something on them, leading blanks stripped, continued lines joined."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(re.split(r"\r?\n", text), 1):
        if not parts:
            start = number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        joined = "".join([*parts, line]).lstrip(" \t")
        parts = []
        if joined and not joined.startswith("#"):
            yield Logical(joined, Place(path, start))
    if parts:
        raise ConfigError(f"{Place(path, start)}: expected another line after the final '\\'")


def _parse_line(line: Logical, stack: list[Block]) -> None:
    """Add one line to the innermost block of `stack`, or open or close a block."""
    if line.text.startswith("<"):
        _parse_tag(line, stack)
    elif match := _DIRECTIVE.fullmatch(line.text):
        stack[-1].children.append(Directive(match[1].lower(), match[2] or "", line.place))
    else:
        # The line itself may hold a secret, so the message does not show it.
        raise ConfigError(
            f"{line.place}: expected a directive: a key of letters, digits and '_', "
            "a blank, a value"
        )


def _parse_tag(line: Logical, stack: list[Block]) -> None:
    tag = line.text.rstrip(" \t")
    closes = tag.startswith("</")
    match = _DIRECTIVE.fullmatch(tag[2 if closes else 1 : -1].strip(" \t"))
    if match is None or not tag.endswith(">") or (closes and match[2]):
        raise ConfigError(f"{line.place}: expected '<user NAME>' or '</user>'")
    if closes:
        _close(match[1], line.place, stack)
        return
    if len(stack) > MAX_BLOCK_DEPTH:
        raise ConfigError(f"{line.place}: blocks nest deeper than {MAX_BLOCK_DEPTH}")
    block = Block(match[1].lower(), match[2] or "", line.place)
    stack[-1].children.append(block)
    stack.append(block)


def _close(key: str, place: Place, stack: list[Block]) -> None:
    if len(stack) == 1:
        raise ConfigError(f"{place}: </{key}> closes nothing; expected a directive or a block")
    if key.lower() != stack[-1].key:
        raise ConfigError(
            f"{place}: expected </{stack[-1].key}> to close {stack[-1]} of {stack[-1].place}, "
            f"found </{key}>"
        )
    stack.pop()


class _Files:
    """Reads files and follows their includes; bounded, and never around in a circle."""

    def __init__(self) -> None:
        self._open: list[Path] = []
        self._count = 0

    def read(self, path: Path, place: Place) -> Block:
        """The tree of `path`, included from `place` (line 0: from nowhere)."""
        where = f"{place}: " if place.line else ""
        resolved = path.resolve()
        if resolved in self._open:
            raise ConfigError(f"{where}{path} includes itself")
        self._count += 1
        if len(self._open) >= MAX_INCLUDE_DEPTH or self._count > MAX_FILES:
            raise ConfigError(
                f"{where}too many includes; allowed are {MAX_INCLUDE_DEPTH} levels "
                f"and {MAX_FILES} files"
            )
        self._open.append(resolved)
        block = parse(_read_text(path, where), path)
        block.children = [c for child in block.children for c in self._expand(child)]
        self._open.pop()
        return block

    def _expand(self, child: Directive | Block) -> list[Directive | Block]:
        """What a child of a file stands for: itself, or the children of the files it includes."""
        if isinstance(child, Block) or child.key != "include":
            return [child]
        if not child.value:
            raise ConfigError(f"{child.place}: expected a file or a folder after 'include'")
        path = child.place.file.parent / child.value
        files = _files_of(path, child.place) if path.is_dir() else [path]
        return [c for file in files for c in self.read(file, child.place).children]


def _files_of(folder: Path, place: Place) -> list[Path]:
    """The files of a folder by name; hidden ones, such as an editor's, are left out."""
    try:
        return sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    except OSError as error:
        raise ConfigError(f"{place}: cannot read folder {folder}: {error.strerror}") from error


def _read_text(path: Path, where: str) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{where}cannot read {path}: {reason}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{where}{path} is larger than {MAX_FILE_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: expected UTF-8 text") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(f"{path}:{line}: expected text, found a NUL character")
    return text
