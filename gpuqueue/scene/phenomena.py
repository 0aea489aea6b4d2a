"""Calls of phenomena become the shaders that these are made of.

Each call gets shaders of its own, under names that begin with that of the phenomenon and a number;
where they ask for the interface, they have what the call says, else the declared default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import (
    Camera,
    Connection,
    Entity,
    Light,
    Material,
    NamedShader,
    Phenomenon,
    ShaderCall,
    ShaderList,
    ShaderName,
    Value,
)
from gpuqueue.scene.source import Place

#: Values of all calls together, and calls inside each other: phenomena may be made of phenomena.
MAX_VALUES = 1 << 20
MAX_DEPTH = 16


def expand_phenomena(document: Document) -> None:
    """Replace every call of a phenomenon. Raises SceneError where they contain each other."""
    if document.phenomena:
        _Expansion(document).run()


class _Expansion:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0
        self._calls = 0
        self._depth = 0
        #: Entities whose shaders are still to be looked at, and how many calls they are inside of.
        self._waiting = [(name, 0) for name in document.entities]

    def run(self) -> None:
        while self._waiting:
            name, self._depth = self._waiting.pop()
            self._document.entities[name] = self._expanded(self._document.entities[name])

    def _expanded(self, entity: Entity) -> Entity:
        if isinstance(entity, NamedShader | Light):
            return replace(entity, shaders=self._list(entity.shaders))
        if isinstance(entity, Material):
            slots = {slot: self._list(shaders, slot) for slot, shaders in entity.slots.items()}
            return replace(entity, shaders=self._list(entity.shaders), slots=slots)
        if isinstance(entity, Camera):
            return replace(
                entity,
                lens=self._list(entity.lens, "lens"),
                environment=self._list(entity.environment, "environment"),
                volume=self._list(entity.volume, "volume"),
            )
        return entity

    def _list(self, shaders: ShaderList, slot: str = "") -> ShaderList:
        """A list with each call of a phenomenon replaced by its root, or what it has for a slot."""
        found: list[ShaderCall | ShaderName] = []
        for shader in shaders:
            phenomenon = self._phenomenon(shader)
            if phenomenon is None or not isinstance(shader, ShaderCall):
                found.append(shader)
            else:
                found += self._instance(phenomenon, shader, slot)
        return tuple(found)

    def _phenomenon(self, shader: ShaderCall | ShaderName) -> Phenomenon | None:
        if isinstance(shader, ShaderName):
            return None
        return self._document.phenomena.get(shader.type)

    def _instance(self, phenomenon: Phenomenon, call: ShaderCall, slot: str) -> ShaderList:
        name = phenomenon.declaration.name
        if self._depth >= MAX_DEPTH:
            raise call.at.error(
                f"phenomena are nested more than {MAX_DEPTH} deep; does '{name}' contain itself?"
            )
        self._calls += 1
        own = _Instance(self, phenomenon, call, f"{name}#{self._calls}/")
        for entity in phenomenon.entities.values():
            self.count(1, call.at)
            if isinstance(entity, NamedShader):
                inner = own.renamed(entity.name)
                self._document.entities[inner] = NamedShader(
                    inner, entity.at, own.list(entity.shaders)
                )
                self._waiting.append((inner, self._depth + 1))
        return own.list(phenomenon.slots.get(slot, phenomenon.root))

    def count(self, values: int, at: Place) -> None:
        """Count what is written anew; too much of it is an error at a call."""
        self._values += values
        if self._values > MAX_VALUES:
            raise at.error(f"phenomena expand to more than {MAX_VALUES} values")


class _Instance:
    """One call: its shaders under names of their own."""

    def __init__(
        self, expansion: _Expansion, phenomenon: Phenomenon, call: ShaderCall, prefix: str
    ) -> None:
        self._expansion = expansion
        self._phenomenon = phenomenon
        self._call = call
        self._prefix = prefix

    def renamed(self, name: str) -> str:
        """The name that a shader of the phenomenon, or a member of its result, has here."""
        inner = self._phenomenon.entities
        known = name in inner or name.rpartition(".")[0] in inner
        return self._prefix + name if known else name

    def list(self, shaders: ShaderList) -> ShaderList:
        return tuple(self._shader(shader) for shader in shaders)

    def _shader(self, shader: ShaderCall | ShaderName) -> ShaderCall | ShaderName:
        if isinstance(shader, ShaderName):
            return replace(shader, name=self.renamed(shader.name))
        return replace(shader, arguments=self._arguments(shader.arguments))

    def _arguments(self, arguments: Mapping[str, Value]) -> dict[str, Value]:
        found = {name: self._value(value) for name, value in arguments.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, value: Value) -> Value | None:
        """A value as it is here; None if the interface gives none."""
        self._expansion.count(1, self._call.at)
        if isinstance(value, Connection):
            if value.interface:
                return self._of_interface(value.name)
            return replace(value, name=self.renamed(value.name))
        if isinstance(value, Mapping):
            return self._arguments(value)
        if isinstance(value, list):
            return [found for item in value if (found := self._value(item)) is not None]
        self._expansion.count(len(value), self._call.at)
        return tuple(self.renamed(v) if isinstance(v, str) else v for v in value)

    def _of_interface(self, name: str) -> Value | None:
        """What the call gives, by name or ``struct.member``; else what is declared."""
        first, *members = name.split(".") if name not in self._call.arguments else [name]
        value = self._call.arguments.get(first)
        for member in members:
            value = value.get(member) if isinstance(value, Mapping) else None
        return self._phenomenon.declaration.defaults.get(name) if value is None else value
