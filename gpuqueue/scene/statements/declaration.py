"""The parts that declarations of shaders and phenomena share."""

from __future__ import annotations

from gpuqueue.scene.entities import Atom
from gpuqueue.scene.statements.shading import parse_atoms
from gpuqueue.scene.tokens import Kind, Tokens

MAX_PARAMETERS = 10_000
Types = dict[str, str]
Defaults = dict[str, tuple[Atom, ...]]


def skip_return_type(tokens: Tokens) -> None:
    """type | "shader" | "struct" "{" type name { "," type name } "}"; nothing means color."""
    if tokens.accept_word("struct"):
        tokens.skip_balanced("{", "}")
    else:
        while tokens.peek().kind is Kind.SYMBOL:
            tokens.take()


def parse_parameters(tokens: Tokens) -> tuple[Types, Defaults]:
    """parameters = "(" { ["array"] type name ["default" values] [","] } ")"."""
    types: Types = {}
    defaults: Defaults = {}
    tokens.expect_mark("(")
    _parse_until(tokens, ")", types, defaults)
    return types, defaults


def _parse_until(tokens: Tokens, closing: str, types: Types, defaults: Defaults) -> None:
    with tokens.nested():
        while not tokens.accept_mark(closing):
            if len(types) >= MAX_PARAMETERS:
                raise tokens.fail(f"more than {MAX_PARAMETERS} parameters")
            kind = _parse_type(tokens)
            name = tokens.name("a parameter's name")
            types[name] = kind
            if tokens.at_mark("{"):
                tokens.take()
                _parse_until(tokens, "}", {}, {})
            if tokens.accept_word("default"):
                defaults[name] = parse_atoms(tokens)
            if not tokens.at_mark(closing) and not tokens.accept_mark(","):
                raise tokens.expected(f"',' or '{closing}'")


def _parse_type(tokens: Tokens) -> str:
    """A type is one or more words, such as "array light" or "color texture"."""
    words = []
    while tokens.peek().kind is Kind.SYMBOL:
        words.append(tokens.take().text)
        if words[-1] == "struct":
            break
    if not words:
        raise tokens.expected("a parameter's type")
    return " ".join(words)


def skip_requirement(tokens: Tokens) -> None:
    """One of version, apply, gui and the like; or one of its words."""
    if tokens.at_end():
        raise tokens.expected("'end declare'")
    if tokens.accept_word("apply"):
        tokens.name()
        while tokens.accept_mark(","):
            tokens.name()
    elif tokens.at_mark("{"):
        tokens.skip_balanced("{", "}")
    elif tokens.at_mark("("):
        tokens.skip_balanced("(", ")")
    else:
        tokens.take()
