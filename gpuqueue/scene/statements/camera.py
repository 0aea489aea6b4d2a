"""``camera``: projection, image size, and the shaders of lens and environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Camera
from gpuqueue.scene.statements.attributes import parse_attribute, skip_data
from gpuqueue.scene.statements.shading import parse_arguments, parse_shader_list
from gpuqueue.scene.tokens import Kind, Tokens, words

MAX_RESOLUTION = 1 << 16
MAX_OFFSET = 1 << 20
_OUTPUT_PARAMETERS = ("quality", "even", "odd", "dod", "dpi", "compress")
_FRAMEBUFFER_ITEMS = words(
    "datatype filename filetype compression quality dpi filtering dod primary user useopacity"
    " useprimary premultiplied tiled field colorprofile"
)


def parse_camera(tokens: Tokens, document: Document) -> None:
    """camera = "camera" name { item | attribute | data } "end" "camera"."""
    at = tokens.peek().place
    camera = document.base(Camera, tokens.name("the camera's name"), at)
    changes: dict[str, Any] = {"at": at, "strings": dict(camera.strings)}
    while not tokens.at_word("end"):
        if tokens.at_word("attribute"):
            name, values = parse_attribute(tokens)
            changes["strings"][name] = values
        elif tokens.at_word("data"):
            skip_data(tokens)
        elif word := tokens.accept_word(*_ITEMS):
            changes.update(_ITEMS[word](tokens, document))
        else:
            raise tokens.expected("a camera item or 'end camera'")
    tokens.expect_end("camera")
    document.define(replace(camera, **changes))


def _focal(tokens: Tokens, _: Document) -> dict[str, Any]:
    """focal = "focal" (NUMBER | "infinity")."""
    if tokens.accept_word("infinity"):
        return {"focal": None}
    return {"focal": _positive(tokens, "a positive number or 'infinity' after 'focal'")}


def _positive(tokens: Tokens, what: str) -> float:
    token = tokens.peek()
    value = tokens.number(what)
    if not 1e-9 <= value <= 1e9:
        raise tokens.fail(f"expected {what}, found {token}", token)
    return value


def _aperture(tokens: Tokens, _: Document) -> dict[str, Any]:
    return {"aperture": _positive(tokens, "a positive number after 'aperture'")}


def _aspect(tokens: Tokens, _: Document) -> dict[str, Any]:
    return {"aspect": _positive(tokens, "a positive number after 'aspect'")}


def _resolution(tokens: Tokens, _: Document) -> dict[str, Any]:
    """resolution = "resolution" INT INT."""
    width, height = (tokens.integer("a resolution", 1, MAX_RESOLUTION) for _ in range(2))
    return {"resolution": (width, height)}


def _offset(tokens: Tokens, _: Document) -> dict[str, Any]:
    at = tokens.peek().place
    x, y = tokens.number(), tokens.number()
    if max(abs(x), abs(y)) > MAX_OFFSET:
        raise at.error(f"the offset is beyond {MAX_OFFSET} pixels")
    return {"offset": (x, y)}


def _window(tokens: Tokens, _: Document) -> dict[str, Any]:
    """window = "window" x0 y0 x1 y1, in pixels, the upper bounds included."""
    return {"window": tuple(tokens.integer("a pixel of the window") for _ in range(4))}


def _clip(tokens: Tokens, _: Document) -> dict[str, Any]:
    return {"clip": (tokens.number(), tokens.number())}


def _shaders(slot: str) -> Callable[[Tokens, Document], dict[str, Any]]:
    def parse(tokens: Tokens, document: Document) -> dict[str, Any]:
        return {slot: parse_shader_list(tokens, document)}

    return parse


def _output(tokens: Tokens, document: Document) -> dict[str, Any]:
    """output = "output" ["colorprofile" name] ( {STR} {parameter} [STR] | {STR} shader | )."""
    if tokens.accept_word("colorprofile"):
        tokens.name()
    strings: list[str] = []
    while True:
        if tokens.at_string():
            strings.append(tokens.string())
        elif tokens.accept_word(*_OUTPUT_PARAMETERS):
            if tokens.at_number():
                tokens.number()
        elif strings and tokens.at_mark("("):
            parse_arguments(tokens, "(", ")")
            return {}
        elif tokens.at_mark("="):
            parse_shader_list(tokens, document)
            return {}
        else:
            return {"outputs": tuple(strings)}


def _framebuffer(tokens: Tokens, _: Document) -> dict[str, Any]:
    """framebuffer = "framebuffer" name { item (STR | number | truth) }."""
    tokens.name("the frame buffer's name")
    while tokens.accept_word(*_FRAMEBUFFER_ITEMS):
        if not tokens.at_boolean() and not tokens.at_number():
            tokens.name("a value of the frame buffer")
        else:
            tokens.take()
    return {}


def _pass(tokens: Tokens, document: Document) -> dict[str, Any]:
    """pass: everything up to the next item of the camera."""
    while not tokens.at_word("end", *_ITEMS) and not tokens.at_end():
        if tokens.at_mark("["):
            tokens.skip_balanced("[", "]")
        elif tokens.at_mark("("):
            parse_arguments(tokens, "(", ")")
        elif tokens.at_mark("="):
            parse_shader_list(tokens, document)
        else:
            tokens.take()
    return {}


def _ignored(tokens: Tokens, _: Document) -> dict[str, Any]:
    """dof, frame, field, tag: numbers or words that no picture of ours depends on."""
    while tokens.at_number() or tokens.accept_word("even", "odd", "off"):
        if tokens.peek().kind in (Kind.INTEGER, Kind.FLOAT):
            tokens.number()
    return {}


_ITEMS: dict[str, Callable[[Tokens, Document], dict[str, Any]]] = {
    "focal": _focal,
    "aperture": _aperture,
    "aspect": _aspect,
    "resolution": _resolution,
    "offset": _offset,
    "window": _window,
    "clip": _clip,
    "lens": _shaders("lens"),
    "environment": _shaders("environment"),
    "volume": _shaders("volume"),
    "output": _output,
    "framebuffer": _framebuffer,
    "pass": _pass,
    "dof": _ignored,
    "frame": _ignored,
    "field": _ignored,
    "tag": _ignored,
}
