"""The entities of a scene while its files are read: one name space, declarations apart."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from gpuqueue.scene.entities import Declaration, Entity, Object, Phenomenon, Render
from gpuqueue.scene.source import Place
from gpuqueue.scene.textures.graph import TextureGraph
from gpuqueue.scene.textures.image_library import ImageLibrary
from gpuqueue.scene.warnings import Warnings
from gpuqueue.scene.watch import Watch

E = TypeVar("E", bound=Entity)
#: Points of all curved surfaces, which bounds time and memory.
MAX_SURFACE_POINTS = 1 << 22


class Document:
    """What has been read so far; images are found below `root`.

    `incremental` is set while an entity is re-opened.
    """

    def __init__(self, root: Path, watch: Watch | None = None) -> None:
        self.watch = watch or Watch()
        self.entities: dict[str, Entity] = {}
        self.declarations: dict[str, Declaration] = {}
        self.phenomena: dict[str, Phenomenon] = {}
        self.render: Render | None = None
        self.warnings = Warnings()
        self.images = ImageLibrary(root, self.warnings)
        self.textures = TextureGraph(self)
        self.open_namespaces = 0
        #: Points that free-form surfaces have been cut into so far.
        self.surface_points = 0
        self.incremental = False

    def define(self, entity: Entity) -> None:
        """Keep an entity; one of the same name is replaced, with a warning."""
        if entity.name in self.entities and not self.incremental:
            self.warnings(f"'{entity.name}' is defined again; the later one counts", entity.at)
        if isinstance(entity, Object) and entity.geometry is not None:
            self.watch.keep_memory(entity.geometry.nbytes, entity.at.error)
        self.entities[entity.name] = entity

    def base(self, kind: type[E], name: str, at: Place) -> E:
        """Return what a statement starts from: defaults, or the entity that it re-opens."""
        old = self.entities.get(name)
        if not self.incremental:
            return kind(name, at)
        if not isinstance(old, kind):
            raise at.error(f"incremental: there is no {kind.__name__.lower()} '{name}' to change")
        return old

    def count_surface_points(self, count: int, at: Place) -> None:
        """Count points that a curved surface was cut into; too many are an error at `at`."""
        self.surface_points += count
        if self.surface_points > MAX_SURFACE_POINTS:
            raise at.error(
                f"the surfaces have more than {MAX_SURFACE_POINTS} points in all:"
                " approximate them less finely"
            )

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
