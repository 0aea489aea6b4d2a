"""``declare``: parameter types of shaders, and phenomena. Data declarations are skipped."""

from __future__ import annotations

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Declaration
from gpuqueue.scene.statements.declaration import (
    parse_parameters,
    skip_requirement,
    skip_return_type,
)
from gpuqueue.scene.statements.phenomenon import parse_phenomenon
from gpuqueue.scene.statements.skip import skip_block
from gpuqueue.scene.tokens import Tokens


def parse_declare(tokens: Tokens, document: Document) -> None:
    """declare = "declare" ( ["shader"] shader-declaration | phenomenon | "data" ... )."""
    if tokens.at_word("phenomenon"):
        parse_phenomenon(tokens, document)
        return
    if tokens.at_word("data"):
        skip_block(tokens, "declare")
        return
    has_body = tokens.accept_word("shader") is not None
    skip_return_type(tokens)
    name = tokens.name("the name of the declared shader")
    types, defaults = parse_parameters(tokens)
    if has_body:
        while not tokens.accept_word("end"):
            skip_requirement(tokens)
        tokens.expect_word("declare")
    document.declarations[name] = Declaration(name, types, defaults)
