"""``light``: shader, place, direction and the shape of an area light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Area, Light, Vector
from gpuqueue.scene.statements.attributes import parse_attribute, skip_data
from gpuqueue.scene.statements.mesh import check_coordinates
from gpuqueue.scene.statements.shading import parse_shader, parse_shader_list
from gpuqueue.scene.tokens import Kind, Tokens, words

_DETAILS = words(
    "photons only off on true false bias softness resolution samples filter file merge rebuild"
    " detail opengl accuracy view"
)


def parse_light(tokens: Tokens, document: Document) -> None:
    """light = "light" name { shader-list | item | attribute | data } "end" "light"."""
    at = tokens.peek().place
    light = document.base(Light, tokens.name("the light's name"), at)
    changes: dict[str, Any] = {"at": at}
    while not tokens.at_word("end"):
        if tokens.at_string() or tokens.at_mark("="):
            changes["shaders"] = parse_shader_list(tokens, document)
        elif tokens.at_word("attribute"):
            parse_attribute(tokens)
        elif tokens.at_word("data"):
            skip_data(tokens)
        elif word := tokens.accept_word(*_ITEMS):
            changes.update(_ITEMS[word](tokens, document))
        else:
            raise tokens.expected("a shader, a light item or 'end light'")
    tokens.expect_end("light")
    document.define(replace(light, **changes))


def parse_vector(tokens: Tokens) -> Vector:
    """Three numbers, or twelve bytes between back quotes, within the range of coordinates."""
    at = tokens.peek().place
    is_binary = tokens.peek().kind is Kind.BINARY
    values = tokens.binary_floats(3).astype(np.float64) if is_binary else tokens.numbers(3)
    check_coordinates(values, at)
    x, y, z = values.tolist()
    return x, y, z


def _vector(key: str) -> Callable[[Tokens, Document], dict[str, Any]]:
    return lambda tokens, _: {key: parse_vector(tokens)}


def _number(key: str) -> Callable[[Tokens, Document], dict[str, Any]]:
    return lambda tokens, _: {key: tokens.number()}


def _energy(tokens: Tokens, _: Document) -> dict[str, Any]:
    """energy = "energy" ( colour | "spectrum" name )."""
    if tokens.accept_word("spectrum"):
        tokens.name()
        return {}
    energy = parse_vector(tokens)
    if tokens.at_number():
        tokens.number()
    return {"energy": energy}


def _visible(tokens: Tokens, _: Document) -> dict[str, Any]:
    return {"visible": tokens.boolean() if tokens.at_boolean() else True}


def _emitter(tokens: Tokens, document: Document) -> dict[str, Any]:
    parse_shader(tokens, document)
    return {}


def _ignored(tokens: Tokens, _: Document) -> dict[str, Any]:
    """Photons, shadow maps, profiles and samples: words, numbers and truths."""
    while tokens.accept_word(*_DETAILS) or tokens.at_number():
        if tokens.at_number():
            tokens.number()
    return {}


def _named(tokens: Tokens, _: Document) -> dict[str, Any]:
    tokens.name()
    return {}


def _shadowmap(tokens: Tokens, document: Document) -> dict[str, Any]:
    if tokens.accept_word("file"):
        return _named(tokens, document)
    return _ignored(tokens, document)


def _area(
    shape: str, vector_count: int, *, radius: bool
) -> Callable[[Tokens, Document], dict[str, Any]]:
    """shape = word [ vectors [radius] [su [sv [level [lu lv]]]] ]; the word alone removes it."""

    def parse(tokens: Tokens, document: Document) -> dict[str, Any]:
        if not tokens.at_number() and tokens.peek().kind is not Kind.BINARY:
            return {"area": None}
        vectors = tuple(parse_vector(tokens) for _ in range(vector_count))
        size = tokens.number("a radius") if radius else 0.0
        _ignored(tokens, document)
        return {"area": Area(shape, vectors, size)}

    return parse


def _object_area(tokens: Tokens, document: Document) -> dict[str, Any]:
    """object = "object" [instance-name samples]."""
    if not tokens.at_string():
        return {"area": None}
    area = Area("object", instance=tokens.string())
    _ignored(tokens, document)
    return {"area": area}


def _user_area(tokens: Tokens, document: Document) -> dict[str, Any]:
    at = tokens.peek().place
    _ignored(tokens, document)
    document.warnings("'user' area lights have no shape here; the light is a point", at)
    return {}


_ITEMS: dict[str, Callable[[Tokens, Document], dict[str, Any]]] = {
    "origin": _vector("origin"),
    "direction": _vector("direction"),
    "spread": _number("spread"),
    "exponent": _number("exponent"),
    "energy": _energy,
    "emitter": _emitter,
    "rectangle": _area("rectangle", 2, radius=False),
    "disc": _area("disc", 1, radius=True),
    "sphere": _area("sphere", 0, radius=True),
    "cylinder": _area("cylinder", 1, radius=True),
    "object": _object_area,
    "user": _user_area,
    "visible": _visible,
    "lightprofile": _named,
    "caustic": _ignored,
    "globillum": _ignored,
    "photons": _ignored,
    "shadowmap": _shadowmap,
    "tag": _ignored,
}
