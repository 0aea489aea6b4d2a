"""``object``: flags and one kind of geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Flags, Geometry, Object
from gpuqueue.scene.freeform.bases import Basis
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.approximation import parse_approximation
from gpuqueue.scene.statements.attributes import parse_attribute, skip_data
from gpuqueue.scene.statements.free_form import parse_basis
from gpuqueue.scene.statements.graph import parse_flag
from gpuqueue.scene.statements.group import parse_group
from gpuqueue.scene.statements.hair import parse_hair
from gpuqueue.scene.statements.mesh import merge_geometry
from gpuqueue.scene.statements.shading import parse_shader_list
from gpuqueue.scene.statements.trilist import parse_trilist
from gpuqueue.scene.tokens import Tokens, words

_NUMERIC_FLAGS = words(
    "select shadowmap hardware reflection refraction transparency caustic globillum tag samples"
)


def parse_object(tokens: Tokens, document: Document) -> None:
    """object = "object" [name] { flag } ( { basis | group } | trilist | hair | "file" STR
    | "intersection" shader ) "end" "object"."""
    at = tokens.peek().place
    name = tokens.string() if tokens.at_string() else f"unnamed object {len(document.entities)}"
    found = document.base(Object, name, at)
    flags, tagged = found.flags, found.tagged
    pieces: list[Geometry] = []
    bases: dict[str, Basis] = {}
    while not tokens.at_word("end"):
        if word := tokens.accept_word("visible", "trace", "shadow"):
            flags = replace(flags, **{word: parse_flag(tokens, instance=False)})
        elif tokens.accept_word("tagged"):
            tagged = tokens.boolean() if tokens.at_boolean() else True
        elif tokens.accept_word("basis"):
            bases.update([parse_basis(tokens)])
        elif not _skip_flag(tokens, document):
            pieces += _geometry(tokens, document, bases, tagged=tagged)
    tokens.expect_end("object")
    geometry = merge_geometry(pieces) if pieces else found.geometry
    document.define(Object(name, at, _defined(flags), tagged, geometry))


def _defined(flags: Flags) -> Flags:
    """An object's flags are on unless it says otherwise."""
    return Flags(*(value is not False for value in (flags.visible, flags.trace, flags.shadow)))


def _geometry(
    tokens: Tokens, document: Document, bases: Mapping[str, Basis], *, tagged: bool
) -> list[Geometry]:
    at = tokens.peek().place
    if tokens.accept_word("group"):
        return parse_group(tokens, document, bases, tagged=tagged)
    if tokens.accept_word("trilist"):
        return [parse_trilist(tokens, tagged=tagged)]
    if tokens.accept_word("hair"):
        return parse_hair(tokens, document, tagged=tagged)
    if tokens.accept_word("file"):
        tokens.string("a file in quotes")
        _not_rendered(document, "geometry of object files is", at)
    elif tokens.accept_word("intersection"):
        parse_shader_list(tokens, document)
        _not_rendered(document, "geometry of intersection shaders is", at)
    else:
        raise tokens.expected("a flag, 'group', 'trilist' or 'end object'")
    return []


def _not_rendered(document: Document, what: str, at: Place) -> None:
    document.warnings(f"{what} not rendered", at)


def _skip_flag(tokens: Tokens, document: Document) -> bool:
    """Flags and items of an object that have no effect on our pictures."""
    if tokens.accept_word(*_NUMERIC_FLAGS):
        _skip_numbers(tokens)
    elif tokens.accept_word("finalgather"):
        _skip_numbers(tokens)
        if tokens.accept_word("file") and tokens.at_mark("["):
            tokens.skip_balanced("[", "]")
    elif tokens.accept_word("face"):
        tokens.expect_word("front", "back", "both")
    elif tokens.accept_word("motion"):
        tokens.expect_word("box")
        _skip_numbers(tokens)
    elif tokens.accept_word("box"):
        _skip_numbers(tokens)
    elif word := tokens.accept_word("max", "ray", "shading", "volume", "photonmap"):
        _skip_phrase(tokens, word)
    elif tokens.at_word("transform"):
        document.warnings("transforms of objects are not applied", tokens.take().place)
        _skip_numbers(tokens)
    elif tokens.at_word("data"):
        skip_data(tokens)
    elif tokens.at_word("attribute"):
        parse_attribute(tokens)
    elif tokens.at_word("approximate"):
        parse_approximation(tokens)
    else:
        return False
    return True


def _skip_phrase(tokens: Tokens, word: str) -> None:
    """max displace f, ray offset f, shading samples f, volume group i, photonmap file (STR|off)."""
    second = {"max": "displace", "ray": "offset", "shading": "samples", "volume": "group"}
    tokens.expect_word(second.get(word, "file"))
    if word != "photonmap":
        tokens.number()
    elif not tokens.accept_word("off"):
        tokens.string()


def _skip_numbers(tokens: Tokens) -> None:
    while tokens.at_number() or tokens.at_boolean():
        tokens.take()
