"""Shaders that compute colours over a surface, to the kernels' steps. One table names them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gpuqueue.scene.arguments import Arguments, find_shader
from gpuqueue.scene.entities import Connection, ShaderCall
from gpuqueue.scene.entities import Texture as TextureEntity
from gpuqueue.scene.textures.coordinates import Coordinates, remap, repeated, vector
from gpuqueue.scene.textures.value import (
    MAX_DEPTH,
    MAX_STEPS,
    Four,
    Step,
    Texture,
    alpha_of,
    as_number,
    constant,
    multiplied,
)

if TYPE_CHECKING:
    from gpuqueue.scene.document import Document

GREY: Four = (0.5, 0.5, 0.5, 1.0)
MAX_NESTING = 16


class TextureGraph:
    """Textures of a document's shaders, each made once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._made: dict[int, Texture | None] = {}
        self._means: dict[int, Four] = {}
        self._nesting = 0

    def texture_of(self, call: ShaderCall) -> Texture | None:
        """Return the texture that a shader computes; None if it is of a kind that computes none."""
        build = NODES.get(call.type)
        if build is None:
            return None
        key = id(call)
        if key not in self._made:
            self._made[key] = None  # what it is within itself
            self._made[key] = self._checked(call, build)
        return self._made[key]

    def _checked(self, call: ShaderCall, build: Build) -> Texture:
        arguments = Arguments(call, self._document)
        arguments.check_names()
        self._nesting += 1
        try:
            if self._nesting > MAX_NESTING:
                return self._refused(call, f"nested more than {MAX_NESTING} deep")
            made = build(self, arguments)
        finally:
            self._nesting -= 1
        if made.depth > MAX_DEPTH - 2 or len(made.steps) > MAX_STEPS:
            return self._refused(call, "of too many textures in one")
        return made

    def _refused(self, call: ShaderCall, why: str) -> Texture:
        self._document.warnings(f"'{call.type}' is {why}; grey is used instead", call.at)
        return constant(GREY)

    def color(self, a: Arguments, name: str, default: Four = (0.0, 0.0, 0.0, 1.0)) -> Texture:
        """Return a parameter as a texture, constant or not."""
        if (found := self.connected(a, name)) is not None:
            return found
        numbers = a.numbers(name, 4) if len(_atoms(a, name)) == 4 else a.numbers(name, 3)
        if numbers is None:
            return constant(default)
        r, g, b, alpha = (*numbers * 3, 1.0)[:4] if len(numbers) == 1 else (*numbers, 1.0)[:4]
        return constant((r, g, b, alpha))

    def connected(self, a: Arguments, name: str) -> Texture | None:
        """Return the texture that a parameter is connected to; None if it is to none."""
        value = a.raw(name)
        if not isinstance(value, Connection):
            return None
        entity = self._document.entities.get(value.name)
        if isinstance(entity, TextureEntity):
            return self.image(entity, Coordinates())
        call = find_shader(self._document, value.name)
        found = None if call is None else self.texture_of(call)
        return _member(found, value.name) if found else None

    def image(self, texture: TextureEntity, at: Coordinates) -> Texture:
        """Return a lookup of a texture: in an image, or what its shader computes."""
        if texture.shaders:
            last = texture.shaders[-1]
            call = last if isinstance(last, ShaderCall) else find_shader(self._document, last.name)
            return (call and self.texture_of(call)) or constant(GREY)
        index = self._document.images.find(texture)
        if index is None:
            return constant(GREY)
        if index not in self._means:
            self._means[index] = self._document.images.images[index].picture.mean()
        operands = {"image": index, "edge_x": at.edges[0], "edge_y": at.edges[1]}
        return Texture((*at.steps, Step("image_lookup", operands)), self._means[index])

    def coordinates(self, a: Arguments, name: str) -> Coordinates:
        """Return the coordinates that a parameter is connected to; else those of the mesh."""
        value = a.raw(name)
        call = find_shader(self._document, value.name) if isinstance(value, Connection) else None
        if call is None:
            return Coordinates()
        inner = Arguments(call, self._document)
        if call.type == "mib_texture_vector":
            return vector(inner)
        if call.type == "mib_texture_remap" and self._nesting < MAX_NESTING:
            self._nesting += 1
            below = self.coordinates(inner, "input")
            self._nesting -= 1
            return remap(inner, below)
        self._document.warnings(
            f"'{call.type}' gives no texture coordinates that are known; the mesh's are used",
            call.at,
            topic=f"coordinates {call.type}",
        )
        return Coordinates()

    def named(self, a: Arguments, name: str) -> TextureEntity | None:
        """Return the texture that a parameter names; None, with a warning, if it names none."""
        entity = self._document.entities.get(a.connected(name) or "")
        if isinstance(entity, TextureEntity):
            return entity
        self._document.warnings(
            f"parameter '{name}' of '{a.call.type}' names no texture; grey is used", a.call.at
        )
        return None


