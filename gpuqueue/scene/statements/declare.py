"""``declare``: parameter types of shaders. Phenomena and data declarations are skipped."""

from __future__ import annotations

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Atom, Declaration
from gpuqueue.scene.statements.shading import parse_atoms
from gpuqueue.scene.statements.surfaces import skip_block
from gpuqueue.scene.tokens import Kind, Tokens

MAX_PARAMETERS = 10_000


def parse_declare(tokens: Tokens, document: Document) -> None:
    """declare = "declare" ( ["shader"] shader-declaration | "phenomenon" ... | "data" ... )."""
    if tokens.at_word("phenomenon", "data"):
        skip_block(tokens, "declare")
        return
    has_body = tokens.accept_word("shader") is not None
    _skip_return_type(tokens)
    name = tokens.name("the name of the declared shader")
    types: dict[str, str] = {}
    defaults: dict[str, tuple[Atom, ...]] = {}
    tokens.expect_mark("(")
    _parse_parameters(tokens, ")", types, defaults)
    if has_body:
        _skip_requirements(tokens)
    document.declarations[name] = Declaration(name, types, defaults)


def _skip_return_type(tokens: Tokens) -> None:
    """type | "shader" | "struct" "{" type name { "," type name } "}"; nothing means color."""
    if tokens.accept_word("struct"):
        tokens.skip_balanced("{", "}")
    else:
        while tokens.peek().kind is Kind.SYMBOL:
            tokens.take()


def _parse_parameters(
    tokens: Tokens, closing: str, types: dict[str, str], defaults: dict[str, tuple[Atom, ...]]
) -> None:
    """parameters = { ["array"] type name ["default" values] [","] } closing."""
    with tokens.nested():
        while not tokens.accept_mark(closing):
            if len(types) >= MAX_PARAMETERS:
                raise tokens.fail(f"more than {MAX_PARAMETERS} parameters")
            kind = _parse_type(tokens)
            name = tokens.name("a parameter's name")
            types[name] = kind
            if tokens.at_mark("{"):
                tokens.take()
                _parse_parameters(tokens, "}", {}, {})
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


def _skip_requirements(tokens: Tokens) -> None:
    """version, apply, gui and the like, up to "end declare"."""
    while not tokens.accept_word("end"):
        if tokens.at_end():
            raise tokens.expected("'end declare'")
        if tokens.at_mark("{"):
            tokens.skip_balanced("{", "}")
        elif tokens.at_mark("("):
            tokens.skip_balanced("(", ")")
        else:
            tokens.take()
    tokens.expect_word("declare")
