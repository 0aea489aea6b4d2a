"""Shader calls and their arguments, named shaders, materials and textures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import (
    Atom,
    Connection,
    Material,
    NamedShader,
    ShaderCall,
    ShaderList,
    ShaderName,
    Value,
)
from gpuqueue.scene.statements.attributes import parse_attribute
from gpuqueue.scene.tokens import Kind, Tokens

MATERIAL_SLOTS = (
    "displace",
    "shadow",
    "volume",
    "environment",
    "contour",
    "photon",
    "photonvol",
    "lightmap",
    "hardware",
    "bsdf",
)


def parse_shader_list(tokens: Tokens, document: Document) -> ShaderList:
    """shader-list = { STR "(" [args] ")" | "=" name | "=" ["incremental"] "shader" name shader }.

    In a list, shaders run in order on one result.
    """
    shaders: list[ShaderCall | ShaderName] = []
    while tokens.at_string() or tokens.at_mark("="):
        shaders.append(parse_shader(tokens, document))
    return tuple(shaders)


def parse_shader(tokens: Tokens, document: Document) -> ShaderCall | ShaderName:
    """One shader of a shader-list."""
    at = tokens.peek().place
    if not tokens.accept_mark("="):
        type_name = tokens.string("a shader")
        return ShaderCall(type_name, parse_arguments(tokens, "(", ")"), at)
    tokens.accept_word("incremental")
    if tokens.accept_word("shader"):
        name = tokens.name("the shader's name")
        with tokens.nested():
            document.define(NamedShader(name, at, (parse_shader(tokens, document),)))
        return ShaderName(name, at)
    return ShaderName(tokens.name("the name of a shader"), at)


def parse_arguments(tokens: Tokens, opening: str, closing: str) -> Mapping[str, Value]:
    """args = opening [ name ["colorprofile" name] value {"," ...} [","] ] closing."""
    tokens.expect_mark(opening)
    arguments: dict[str, Value] = {}
    with tokens.nested():
        while not tokens.accept_mark(closing):
            name = tokens.name(f"a parameter name or '{closing}'")
            if tokens.accept_word("colorprofile"):
                tokens.name()
            arguments[name] = parse_value(tokens)
            if not tokens.at_mark(closing):
                _expect_comma(tokens, closing)
    return arguments


def _expect_comma(tokens: Tokens, closing: str) -> None:
    if not tokens.accept_mark(","):
        raise tokens.expected(f"',' or '{closing}'")


def parse_value(tokens: Tokens) -> Value:
    """value = "=" ["interface"] name | "{" args "}" | "[" values "]" | atom { atom }."""
    if tokens.accept_mark("="):
        interface = tokens.accept_word("interface") is not None
        return Connection(tokens.name("the name of a shader"), interface)
    if tokens.at_mark("{"):
        return parse_arguments(tokens, "{", "}")
    if tokens.at_mark("["):
        return _parse_array(tokens)
    atoms = parse_atoms(tokens)
    if not atoms:
        raise tokens.expected("a value")
    return atoms


def _parse_array(tokens: Tokens) -> list[Value]:
    tokens.expect_mark("[")
    values: list[Value] = []
    with tokens.nested():
        while not tokens.accept_mark("]"):
            values.append(parse_value(tokens))
            if not tokens.at_mark("]"):
                _expect_comma(tokens, "]")
    return values


def parse_atoms(tokens: Tokens) -> tuple[Atom, ...]:
    """Numbers, truths and names side by side: a scalar, a colour, a transform, a reference."""
    atoms: list[Atom] = []
    while (token := tokens.peek()).kind in (Kind.INTEGER, Kind.FLOAT, Kind.STRING, Kind.SYMBOL):
        if token.kind is Kind.INTEGER:
            atoms.append(tokens.integer(low=-(1 << 53), high=1 << 53))
        elif token.kind is Kind.FLOAT:
            atoms.append(tokens.number())
        elif tokens.at_boolean():
            atoms.append(tokens.boolean())
        else:
            atoms.append(None if tokens.accept_word("null") else tokens.name())
    return tuple(atoms)


def parse_named_shader(tokens: Tokens, document: Document) -> None:
    """shader = "shader" name shader-list."""
    at = tokens.peek().place
    name = tokens.name("the shader's name")
    shaders = parse_shader_list(tokens, document)
    if not shaders:
        raise tokens.expected("a shader")
    document.define(NamedShader(name, at, shaders))


def parse_material(tokens: Tokens, document: Document) -> None:
    """material = "material" name {"opaque" | "nocontour" | attribute} [shader-list]
    { slot [shader-list] } "end" "material"."""
    at = tokens.peek().place
    material = document.base(Material, tokens.name("the material's name"), at)
    slots = dict(material.slots)
    shaders = material.shaders
    while not tokens.at_word("end"):
        if tokens.accept_word("opaque", "nocontour"):
            continue
        if tokens.at_word("attribute"):
            parse_attribute(tokens)
        elif slot := tokens.accept_word(*MATERIAL_SLOTS):
            slots[slot] = parse_shader_list(tokens, document)
        elif found := parse_shader_list(tokens, document):
            shaders = found
        else:
            raise tokens.expected("a shader, 'shadow', 'photon' or another slot, or 'end material'")
    tokens.expect_end("material")
    document.define(replace(material, shaders=shaders, slots=slots, at=at))
