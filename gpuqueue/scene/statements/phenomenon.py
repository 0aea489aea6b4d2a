"""``declare phenomenon``: a graph of shaders behind the parameters of one."""

from __future__ import annotations

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Declaration, Light, Material, Phenomenon, ShaderList
from gpuqueue.scene.statements.declaration import (
    parse_parameters,
    skip_requirement,
    skip_return_type,
)
from gpuqueue.scene.statements.graph import parse_instance
from gpuqueue.scene.statements.light import parse_light
from gpuqueue.scene.statements.shading import (
    parse_material,
    parse_named_shader,
    parse_shader,
    parse_shader_list,
)
from gpuqueue.scene.tokens import Tokens

#: What a phenomenon may hold besides its root, each with shaders of its own.
SLOTS = ("lens", "volume", "environment", "geometry")
_ENTITIES = {
    "shader": parse_named_shader,
    "material": parse_material,
    "light": parse_light,
    "instance": parse_instance,
}


def parse_phenomenon(tokens: Tokens, document: Document) -> None:
    """phenomenon = "phenomenon" [type] name "(" params ")" { shader | material | light | instance
    | root | slot shader-list | output | contour | requirement } "end" "declare"."""
    tokens.expect_word("phenomenon")
    skip_return_type(tokens)
    at = tokens.peek().place
    name = tokens.name("the name of the phenomenon")
    types, defaults = parse_parameters(tokens)
    outer, document.entities = document.entities, {}
    root: ShaderList = ()
    slots: dict[str, ShaderList] = {}
    try:
        while not tokens.accept_word("end"):
            if word := tokens.accept_word(*_ENTITIES):
                _ENTITIES[word](tokens, document)
            elif tokens.accept_word("root"):
                root = _parse_root(tokens, document)
            elif word := tokens.accept_word(*SLOTS):
                _parse_slot(tokens, document, word, slots)
            elif not _skip_effect(tokens, document):
                skip_requirement(tokens)
        tokens.expect_word("declare")
        inner = document.entities
    finally:
        document.entities = outer
    declaration = Declaration(name, types, defaults)
    document.phenomena[name] = Phenomenon(declaration, at, inner, root, slots)


def _parse_root(tokens: Tokens, document: Document) -> ShaderList:
    """root = "root" ( "material" name | "light" name | shader-list )."""
    word = tokens.accept_word("material", "light")
    if not word:
        return parse_shader_list(tokens, document)
    at = tokens.peek().place
    name = tokens.name(f"the name of a {word} of the phenomenon")
    if word == "material":
        return document.find(Material, name, at, word).shaders
    return document.find(Light, name, at, word).shaders


def _parse_slot(
    tokens: Tokens, document: Document, word: str, slots: dict[str, ShaderList]
) -> None:
    """slot = word ( shader-list | "priority" INT | "level" INT )."""
    if tokens.accept_word("priority", "level"):
        tokens.integer()
    else:
        slots[word] = slots.get(word, ()) + parse_shader_list(tokens, document)


def _skip_effect(tokens: Tokens, document: Document) -> bool:
    """output = "output" ( "priority" INT | [STR] shader ); contour = "contour" word shader."""
    at = tokens.peek().place
    if tokens.accept_word("contour"):
        tokens.expect_word("store", "contrast")
        parse_shader(tokens, document)
    elif tokens.accept_word("output"):
        if tokens.accept_word("priority"):
            tokens.integer()
            return True
        kind = tokens.string() if tokens.at_string() else ""
        if kind and tokens.at_mark("("):
            tokens.skip_balanced("(", ")")
        else:
            parse_shader(tokens, document)
    else:
        return False
    document.warnings("output and contour shaders of phenomena are not run", at)
    return True
