"""Scene text to tokens, one ahead of the parser; includes and other ``$`` directives are followed.

Long runs of numbers, which make up nearly all of a scene's bytes, are read at once by
`Tokens.numbers` and `Tokens.number_run` and never become tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from gpuqueue.errors import SceneError
from gpuqueue.scene.source import Library, Place, Source, decode

MAX_STRING = 1 << 20
MAX_INCLUDE_DEPTH = 11
MAX_NESTING = 64
#: Shorter lists are as quick token by token.
BULK = 32


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


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: a list of keywords that is easy to read."""
    return tuple(text.split())


def _is_wordy(character: str) -> bool:
    return character.isalnum() or character == "_"


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
_NOT_NUMERIC = re.compile(r"[^0-9+\-.eE\s]", re.ASCII)
_INDICES = re.compile(r"(?:\s*+[+-]?\d++(?![\w.]))*+", re.ASCII)
_REST_OF_LINE = re.compile(r"[^\n]*")
_KINDS = {kind.name: kind for kind in Kind}
_INCLUDE = re.compile(r'[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)')
#: Declaration files that come with renderers; ours are built in (declarations.py).
_VENDOR = re.compile(
    r"(base|physics|contour|paint|subsurface|architectural|production|mayabase|mayahair"
    r"|adskshadersdk|useribl|rayscope|abcimport|xgen|mi_openvdb_wrapper|.*phen|mila.*)\.mi"
)


