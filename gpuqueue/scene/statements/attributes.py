"""``attribute`` and ``data`` lines, which may stand in any entity."""

from __future__ import annotations

from gpuqueue.scene.entities import Atom
from gpuqueue.scene.tokens import Kind, Tokens, words

_FLAGS = words(
    "hide visible trace select hull shadowmap motion shadow caustic globillum finalgather hardware"
    " transparency reflection refraction tag face"
)
#: Words that may stand among the values of a flag.
FLAG_WORDS = ("front", "back", "both")


def parse_attribute(tokens: Tokens) -> tuple[str, tuple[Atom, ...]]:
    """attribute = "attribute" ["override"] ( {"const" | "global"} type STR ["="] values | flag ).

    Any type word is accepted. Returns the name and the values; the name of a flag is its word.
    """
    tokens.expect_word("attribute")
    while tokens.accept_word("override", "const", "global"):
        pass
    if flag := tokens.accept_word(*_FLAGS):
        return flag, _values(tokens, extra=FLAG_WORDS)
    while tokens.peek().kind is Kind.SYMBOL:
        tokens.take()
    if tokens.at_mark("["):
        tokens.skip_balanced("[", "]")
    name = tokens.string("the attribute's name in quotes")
    tokens.accept_mark("=")
    if tokens.at_mark("["):
        tokens.skip_balanced("[", "]")
        return name, ()
    if tokens.at_string():
        return name, (tokens.string(),)
    return name, _values(tokens)


def _values(tokens: Tokens, extra: tuple[str, ...] = ()) -> tuple[Atom, ...]:
    values: list[Atom] = []
    while True:
        if tokens.at_integer():
            values.append(tokens.integer())
        elif tokens.at_number():
            values.append(tokens.number())
        elif tokens.at_boolean():
            values.append(tokens.boolean())
        elif word := tokens.accept_word(*extra):
            values.append(word)
        else:
            return tuple(values)


def skip_data(tokens: Tokens) -> None:
    """data = "data" ( "null" | name ): attaches a data block, which we have no use for."""
    tokens.expect_word("data")
    if not tokens.accept_word("null"):
        tokens.name("the name of a data block")
