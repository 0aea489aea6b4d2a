"""PTX text to tokens. PTX ISA 9.0, chapter 4."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import PtxError


class Token(NamedTuple):
    """`kind` is name, directive, number, string or mark; `line` counts from 1."""

    kind: str
    text: str
    line: int


_TOKEN = re.compile(
    r"""\s+ | //.*
    | (?P<number>-?(?: 0[fF][0-9a-fA-F]{8} | 0[dD][0-9a-fA-F]{16} | 0[xX][0-9a-fA-F]+U?
                     | \d+\.\d+ | \d+U? ))
    | (?P<directive>\.\w+(?:::\w+)*)
    | (?P<name>%\w[\w$]*(?:\.[xyzw]\b)? | [A-Za-z_$][\w$]*)
    | (?P<string>"[^"]*")
    | (?P<mark>[][(){}<>,;:|@!+=])
    """,
    re.VERBOSE,
)
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def tokenize(text: str, name: str) -> list[Token]:
    """All tokens, comments and white space left out. `name` is the file that errors speak of."""
    text = _BLOCK_COMMENT.sub(lambda comment: "\n" * comment.group().count("\n"), text)
    return [
        token
        for number, line in enumerate(text.splitlines(), 1)
        for token in _of(line, number, name)
    ]


def _of(line: str, number: int, name: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            raise PtxError(f"{name}:{number}: not PTX: {line[position : position + 20]!r}")
        if match.lastgroup:
            tokens.append(Token(match.lastgroup, match.group(), number))
        position = match.end()
    return tokens


class Tokens:
    """A cursor over tokens."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._tokens = tokenize(text, name)
        self._next = 0
        last = self._tokens[-1].line if self._tokens else 1
        self._end = Token("end", "the end of the file", last)

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one beyond it."""
        place = self._next + ahead
        return self._tokens[place] if place < len(self._tokens) else self._end

    def take(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self._next += 1
        return token

    def accept(self, text: str) -> bool:
        """Consume the next token if it is this one."""
        found = self.peek().text == text
        self._next += found
        return found

    def expect(self, text: str) -> Token:
        """Consume the next token, which must be this one."""
        if self.peek().text != text:
            raise self.error(f"expected '{text}'")
        return self.take()

    def expect_kind(self, kind: str) -> str:
        """The text of the next token, which must be of this kind."""
        if self.peek().kind != kind:
            raise self.error(f"expected a {kind}")
        return self.take().text

    def skip_to(self, text: str) -> None:
        """Consume tokens up to this one, and it."""
        while (token := self.take()).text != text:
            if token.kind == "end":
                raise self.error(f"expected '{text}'")

    def skip_line(self) -> None:
        """Consume what is left of the line of the next token."""
        line = self.peek().line
        while self.peek().line == line and self.peek().kind != "end":
            self.take()

    def integer(self) -> int:
        """The value of the next token, which must be an integer."""
        text = self.expect_kind("number")
        try:
            return int(text.rstrip("U"), 0)
        except ValueError:
            raise self.error(f"expected an integer instead of {text}") from None

    def error(self, problem: str) -> PtxError:
        """An error at the next token."""
        found = self.peek()
        return PtxError(f"{self.name}:{found.line}: {problem}, found '{found.text}'")
