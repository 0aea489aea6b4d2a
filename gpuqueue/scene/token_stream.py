"""Tokens, one ahead of the parser: questions, expectations, and values with their ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gpuqueue.errors import SceneError
from gpuqueue.scene.lexer import Kind, Lexer, Token
from gpuqueue.scene.source import Library, Place, Source, decode

MAX_NESTING = 64


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: a list of keywords that is easy to read."""
    return tuple(text.split())


class TokenStream:
    """The tokens of a scene and everything that it includes, for the statements to read."""

    def __init__(self, library: Library, source: Source, warn: Callable[[str, Place], None]):
        self.watch = library.watch
        self._lexer = Lexer(library, source, warn)
        self._next: Token | None = None
        self._depth = 0

    def peek(self) -> Token:
        """Return the next token and leave it there."""
        if self._next is None:
            self._next = self._lexer.scan()
        return self._next

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.peek()
        self._next = None
        return token

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
