"""Names, numbers, arguments and shader calls as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from gpuqueue.errors import SceneError
from gpuqueue.scene.entities import Atom, Connection, ShaderCall, ShaderList, ShaderName, Value

#: A call longer than this is written an argument a line.
WIDTH = 96
_STRING = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)


def quoted(text: str) -> str:
    """Return a string in quotes. Raises SceneError for one that the format cannot hold: it undoes
    the backslash before a quote, and no other."""
    escaped = text.replace('"', '\\"')
    if not _STRING.fullmatch(escaped) or escaped.replace('\\"', '"') != text:
        raise SceneError(f"{text[:60]!r} cannot be written: a backslash meets a quote in it")
    return f'"{escaped}"'


def names(items: Iterable[str]) -> str:
    """Return names between brackets."""
    return f"[ {', '.join(map(quoted, items))} ]"


def atom(value: Atom) -> str:
    """Return a number, a truth, a string or ``null``. Floats keep every bit, and a point."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "on" if value else "off"
    return quoted(value) if isinstance(value, str) else repr(value)


def atoms(values: Iterable[Atom]) -> str:
    """Return values side by side."""
    return " ".join(map(atom, values))


def numbers(values: Iterable[float]) -> str:
    """Return floats side by side; whole ones without their point."""
    return " ".join(repr(float(v)).removesuffix(".0") for v in values)


def value(item: Value) -> str:
    """Return an argument's value."""
    if isinstance(item, Connection):
        return f"= {'interface ' if item.interface else ''}{quoted(item.name)}"
    if isinstance(item, Mapping):
        return f"{{ {', '.join(_arguments(item))} }}"
    if isinstance(item, list):
        return f"[ {', '.join(map(value, item))} ]"
    return atoms(item)


def _arguments(arguments: Mapping[str, Value]) -> list[str]:
    return [f"{quoted(name)} {value(item)}" for name, item in arguments.items()]


def shader_lines(shader: ShaderCall | ShaderName, indent: str) -> Iterator[str]:
    """Yield one shader of a list: in one line if it fits."""
    if isinstance(shader, ShaderName):
        yield f"{indent}= {quoted(shader.name)}"
        return
    arguments = _arguments(shader.arguments)
    line = f"{indent}{quoted(shader.type)} ( {', '.join(arguments)} )"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{indent}{quoted(shader.type)} ("
    yield ",\n".join(f"{indent}    {argument}" for argument in arguments)
    yield f"{indent})"


def slot_lines(slot: str, shaders: ShaderList) -> Iterator[str]:
    """Yield a keyword and the shaders behind it."""
    yield f"    {slot}"
    for shader in shaders:
        yield from shader_lines(shader, "        ")
