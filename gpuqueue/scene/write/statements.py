"""Each entity as its statement. What is left at its default is left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.entities import (
    Area,
    Atom,
    Camera,
    Declaration,
    Entity,
    Flags,
    Instance,
    InstanceGroup,
    Light,
    Material,
    NamedShader,
    Object,
    Opaque,
    Options,
    Render,
    Texture,
)
from gpuqueue.scene.statements.attributes import FLAG_WORDS
from gpuqueue.scene.statements.options import PHRASES
from gpuqueue.scene.write.geometry import geometry_lines
from gpuqueue.scene.write.values import (
    atom,
    atoms,
    names,
    numbers,
    quoted,
    shader_lines,
    slot_lines,
)

Lines = Iterator[str]


def entity_lines(entity: Entity, *, binary: bool) -> Iterator[str | bytes]:
    """Yield the lines of any entity, without their ends; `binary` is how triangles are written."""
    if isinstance(entity, Object):
        yield from _object(entity, binary=binary)
    else:
        yield from _WRITERS[type(entity)](entity)


def declaration_lines(declaration: Declaration) -> Lines:
    """Yield ``declare shader``."""
    yield f"declare shader {quoted(declaration.name)} ("
    parameters = []
    for name, kind in declaration.types.items():
        members = " {}" if kind.endswith("struct") else ""
        default = declaration.defaults.get(name)
        given = "" if default is None else f" default {atoms(default)}"
        parameters.append(f"    {kind} {quoted(name)}{members}{given}")
    if parameters:
        yield ",\n".join(parameters)
    yield ")"
    yield "end declare"


def render_line(render: Render) -> str:
    """Return the ``render`` statement."""
    return f"render {quoted(render.root)} {quoted(render.camera)} {quoted(render.options)}\n"


def _named_shader(shader: NamedShader) -> Lines:
    yield f"shader {quoted(shader.name)}"
    for call in shader.shaders:
        yield from shader_lines(call, "    ")


def _options(options: Options) -> Lines:
    yield f"options {quoted(options.name)}"
    for phrase, values in options.keywords.items():
        yield f"    {phrase} {_with_words(values, PHRASES[phrase].split())}".rstrip()
    yield from _attributes(options.strings)
    yield "end options"


def _with_words(values: Iterable[Atom], words: Collection[str]) -> str:
    """Values side by side; those that are words of the statement stand without quotes."""
    return " ".join(str(v) if isinstance(v, str) and v in words else atom(v) for v in values)


def _attributes(strings: Mapping[str, tuple[Atom, ...]]) -> Lines:
    """Options and attributes by name. One without a value has an empty list, since a string on the
    next line would be taken for it. Words among other values are known behind flags alone."""
    for name, values in strings.items():
        if len(values) > 1 and any(isinstance(value, str) for value in values):
            yield f"    attribute {name} {_with_words(values, FLAG_WORDS)}".rstrip()
        else:
            yield f"    attribute {_type(values)} {quoted(name)} {atoms(values) or '[ ]'}"


def _type(values: tuple[Atom, ...]) -> str:
    kinds = {bool: "boolean", int: "integer", str: "string"}
    single = kinds.get(type(values[0]), "scalar") if len(values) == 1 else "color"
    return single if values else "string"


_CAMERA = Camera("", None)  # type: ignore[arg-type]  # for its defaults


def _camera(camera: Camera) -> Lines:
    yield f"camera {quoted(camera.name)}"
    yield f"    focal {'infinity' if camera.focal is None else numbers([camera.focal])}"
    yield f"    aperture {numbers([camera.aperture])}"
    yield f"    aspect {numbers([camera.aspect])}"
    yield f"    resolution {atoms(camera.resolution)}"
    yield from _changed(camera, _CAMERA, "offset", numbers)
    yield from _changed(camera, _CAMERA, "window", atoms)
    yield from _changed(camera, _CAMERA, "clip", numbers)
    for slot in ("lens", "environment", "volume"):
        if shaders := getattr(camera, slot):
            yield from slot_lines(slot, shaders)
    if camera.outputs:
        yield f"    output {' '.join(map(quoted, camera.outputs))}"
    yield from _attributes(camera.strings)
    yield "end camera"


def _changed(entity: Any, default: Any, item: str, text: Callable[[Any], str]) -> Lines:
    """An item that differs from its default."""
    value = getattr(entity, item)
    if value is not None and value != getattr(default, item):
        yield f"    {item} {text(value)}"


_LIGHT = Light("", None)  # type: ignore[arg-type]  # for its defaults


def _light(light: Light) -> Lines:
    yield f"light {quoted(light.name)}"
    for shader in light.shaders:
        yield from shader_lines(shader, "    ")
    for item in ("origin", "direction", "energy"):
        yield from _changed(light, _LIGHT, item, numbers)
    for item in ("spread", "exponent"):
        yield from _changed(light, _LIGHT, item, lambda number: numbers([number]))
    if light.area is not None:
        yield f"    {_area(light.area)}"
    if light.visible:
        yield "    visible"
    yield "end light"


def _area(area: Area) -> str:
    if area.shape == "object":
        return f"object {quoted(area.instance)}"
    sizes = [x for vector in area.vectors for x in vector]
    if area.shape != "rectangle":
        sizes.append(area.radius)
    return f"{area.shape} {numbers(sizes)}"


def _material(material: Material) -> Lines:
    yield f"material {quoted(material.name)}"
    for shader in material.shaders:
        yield from shader_lines(shader, "    ")
    for slot, shaders in material.slots.items():
        yield from slot_lines(slot, shaders)
    yield "end material"


def _texture(texture: Texture) -> Lines:
    statement = f"{texture.role.value} texture {quoted(texture.name)}"
    if texture.file is not None:
        yield f"{statement} {quoted(texture.file)}"
    elif texture.data is not None:
        width, height = texture.size
        yield f"{statement} [{width} {height}]"
        digits = texture.data.hex()
        for start in range(0, len(digits), 80):
            yield f"    '{digits[start : start + 80]}'"
    elif texture.shaders:
        yield statement
        for shader in texture.shaders:
            yield from shader_lines(shader, "    ")
    else:  # what could not be read
        yield f"color texture {quoted(texture.name)} [1 1] '808080ff'"


def _flags(flags: Flags) -> Lines:
    for word in ("visible", "trace", "shadow"):
        if (value := getattr(flags, word)) is not None:
            yield f"    {word} {atom(value)}"


def _object(item: Object, *, binary: bool) -> Iterator[str | bytes]:
    yield f"object {quoted(item.name)}"
    yield from _flags(item.flags)
    if item.tagged:
        yield "    tagged on"
    if item.geometry is not None:
        yield from geometry_lines(item.geometry, tagged=item.tagged, binary=binary)
    yield "end object"


def _instance(instance: Instance) -> Lines:
    element = "" if instance.element is None else f" {quoted(instance.element)}"
    yield f"instance {quoted(instance.name)}{element}"
    yield from _flags(instance.flags)
    if instance.hide:
        yield "    hide on"
    if instance.matrix is not None:
        yield "    transform"
        yield from _rows(instance.matrix)
    if instance.stays:
        yield "    motion off"
    elif instance.motion is not None:
        yield "    motion transform"
        yield from _rows(instance.motion)
    if instance.override:
        yield "    override"
    if instance.materials:
        yield f"    material {names(instance.materials)}"
    yield "end instance"


def _rows(matrix: NDArray[np.float64]) -> Lines:
    for row in matrix.tolist():
        yield f"        {numbers(row)}"


def _group(group: InstanceGroup) -> Lines:
    yield f"instgroup {quoted(group.name)}"
    for member, _ in group.members:
        yield f"    {quoted(member)}"
    yield "end instgroup"


def _opaque(entity: Opaque) -> Lines:
    """Only its name matters: an instance may place it."""
    yield f"userdata {quoted(entity.name)}"
    yield "end userdata"


_WRITERS: Mapping[type, Callable[[Any], Lines]] = {
    NamedShader: _named_shader,
    Options: _options,
    Camera: _camera,
    Light: _light,
    Material: _material,
    Texture: _texture,
    Instance: _instance,
    InstanceGroup: _group,
    Opaque: _opaque,
}
