"""``texture``: an image file, a picture written in the scene, or shaders."""

from __future__ import annotations

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import ShaderCall, Texture
from gpuqueue.scene.statements.shading import parse_arguments, parse_shader_list
from gpuqueue.scene.textures.image_file import MAX_SIDE
from gpuqueue.scene.textures.picture import Role
from gpuqueue.scene.tokens import Kind, Tokens

ROLES = tuple(role.value for role in Role)
_FILE_FORMATS = ("raw", "image", "rgb", "rgba", "alpha", "rgb_fp", "rgba_fp", "rgba_16", "rgb_16")
#: Bytes of a texel that is written in the scene.
_TEXEL_BYTES = {Role.COLOR: 4, Role.SCALAR: 1}


def parse_texture(tokens: Tokens, document: Document, role: Role) -> None:
    """texture = ("color" | "scalar" | "vector") "texture" name ["colorprofile" n]
    ( STR [filetype [format]] ["[" w h [d] "]"] | "[" w h [d] "]" HEX* | shader-list ).

    The first word is already taken.
    """
    tokens.expect_word("texture")
    at = tokens.peek().place
    name = tokens.name("the texture's name")
    if tokens.accept_word("colorprofile"):
        tokens.name()
    if tokens.at_mark("["):
        document.define(_written(tokens, document, Texture(name, at, role)))
        return
    if tokens.at_mark("="):
        shaders = parse_shader_list(tokens, document)
        document.define(Texture(name, at, role, shaders=shaders))
        return
    if not tokens.at_string():
        raise tokens.expected("an image file, '[' or a shader")
    document.define(_file_or_shader(tokens, document, Texture(name, at, role)))


def _file_or_shader(tokens: Tokens, document: Document, texture: Texture) -> Texture:
    """A shader call begins as a file does: with a string."""
    name, role, at = texture.name, texture.role, texture.at
    call_at = tokens.peek().place
    file = tokens.string()
    if tokens.at_mark("("):
        call = ShaderCall(file, parse_arguments(tokens, "(", ")"), call_at)
        return Texture(name, at, role, shaders=(call, *parse_shader_list(tokens, document)))
    while tokens.accept_word(*_FILE_FORMATS):
        pass
    if tokens.at_mark("["):
        tokens.skip_balanced("[", "]")
    return Texture(name, at, role, file)


def _written(tokens: Tokens, document: Document, texture: Texture) -> Texture:
    """ "[" width height [depth] "]" HEX*: from the bottom row up; a colour is red, green, blue and
    alpha, a scalar one byte."""
    tokens.expect_mark("[")
    width = tokens.integer("the texture's width", 1, MAX_SIDE)
    height = tokens.integer("the texture's height", 1, MAX_SIDE)
    depth = tokens.integer("bytes of a component", 1, 4) if tokens.at_integer() else 1
    tokens.expect_mark("]")
    start, digits = tokens.peek().place, []
    while tokens.peek().kind is Kind.HEX:
        digits.append("".join(tokens.take().text.split()))
    expected = width * height * depth * _TEXEL_BYTES.get(texture.role, 12)
    if (found := sum(map(len, digits)) / 2) != expected:
        raise start.error(
            f"{expected} bytes of {width} x {height} texels expected, found {found:g}"
        )
    if depth != 1 or texture.role not in _TEXEL_BYTES:
        document.warnings(
            "only textures of one byte a component are read where they are written in a scene",
            texture.at,
        )
        return texture
    data = bytes.fromhex("".join(digits))
    return Texture(texture.name, texture.at, texture.role, size=(width, height), data=data)


def parse_texture_with_flags(tokens: Tokens, document: Document) -> None:
    """{"local" | "writable" | "filter" [f]} texture; the first word is already taken."""
    while (role := tokens.accept_word(*ROLES)) is None:
        if tokens.at_number():
            tokens.number()
        elif not tokens.accept_word("local", "writable", "filter"):
            raise tokens.expected("'color texture', 'scalar texture' or 'vector texture'")
    parse_texture(tokens, document, Role(role))