Build = Callable[[TextureGraph, Arguments], Texture]


def _atoms(a: Arguments, name: str) -> tuple[object, ...]:
    value = a.raw(name)
    return value if isinstance(value, tuple) else ()


def _member(texture: Texture, name: str) -> Texture:
    """``"shader.a"`` is the alpha of a result."""
    return alpha_of(texture) if name.rpartition(".")[2] in ("a", "outAlpha") else texture


def _lookup(graph: TextureGraph, a: Arguments) -> Texture:
    texture = graph.named(a, "tex")
    return graph.image(texture, graph.coordinates(a, "coord")) if texture else constant(GREY)


def _lookup2(graph: TextureGraph, a: Arguments) -> Texture:
    texture = graph.named(a, "tex")
    return graph.image(texture, repeated(a.scalar("factor") or 1.0)) if texture else constant(GREY)


def _checkerboard(graph: TextureGraph, a: Arguments) -> Texture:
    """Eight boxes; their colours are constants."""
    names = [f"color{x}{y}{z}" for z in (0, 1) for y in (0, 1) for x in (0, 1)]
    colors = [graph.color(a, name).mean for name in names]
    size = [a.scalar(f"{axis}size", 0.5) for axis in "xyz"]
    shares = [_share(size, box) for box in range(8)]
    mean = [sum(s * c[i] for s, c in zip(shares, colors, strict=True)) for i in range(4)]
    at = graph.coordinates(a, "coord")
    step = Step("checkerboard", {"size": size, "colors": [x for color in colors for x in color]})
    return Texture((*at.steps, step), (mean[0], mean[1], mean[2], mean[3]))


def _share(size: list[float], box: int) -> float:
    """Of the unit square; a picture lies at z = 0."""
    x, y, z = (min(max(s, 0.0), 1.0) for s in size)
    is_near = 1.0 if z > 0 else 0.0
    return (
        (1 - x if box & 1 else x)
        * (1 - y if box & 2 else y)
        * (1 - is_near if box & 4 else is_near)
    )


def _color_mix(graph: TextureGraph, a: Arguments) -> Texture:
    """Layers upon a base colour, in order, each by its mode and weight."""
    result = graph.color(a, "color_base", (0.0, 0.0, 0.0, 0.0))
    for layer in range(min(max(int(a.scalar("num")), 0), 8)):
        mode = int(a.scalar(f"mode_{layer}"))
        weight = graph.connected(a, f"weight_{layer}")
        number = as_number(weight) if weight else constant((a.scalar(f"weight_{layer}"),) * 4)
        color = graph.color(a, f"color_{layer}")
        mean = _mixed(mode, result.mean, color.mean, number.mean[0])
        steps = (*result.steps, *color.steps, *number.steps, Step("mix", {"mode": mode}))
        result = Texture(steps, mean)
    return result


def _mixed(mode: int, below: Four, layer: Four, weight: float) -> Four:
    """As the kernels' Mix, of means."""
    if mode == 6:
        return (*below[:3], layer[3])
    pairs = zip(below, layer, strict=True)
    kept = {0: (1 - layer[3]) * weight, 1: 1 - weight, 2: 1.0, 3: 1.0}
    if mode in kept:
        mixed = [b * kept[mode] + x * weight for b, x in pairs]
    else:
        mixed = [b * x * weight for b, x in pairs]
    if mode in (3, 5):
        mixed = [min(max(m, 0.0), 1.0) for m in mixed]
    return mixed[0], mixed[1], mixed[2], mixed[3]


def _alpha(graph: TextureGraph, a: Arguments) -> Texture:
    return multiplied(alpha_of(graph.color(a, "input")), a.scalar("factor", 1.0))


def _intensity(graph: TextureGraph, a: Arguments) -> Texture:
    return multiplied(as_number(graph.color(a, "input")), a.scalar("factor", 1.0))


#: Shaders that compute a colour.
NODES: dict[str, Build] = {
    "mib_texture_lookup": _lookup,
    "mib_texture_lookup2": _lookup2,
    "mib_texture_filter_lookup": _lookup,
    "mib_texture_checkerboard": _checkerboard,
    "mib_color_mix": _color_mix,
    "mib_color_alpha": _alpha,
    "mib_color_intensity": _intensity,
    "one_color": lambda graph, a: graph.color(a, "color"),
}
