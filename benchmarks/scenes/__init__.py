"""The five scenes of the benchmarks, built from numbers: the same triangles for every renderer.

Nothing but numpy is imported here, so that the workers of other renderers, which live in virtual
environments of their own, build the same scenes.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.scenes.cornell import cornell
from benchmarks.scenes.description import Scene
from benchmarks.scenes.lamps import lamps
from benchmarks.scenes.planet import planet
from benchmarks.scenes.room import room
from benchmarks.scenes.terrain import terrain

__all__ = ["SCENES", "Scene", "build"]

#: Each takes the share of its triangles to make.
SCENES: dict[str, Callable[[float], Scene]] = {
    "cornell": cornell,
    "terrain": terrain,
    "room": room,
    "lamps": lamps,
    "planet": planet,
}


def build(name: str, detail: float = 1.0) -> Scene:
    """The scene `name` with about `detail` of its triangles, 0 < detail <= 1.

    The numbers of instances, lights and materials do not depend on `detail`. Raises ValueError
    for an unknown name or a detail out of range.
    """
    if name not in SCENES:
        raise ValueError(f"unknown scene '{name}'; known: {', '.join(SCENES)}")
    if not 0 < detail <= 1:
        raise ValueError(f"detail is {detail}; expected more than 0 and at most 1")
    return SCENES[name](detail)
