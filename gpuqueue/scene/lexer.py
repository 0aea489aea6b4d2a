"""Scene text to tokens. Includes and other ``$`` directives are followed here, unseen by others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, NoReturn

from gpuqueue.errors import SceneError
from gpuqueue.scene.source import Library, Place, Source, decode

#: Bytes of one token; comments and binary data may be longer.
MAX_TOKEN = 1 << 20
#: Tokens of a scene that are read one by one, each of which may leave some 100 bytes behind.
MAX_TOKENS = 1 << 26
MAX_INCLUDE_DEPTH = 11


class Kind(StrEnum):
    """What a token is."""

    FLOAT = "number"
    INTEGER = "integer"
    STRING = "string"
    SYMBOL = "word"
    MARK = "mark"
    HEX = "byte string"
    BINARY = "binary data"
    DIRECTIVE = "directive"
    END = "end of the file"
    BAD = "character"


class Token(NamedTuple):
    """One token; `text` of a string is without its quotes."""

    kind: Kind
    text: str
    source: Source
    start: int

    @property
    def place(self) -> Place:
        """Where the token starts."""
        return Place(self.source, self.start)

    def __str__(self) -> str:
        if self.kind is Kind.END:
            return "the end of the file"
        shown = decode(self.text if len(self.text) < 40 else self.text[:37] + "...")
        return f'"{shown}"' if self.kind is Kind.STRING else f"'{shown}'"


_TOKEN = re.compile(
    rb"""
    (?:\s++|\#[^\n]*+)*+
    (?: (?P<FLOAT>[+-]?(?:(?:\d++\.\d*+|\.\d++)(?:[eEdD][+-]?\d++)?|\d++[eEdD][+-]?\d++))(?![\w.])
      | (?P<INTEGER>[+-]?\d++)(?![\w.])
      | (?P<SYMBOL>[A-Za-z_]\w*+)
      | "(?P<STRING>(?:[^"\\]|\\.)*+)"
      | (?P<MARK>[(){}\[\],=%])
      | '(?P<HEX>[0-9A-Fa-f\s]*+)'
      | (?P<BINARY>`)
      | (?P<DIRECTIVE>\$\w++)
      | (?P<END>\Z)
      | (?P<BAD>.)
    )
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_REST_OF_LINE = re.compile(rb"[^\n]*")
_KINDS = {kind.name: kind for kind in Kind}
#: Kinds that need more than being handed on.
_SPECIAL = frozenset({Kind.STRING, Kind.HEX, Kind.DIRECTIVE, Kind.END, Kind.BAD})
_END_OF_CODE = re.compile(rb"^\$end[ \t]+code\b", re.MULTILINE)
_LINE_DIRECTIVE = re.compile(rb"^[ \t]*\$(\w+)", re.MULTILINE)
_INCLUDE = re.compile(rb'[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)')
#: Declaration files that come with renderers; ours are built in (declarations.py).
_VENDOR = re.compile(
    r"(base|physics|contour|paint|subsurface|architectural|production|mayabase|mayahair"
    r"|adskshadersdk|useribl|rayscope|abcimport|xgen|mi_openvdb_wrapper|.*phen|mila.*)\.mi"
)


class Lexer:
    """The tokens of a scene and everything that it includes, one after the other.

    `at` is where the next token is looked for in `source`; who reads text on its own moves it, and
    calls `tell` now and then.
    """

    def __init__(self, library: Library, source: Source, warn: Callable[[str, Place], None]):
        self.source = source
        self.at = 0
        self._library = library
        self._warn = warn
        self._outer: list[tuple[Source, int]] = []
        self._count = 0
        #: Where to look after limits again.
        self._check_at = 0

    def tell(self, offset: int) -> None:
        """Let the watch know how far the source at hand is read."""
        self._library.watch(f"Reading {self.source.name}", offset / max(1, len(self.source.data)))

    def bytes_after(self, at: int) -> int:
        """Return what is left of the source at hand and of those that include it."""
        return sum(len(source.data) - start for source, start in [(self.source, at), *self._outer])

    def includes_after(self, at: int) -> bool:
        """Whether there may be more than that, in included files. This looks at every byte."""
        rest = [(self.source, at), *self._outer]
        return any(source.data.find(b"$include", start) >= 0 for source, start in rest)

    def scan(self) -> Token:
        """Return the next token and go past it. Raises SceneError."""
        while True:
            match = _TOKEN.match(self.source.data, self.at)
            if match is None or match.lastgroup is None:
                raise AssertionError("BAD takes any character")
            group = match.lastgroup
            kind = _KINDS[group]
            start, self.at = match.start(group), match.end()
            self._count += 1
            if self.at >= self._check_at:
                self._check(kind, start)
            token = Token(kind, match[group].decode("latin-1"), self.source, start)
            if kind not in _SPECIAL:
                return token
            if kind is Kind.END and self._outer:
                self._go_to(*self._outer.pop())
            elif kind is Kind.DIRECTIVE:
                self._directive(token)
            else:
                return self._finished(token)

    def _go_to(self, source: Source, at: int) -> None:
        self.source, self.at, self._check_at = source, at, 0

    def _check(self, kind: Kind, start: int) -> None:
        """Whether the token that ends at `at` is too long, or one too many."""
        place = Place(self.source, start)
        if self.at - start > MAX_TOKEN:
            what = "string" if kind in (Kind.STRING, Kind.HEX) else "word"
            raise place.error(f"a {what} of more than {MAX_TOKEN} bytes")
        if self._count > MAX_TOKENS:
            raise place.error(f"the scene has more than {MAX_TOKENS} words, apart from its meshes")
        self.tell(self.at)
        # No token of more bytes than that is missed.
        self._check_at = self.at + MAX_TOKEN

    def _finished(self, token: Token) -> Token:
        """A token that starts at its quote, with its escapes undone; or the error that it is."""
        if token.kind is Kind.END:
            return token
        if token.kind is Kind.BAD:
            self._refuse(token)
        token = token._replace(start=token.start - 1)
        return token._replace(text=token.text.replace('\\"', '"')) if "\\" in token.text else token

    def _refuse(self, token: Token) -> NoReturn:
        if token.text == '"':
            raise token.place.error("this string has no closing quote")
        if token.text in "+-.0123456789":
            raise token.place.error("this is not a number")
        character = self.source.data[token.start : token.start + 4].decode("utf-8", "replace")[0]
        raise token.place.error(f"unexpected character {character!r}")

    # Directives

    def _directive(self, token: Token) -> None:
        handler = {"$include": self._include, "$code": self._skip_code}.get(token.text)
        if handler:
            handler(token)
        elif token.text in ("$ifdef", "$else"):  # nothing is defined
            self._skip_branch(token)
        elif token.text == "$lookup":
            self.at = self._end_of_line()
            self._warn("$lookup is not supported; the registry is empty", token.place)
        elif token.text == "$ifndef":
            self.at = self._end_of_line()
        elif token.text != "$endif":
            raise token.place.error(
                f"unknown directive '{token.text}'; expected $include, $ifdef, $ifndef or $code"
            )

    def _end_of_line(self) -> int:
        match = _REST_OF_LINE.match(self.source.data, self.at)
        return match.end() if match else self.at

    def _include(self, token: Token) -> None:
        match = _INCLUDE.match(self.source.data, self.at)
        if not match:
            raise token.place.error('expected "file" or <file> after $include')
        self.at = match.end()
        quoted, optional = match.groups()
        name = (optional if quoted is None else quoted).decode("utf-8", "replace")
        if name.endswith(".mdl"):
            self._warn(f"MDL modules are not read: '{name}'", token.place)
            return
        try:
            path = self._library.locate(name, (self.source.path.parent, self._library.root))
        except SceneError as error:
            raise token.place.error(str(error)) from None
        if path is None:
            self._not_included(token, name, optional=quoted is None)
        else:
            self._enter(token, path)

    def _not_included(self, token: Token, name: str, *, optional: bool) -> None:
        if optional or _VENDOR.fullmatch(Path(name).name.lower()):
            self._warn(
                f"included file '{name}' is not there; built-in declarations are used", token.place
            )
        else:
            raise token.place.error(f"included file '{name}' does not exist")

    def _enter(self, token: Token, path: Path) -> None:
        if path in {self.source.path, *(source.path for source, _ in self._outer)}:
            raise token.place.error(f"'{path.name}' includes itself")
        if len(self._outer) >= MAX_INCLUDE_DEPTH:
            raise token.place.error(f"includes are nested more than {MAX_INCLUDE_DEPTH} deep")
        try:
            source = self._library.open(path)
        except SceneError as error:
            raise token.place.error(str(error)) from None
        self._outer.append((self.source, self.at))
        self._go_to(replace(source, included_at=token.place), 0)

    def _skip_code(self, token: Token) -> None:
        end = _END_OF_CODE.search(self.source.data, self.at)
        if not end:
            raise token.place.error("$code has no '$end code'")
        self.at = end.end()
        self._warn("$code is never compiled", token.place)

    def _skip_branch(self, token: Token) -> None:
        depth = 1
        for match in _LINE_DIRECTIVE.finditer(self.source.data, self.at):
            depth += {b"ifdef": 1, b"ifndef": 1, b"endif": -1}.get(match[1], 0)
            if depth == 0 or (depth == 1 and match[1] == b"else" and token.text == "$ifdef"):
                self.at = match.end()
                return
        raise token.place.error(f"{token.text} has no $endif")
