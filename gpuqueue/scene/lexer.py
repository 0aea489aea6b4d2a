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

MAX_STRING = 1 << 20
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
    r"""
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
_REST_OF_LINE = re.compile(r"[^\n]*")
_KINDS = {kind.name: kind for kind in Kind}
#: Kinds that need more than being handed on.
_SPECIAL = frozenset({Kind.STRING, Kind.HEX, Kind.DIRECTIVE, Kind.END, Kind.BAD})
_END_OF_CODE = re.compile(r"^\$end[ \t]+code\b", re.MULTILINE)
_LINE_DIRECTIVE = re.compile(r"^[ \t]*\$(\w+)", re.MULTILINE)
_INCLUDE = re.compile(r'[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)')
#: Declaration files that come with renderers; ours are built in (declarations.py).
_VENDOR = re.compile(
    r"(base|physics|contour|paint|subsurface|architectural|production|mayabase|mayahair"
    r"|adskshadersdk|useribl|rayscope|abcimport|xgen|mi_openvdb_wrapper|.*phen|mila.*)\.mi"
)


class Lexer:
    """The tokens of a scene and everything that it includes, one after the other.

    `at` is where the next token is looked for in `source`; who reads text on its own moves it.
    """

    def __init__(self, library: Library, source: Source, warn: Callable[[str, Place], None]):
        self.source = source
        self.at = 0
        self._library = library
        self._warn = warn
        self._outer: list[tuple[Source, int]] = []

    def scan(self) -> Token:
        """Return the next token and go past it. Raises SceneError."""
        while True:
            match = _TOKEN.match(self.source.text, self.at)
            if match is None or match.lastgroup is None:
                raise AssertionError("BAD takes any character")
            group = match.lastgroup
            kind = _KINDS[group]
            token = Token(kind, match[group], self.source, match.start(group))
            self.at = match.end()
            if kind not in _SPECIAL:
                return token
            if kind is Kind.END and self._outer:
                self.source, self.at = self._outer.pop()
            elif kind is Kind.DIRECTIVE:
                self._directive(token)
            else:
                return self._finished(token)

    def _finished(self, token: Token) -> Token:
        """A token that starts at its quote, with its escapes undone; or the error that it is."""
        if token.kind is Kind.END:
            return token
        if token.kind is Kind.BAD:
            self._refuse(token)
        token = token._replace(start=token.start - 1)
        if len(token.text) > MAX_STRING:
            raise token.place.error(f"a string of more than {MAX_STRING} bytes")
        return token._replace(text=token.text.replace('\\"', '"')) if "\\" in token.text else token

    def _refuse(self, token: Token) -> NoReturn:
        if token.text == '"':
            raise token.place.error("this string has no closing quote")
        if token.text in "+-.0123456789":
            raise token.place.error("this is not a number")
        character = decode(self.source.text[token.start : token.start + 4])[0]
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
        match = _REST_OF_LINE.match(self.source.text, self.at)
        return match.end() if match else self.at

    def _include(self, token: Token) -> None:
        match = _INCLUDE.match(self.source.text, self.at)
        if not match:
            raise token.place.error('expected "file" or <file> after $include')
        self.at = match.end()
        name = decode(match[1] if match[1] is not None else match[2])
        if name.endswith(".mdl"):
            self._warn(f"MDL modules are not read: '{name}'", token.place)
            return
        try:
            path = self._library.locate(name, (self.source.path.parent, self._library.root))
        except SceneError as error:
            raise token.place.error(str(error)) from None
        if path is None:
            self._not_included(token, name, optional=match[1] is None)
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
        self.source, self.at = replace(source, included_at=token.place), 0

    def _skip_code(self, token: Token) -> None:
        end = _END_OF_CODE.search(self.source.text, self.at)
        if not end:
            raise token.place.error("$code has no '$end code'")
        self.at = end.end()
        self._warn("$code is never compiled", token.place)

    def _skip_branch(self, token: Token) -> None:
        depth = 1
        for match in _LINE_DIRECTIVE.finditer(self.source.text, self.at):
            depth += {"ifdef": 1, "ifndef": 1, "endif": -1}.get(match[1], 0)
            if depth == 0 or (depth == 1 and match[1] == "else" and token.text == "$ifdef"):
                self.at = match.end()
                return
        raise token.place.error(f"{token.text} has no $endif")
