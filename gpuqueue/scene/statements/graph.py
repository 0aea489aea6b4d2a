"""``instance``, ``instgroup`` and ``render``: what stands where, and what is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Instance, InstanceGroup, Render
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.attributes import parse_attribute, skip_data
from gpuqueue.scene.statements.shading import parse_arguments, parse_shader, parse_shader_list
from gpuqueue.scene.tokens import Tokens, words

Matrix = NDArray[np.float64]
_CASTS, _CASTS_NOT = 1, 4


def parse_instance(tokens: Tokens, document: Document) -> None:
    """instance = "instance" name [element] ["geometry" shader-list] { flag } [ "(" args ")" ]
    "end" "instance"."""
    at = tokens.peek().place
    instance = document.base(Instance, tokens.name("the instance's name"), at)
    changes: dict[str, Any] = {"at": at, "flags": instance.flags}
    if tokens.at_string():
        changes["element"] = tokens.string()
    while not tokens.at_word("end"):
        if tokens.at_mark("("):
            parse_arguments(tokens, "(", ")")
        elif tokens.at_word("attribute"):
            _attribute(tokens, changes)
        elif tokens.at_word("data"):
            skip_data(tokens)
        elif word := tokens.accept_word("visible", "trace", "shadow"):
            changes["flags"] = replace(
                changes["flags"], **{word: parse_flag(tokens, instance=True)}
            )
        elif word := tokens.accept_word(*_ITEMS):
            changes.update(_ITEMS[word](tokens, document))
        elif "element" not in changes and not tokens.at_end():
            changes["element"] = tokens.name("an element, a flag or 'end instance'")
        else:
            raise tokens.expected("a flag of the instance or 'end instance'")
    tokens.expect_end("instance")
    document.define(replace(instance, **changes))


def parse_flag(tokens: Tokens, *, instance: bool) -> bool | None:
    """flag = [truth | INT]: bit 0 is on; on an instance bit 2 is explicitly off, 0 says nothing."""
    if tokens.at_integer():
        bits = tokens.integer("flag bits", 0, 255)
        return True if bits & _CASTS else (None if instance and not bits & _CASTS_NOT else False)
    return tokens.boolean() if tokens.at_boolean() else True


def _attribute(tokens: Tokens, changes: dict[str, Any]) -> None:
    name, values = parse_attribute(tokens)
    truth = bool(values[0]) if values else True
    if name == "hide":
        changes["hide"] = truth
    elif name in ("visible", "trace", "shadow"):
        changes["flags"] = replace(changes["flags"], **{name: truth})


def _transform(tokens: Tokens, document: Document) -> dict[str, Any]:
    """transform = "transform" [ 16 numbers | shader ]; the word alone is the identity."""
    at = tokens.peek().place
    if tokens.at_string() or tokens.at_mark("="):
        parse_shader(tokens, document)
        document.warnings("transforms by a shader are not evaluated; the identity is used", at)
        return {"matrix": None}
    if not tokens.at_number():
        return {"matrix": None}
    matrix = tokens.numbers(16, "16 numbers of a transform").reshape(4, 4)
    return {"matrix": _usable(matrix, document, at)}


def _usable(matrix: Matrix, document: Document, at: Place) -> Matrix | None:
    """Return an affine, invertible matrix; another becomes the identity, with a warning."""
    w = matrix[3, 3]
    if (abs(matrix[:3, 3]) > 1e-6).any() or abs(w) < 1e-30:
        document.warnings("a transform with perspective is replaced by the identity", at)
        return None
    matrix = np.where(np.arange(4) == 3, [[0.0], [0.0], [0.0], [1.0]], matrix / w)
    linear = matrix[:3, :3]
    size = abs(linear).max()
    if not 1e-15 < size < 1e15 or abs(np.linalg.det(linear / size)) < 1e-12:
        document.warnings("a singular transform is replaced by the identity", at)
        return None
    if abs(matrix).max() > 1e30:
        raise at.error("this transform moves things out of range")
    return matrix


def _motion(tokens: Tokens, document: Document) -> dict[str, Any]:
    """motion = "motion" ( "off" | "transform" [16 numbers] ); without numbers, none of its own."""
    if tokens.expect_word("off", "transform") == "off":
        return {"motion": None, "stays": True}
    at = tokens.peek().place
    motion = None
    if tokens.at_number():
        motion = _usable(
            tokens.numbers(16, "16 numbers of a transform").reshape(4, 4), document, at
        )
    return {"motion": motion, "stays": False}


def _hide(tokens: Tokens, _: Document) -> dict[str, Any]:
    return {"hide": tokens.boolean() if tokens.at_boolean() or tokens.at_integer() else True}


def _material(tokens: Tokens, _: Document) -> dict[str, Any]:
    """material = "material" [ name | "[" name { "," name } [","] "]" ]."""
    if tokens.at_string():
        return {"materials": (tokens.string(),)}
    if not tokens.at_mark("["):
        return {"materials": None}
    return {"materials": parse_names(tokens) or None}


def parse_names(tokens: Tokens) -> tuple[str, ...]:
    """names = "[" [ name { [","] name } ] "]"."""
    tokens.expect_mark("[")
    names = []
    while not tokens.accept_mark("]"):
        names.append(tokens.name("a name or ']'"))
        tokens.accept_mark(",")
    return tuple(names)


def _light(tokens: Tokens, document: Document) -> dict[str, Any]:
    """light = "light" ["shadow"] ["exclusive"] names; an empty list says nothing."""
    at = tokens.peek().place
    while tokens.accept_word("shadow", "exclusive"):
        pass
    if parse_names(tokens):
        document.warnings("light lists of instances are ignored: every light shines on all", at)
    return {}


def _geometry(tokens: Tokens, document: Document) -> dict[str, Any]:
    at = tokens.peek().place
    parse_shader_list(tokens, document)
    document.warnings("geometry shaders are not run; the instance is empty", at)
    return {"hide": True}


def _ignored(tokens: Tokens, _: Document) -> dict[str, Any]:
    while tokens.at_number() or tokens.at_boolean():
        tokens.take()
    if tokens.at_mark("["):
        tokens.skip_balanced("[", "]")
    return {}


def _face(tokens: Tokens, _: Document) -> dict[str, Any]:
    tokens.expect_word("front", "back", "both")
    return {}


def _shading(tokens: Tokens, _: Document) -> dict[str, Any]:
    tokens.expect_word("samples")
    tokens.number()
    return {}


_ITEMS: dict[str, Callable[[Tokens, Document], dict[str, Any]]] = {
    "transform": _transform,
    "motion": _motion,
    "hide": _hide,
    "material": _material,
    "override": lambda _tokens, _document: {"override": True},
    "light": _light,
    "geometry": _geometry,
    "face": _face,
    "shading": _shading,
    **dict.fromkeys(
        words(
            "shadowmap select reflection refraction transparency caustic globillum finalgather"
            " approximate tag"
        ),
        _ignored,
    ),
}


def parse_instgroup(tokens: Tokens, document: Document) -> None:
    """instgroup = "instgroup" name { "merge" f | "tag" INT | data | attribute } { name }
    "end" "instgroup"."""
    at = tokens.peek().place
    group = document.base(InstanceGroup, tokens.name("the group's name"), at)
    members: list[tuple[str, Place]] = []
    while not tokens.at_word("end"):
        if tokens.accept_word("merge", "tag"):
            tokens.number()
        elif tokens.at_word("data"):
            skip_data(tokens)
        elif tokens.at_word("attribute"):
            parse_attribute(tokens)
        else:
            place = tokens.peek().place
            members.append((tokens.name("the name of an instance or 'end instgroup'"), place))
    tokens.expect_end("instgroup")
    document.define(replace(group, members=tuple(members) or group.members, at=at))


def parse_render(tokens: Tokens, document: Document) -> None:
    """render = "render" root-group camera-instance options; the last one counts."""
    at = tokens.peek().place
    names = (
        tokens.name(f"the name of the {what}")
        for what in ("root group", "camera instance", "options")
    )
    root, camera, options = names
    document.render = Render(root, camera, options, at)
