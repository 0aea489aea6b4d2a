"""The entities of a scene while its files are read: one name space, declarations apart."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from gpuqueue.scene.entities import Declaration, Entity, Render
from gpuqueue.scene.source import Place

E = TypeVar("E", bound=Entity)
MAX_WARNINGS = 100


class Warnings:
    """Messages with their places. Each `topic` is told once, and all together are bounded."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._topics: set[str] = set()
        self._left_out = 0

    def __call__(self, message: str, at: Place | None = None, topic: str | None = None) -> None:
        """Note a warning, unless its topic (default: the message) was told before."""
        if (topic or message) in self._topics:
            return
        if len(self._messages) >= MAX_WARNINGS:
            self._left_out += 1
            return
        self._topics.add(topic or message)
        self._messages.append(f"{at}: {message}" if at else message)

    def all(self) -> tuple[str, ...]:
        """Return every message, in order."""
        more = (f"{self._left_out} further warnings are not shown",) if self._left_out else ()
        return (*self._messages, *more)


class Document:
    """What has been read so far. `incremental` is set while an entity is re-opened."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.declarations: dict[str, Declaration] = {}
        self.render: Render | None = None
        self.warnings = Warnings()
        self.open_namespaces = 0
        #: Points that free-form surfaces have been cut into so far.
        self.surface_points = 0
        self.incremental = False

    def define(self, entity: Entity) -> None:
        """Keep an entity; one of the same name is replaced, with a warning."""
        if entity.name in self.entities and not self.incremental:
            self.warnings(f"'{entity.name}' is defined again; the later one counts", entity.at)
        self.entities[entity.name] = entity

    def base(self, kind: type[E], name: str, at: Place) -> E:
        """Return what a statement starts from: defaults, or the entity that it re-opens."""
        old = self.entities.get(name)
        if not self.incremental:
            return kind(name, at)
        if not isinstance(old, kind):
            raise at.error(f"incremental: there is no {kind.__name__.lower()} '{name}' to change")
        return old

    def find(self, kind: type[E], name: str, at: Place, what: str) -> E:
        """Return the entity of this name and kind, or raise at `at`."""
        entity = self.entities.get(name)
        if entity is None:
            raise at.error(f"{what} '{name}' is not defined{_similar(name, self.entities)}")
        if not isinstance(entity, kind):
            raise at.error(
                f"'{name}' is no {what}: {type(entity).__name__.lower()} '{name}' is defined"
                f" at {entity.at}"
            )
        return entity


def _similar(name: str, known: Mapping[str, Entity]) -> str:
    close = get_close_matches(name[:100], [k for k in list(known)[:2000] if len(k) < 100], n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