class Tokens:
    """The tokens of a scene and everything that it includes."""

    def __init__(self, library: Library, source: Source, warn: Callable[[str, Place], None]):
        self.library = library
        self.warn = warn
        self._run_end = 0
        self._source = source
        self._at = 0
        self._outer: list[tuple[Source, int]] = []
        self._next: Token | None = None
        self._depth = 0

    # Reading

    def peek(self) -> Token:
        """Return the next token and leave it there."""
        if self._next is None:
            self._next = self._scan()
        return self._next

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.peek()
        self._next = None
        return token

    def _scan(self) -> Token:
        while True:
            match = _TOKEN.match(self._source.text, self._at)
            if match is None or match.lastgroup is None:
                raise AssertionError("BAD takes any character")
            kind = _KINDS[match.lastgroup]
            start = match.start(kind.name) - (kind in (Kind.STRING, Kind.HEX))
            token = Token(kind, match[kind.name], self._source, start)
            self._at = match.end()
            if kind is Kind.STRING:
                return self._string(token)
            if kind is Kind.DIRECTIVE:
                self._directive(token)
            elif kind is Kind.BAD:
                self._refuse(token)
            elif kind is Kind.END and self._outer:
                self._source, self._at = self._outer.pop()
            else:
                return token

    def _string(self, token: Token) -> Token:
        if len(token.text) > MAX_STRING:
            raise token.place.error(f"a string of more than {MAX_STRING} bytes")
        return token._replace(text=token.text.replace('\\"', '"')) if "\\" in token.text else token

    def _refuse(self, token: Token) -> NoReturn:
        if token.text == '"':
            raise token.place.error("this string has no closing quote")
        if token.text in "+-.0123456789":
            raise token.place.error("this is not a number")
        raise token.place.error(f"unexpected character {decode(token.text)!r}")

    # Directives

    def _directive(self, token: Token) -> None:
        handler = {"$include": self._include, "$code": self._skip_code}.get(token.text)
        if handler:
            handler(token)
        elif token.text in ("$ifdef", "$else"):  # nothing is defined
            self._skip_branch(token)
        elif token.text == "$lookup":
            self._at = self._end_of_line()
            self.warn("$lookup is not supported; the registry is empty", token.place)
        elif token.text not in ("$ifndef", "$endif"):
            raise token.place.error(
                f"unknown directive '{token.text}'; expected $include, $ifdef, $ifndef or $code"
            )

    def _end_of_line(self) -> int:
        match = _REST_OF_LINE.match(self._source.text, self._at)
        return match.end() if match else self._at

    def _include(self, token: Token) -> None:
        match = _INCLUDE.match(self._source.text, self._at)
        if not match:
            raise token.place.error('expected "file" or <file> after $include')
        self._at = match.end()
        name = decode(match[1] if match[1] is not None else match[2])
        try:
            path = self.library.locate(name, (self._source.path.parent, self.library.root))
        except SceneError as error:
            raise token.place.error(str(error)) from None
        if path is None or name.endswith(".mdl"):
            self._not_included(token, name, optional=match[1] is None)
        else:
            self._enter(token, path)

    def _not_included(self, token: Token, name: str, *, optional: bool) -> None:
        if name.endswith(".mdl"):
            self.warn(f"MDL modules are not read: '{name}'", token.place)
        elif optional or _VENDOR.fullmatch(Path(name).name.lower()):
            self.warn(
                f"included file '{name}' is not there; built-in declarations are used", token.place
            )
        else:
            raise token.place.error(f"included file '{name}' does not exist")

    def _enter(self, token: Token, path: Path) -> None:
        if path in {self._source.path, *(source.path for source, _ in self._outer)}:
            raise token.place.error(f"'{path.name}' includes itself")
        if len(self._outer) >= MAX_INCLUDE_DEPTH:
            raise token.place.error(f"includes are nested more than {MAX_INCLUDE_DEPTH} deep")
        try:
            source = self.library.open(path)
        except SceneError as error:
            raise token.place.error(str(error)) from None
        self._outer.append((self._source, self._at))
        self._source, self._at = source, 0

    def _skip_code(self, token: Token) -> None:
        end = re.compile(r"^\$end[ \t]+code\b", re.MULTILINE).search(self._source.text, self._at)
        if not end:
            raise token.place.error("$code has no '$end code'")
        self._at = end.end()
        self.warn("$code is never compiled", token.place)

    def _skip_branch(self, token: Token) -> None:
        depth = 1
        for match in re.finditer(r"^[ \t]*\$(\w+)", self._source.text[self._at :], re.MULTILINE):
            depth += {"ifdef": 1, "ifndef": 1, "endif": -1}.get(match[1], 0)
            if depth == 0 or (depth == 1 and match[1] == "else" and token.text == "$ifdef"):
                self._at += match.end()
                return
        raise token.place.error(f"{token.text} has no $endif")

    # Questions and expectations

    def fail(self, message: str, token: Token | None = None) -> SceneError:
        """Return the error to raise at a token, by default the next."""
        return (token or self.peek()).place.error(message)

    def expected(self, what: str) -> SceneError:
        """Return the error that says what should stand here, and what does."""
        return self.fail(f"expected {what}, found {self.peek()}")

    def at_word(self, *words: str) -> bool:
        """Whether one of these keywords comes next."""
        token = self.peek()
        return token.kind is Kind.SYMBOL and token.text in words

    def at_mark(self, mark: str) -> bool:
        """Whether this mark comes next."""
        token = self.peek()
        return token.kind is Kind.MARK and token.text == mark

    def at_number(self) -> bool:
        """Whether an integer or float comes next."""
        return self.peek().kind in (Kind.INTEGER, Kind.FLOAT)

    def at_integer(self) -> bool:
        """Whether an integer comes next."""
        return self.peek().kind is Kind.INTEGER

    def at_string(self) -> bool:
        """Whether a quoted string comes next."""
        return self.peek().kind is Kind.STRING

    def at_boolean(self) -> bool:
        """Whether on, off, true or false comes next."""
        return self.at_word("on", "off", "true", "false")

    def at_end(self) -> bool:
        """Whether nothing comes any more."""
        return self.peek().kind is Kind.END

    def accept_word(self, *words: str) -> str | None:
        """Go past one of these keywords and return it, if one comes next."""
        return self.take().text if self.at_word(*words) else None

    def accept_mark(self, mark: str) -> bool:
        """Go past this mark if it comes next."""
        return self.at_mark(mark) and bool(self.take())

    def expect_word(self, *words: str) -> str:
        """Go past one of these keywords, or raise."""
        if not self.at_word(*words):
            raise self.expected(" or ".join(f"'{word}'" for word in words))
        return self.take().text

    def expect_mark(self, mark: str) -> Token:
        """Go past this mark, or raise."""
        if not self.at_mark(mark):
            raise self.expected(f"'{mark}'")
        return self.take()

    def expect_end(self, *words: str) -> None:
        """Go past ``end`` and the words after it."""
        for word in ("end", *words):
            self.expect_word(word)

    # Values

    def name(self, what: str = "a name") -> str:
        """Return a name, quoted or not."""
        if self.peek().kind not in (Kind.STRING, Kind.SYMBOL):
            raise self.expected(what)
        return decode(self.take().text)

    def string(self, what: str = "a string in quotes") -> str:
        """Return a quoted string."""
        if not self.at_string():
            raise self.expected(what)
        return decode(self.take().text)

    def boolean(self, what: str = "on or off") -> bool:
        """Return a truth: on, off, true, false, or the integers 0 and 1."""
        token = self.peek()
        if not self.at_boolean() and not (token.kind is Kind.INTEGER and token.text in "01"):
            raise self.expected(what)
        return self.take().text in ("on", "true", "1")

    def integer(
        self, what: str = "an integer", low: int = -(1 << 31), high: int = (1 << 31) - 1
    ) -> int:
        """Return an integer from `low` to `high`."""
        token = self.peek()
        if token.kind is not Kind.INTEGER:
            raise self.expected(what)
        value = int(token.text) if len(token.text) < 20 else high + 1
        if not low <= value <= high:
            raise self.fail(f"{token.text[:24]} is out of range: {what} is from {low} to {high}")
        return int(self.take().text)

    def number(self, what: str = "a number") -> float:
        """Return an integer or float as a float; it must be finite."""
        token = self.peek()
        if not self.at_number():
            raise self.expected(what)
        value = float(token.text.lower().replace("d", "e"))
        if abs(value) == float("inf"):
            raise self.fail("this number is too large")
        self._next = None
        return value

    def numbers(self, count: int, what: str = "a number") -> NDArray[np.float64]:
        """Return exactly `count` numbers."""
        values = self._bulk(count, float) if count >= BULK else None
        if values is not None and np.isfinite(values).all():
            self._at = self._run_end
            return values
        return np.array([self.number(what) for _ in range(count)], np.float64)

    def integers(self, count: int, what: str = "an integer") -> NDArray[np.int64]:
        """Return exactly `count` integers."""
        values = self._bulk(count, int) if count >= BULK else None
        if values is not None and abs(values).max() < 1 << 31:
            self._at = self._run_end
            return values.astype(np.int64)
        return np.array([self.integer(what) for _ in range(count)], np.int64)

    def number_run(self) -> NDArray[np.float64]:
        """Return all numbers up to the next token that is none."""
        values = self._bulk(None, float)
        if values is not None and np.isfinite(values).all():
            self._at = self._run_end
            return np.concatenate([values, self._slow_run()])
        return self._slow_run()

    def index_run(self, what: str) -> NDArray[np.int64]:
        """Return all integers up to the next token that is none; there must be one."""
        if not self.at_integer():
            raise self.expected(what)
        first = self.peek()
        end = _INDICES.match(self._source.text, first.start).end()  # type: ignore[union-attr]
        words = self._source.text[first.start : end].split()
        if max(map(len, words)) < 19:
            self._next, self._at = None, end
            return np.array(list(map(int, words)), np.int64)
        raise self.fail("an index is out of range")

    def _slow_run(self) -> NDArray[np.float64]:
        values = []
        while self.at_number():
            values.append(self.number())
        return np.array(values, np.float64)

    def _bulk(
        self, count: int | None, convert: Callable[[str], float]
    ) -> NDArray[np.float64] | None:
        """Numbers from here on; None if there are not `count`, or one is unusual.

        `_run_end` is then where they end; the caller goes there.
        """
        if self._next is not None:
            self._at, self._next = self._next.start, None
        words = []
        for start, end in self._numeric_pieces():
            words += self._source.text[start:end].split()
            self._run_end = end
        try:
            values = np.array(list(map(convert, words)), np.float64)
        except (ValueError, OverflowError):
            return None
        return values if count in (None, len(words)) else None

    def _numeric_pieces(self) -> Iterator[tuple[int, int]]:
        """Stretches of numbers and spaces between comments."""
        text, at = self._source.text, self._at
        while True:
            match = _NOT_NUMERIC.search(text, at)
            end = match.start() if match else len(text)
            comment = match is not None and match[0] == "#"
            # "12 end": the e belongs to the word
            while (
                match
                and not comment
                and end > at
                and text[end - 1] in "eE+-."
                and _is_wordy(match[0])
            ):
                end -= 1
            yield at, end
            if not comment:
                return
            newline = text.find("\n", end)
            at = len(text) if newline < 0 else newline

    def binary(self, count: int) -> bytes:
        """Return `count` bytes between back quotes."""
        token = self.peek()
        if token.kind is not Kind.BINARY:
            raise self.expected("binary data between back quotes")
        start = token.start + 1
        data = self._source.text[start : start + count]
        if self._source.text[start + count : start + count + 1] != "`":
            raise self.fail(f"this binary data is not {count} bytes long")
        self._next, self._at = None, start + count + 1
        return data.encode("latin-1")

    def binary_ends_after(self, count: int) -> bool:
        """Whether binary data comes next, and a back quote ends it after `count` bytes."""
        token = self.peek()
        end = token.start + 1 + count
        return token.kind is Kind.BINARY and self._source.text[end : end + 1] == "`"

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count one level of nesting; too many are an error, not a crash."""
        if self._depth >= MAX_NESTING:
            raise self.fail(f"nested more than {MAX_NESTING} deep")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def skip_balanced(self, opening: str, closing: str) -> None:
        """Go past a bracket, everything in it, and its partner."""
        first = self.expect_mark(opening)
        depth = 1
        while depth:
            if self.at_end():
                raise self.fail(f"this '{opening}' is never closed", first)
            depth += self.at_mark(opening) - self.at_mark(closing)
            self.take()
