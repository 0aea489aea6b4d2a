"""Polygons to triangles: fans where they are convex, ear clipping otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuqueue import _scene_reader
from gpuqueue.scene.ear_clipping import clip
from gpuqueue.scene.source import Place
from gpuqueue.scene.watch import Watch

#: Corners of one concave polygon, holes included; the cost grows with the square.
MAX_CORNERS = 5000

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outer loop of vertices, counter-clockwise from the front, and its holes."""

    loops: list[list[int]]
    #: None for one that is small enough in any case.
    at: Place | None

    @property
    def triangle_count(self) -> int:
        """The corners less two, and two more for each hole."""
        return sum(map(len, self.loops)) - 2 + 2 * (len(self.loops) - 1)


@dataclass(frozen=True)
class Polygons:
    """P polygons of one loop each: all corners ``[C]`` one after the other, and their numbers
    ``[P]``; then those with holes. `places` tells where those stand that may be too large."""

    corners: NDArray[np.int32]
    lengths: NDArray[np.int32]
    places: Mapping[int, Place] = field(default_factory=dict)
    holed: Sequence[Polygon] = ()

    def triangle_counts(self) -> NDArray[np.int64]:
        """Return how many triangles each gives."""
        of_holed = [polygon.triangle_count for polygon in self.holed]
        return np.concatenate([self.lengths - np.int64(2), np.array(of_holed, np.int64)])


def triangulate(
    positions: NDArray[np.float32], polygons: Polygons, watch: Watch | None = None
) -> NDArray[np.int32]:
    """Return triangles ``[T, 3]`` of vertices, those of each polygon in its turn.

    Raises SceneError for a concave polygon of more than `MAX_CORNERS` corners.
    """
    watch = watch or Watch()
    if not polygons.holed and (polygons.lengths == 3).all():
        return polygons.corners.reshape(-1, 3)
    counts = polygons.triangle_counts()
    ends = counts.cumsum()
    fans = int(counts[: len(polygons.lengths)].sum())
    triangles = np.empty((int(counts.sum()), 3), np.int32)
    concave = _fan(positions, polygons, triangles[:fans], watch)
    starts = np.cumsum(polygons.lengths, dtype=np.int64) - polygons.lengths
    jobs = [(int(i), _loop(polygons, int(i), starts)) for i in concave]
    jobs += list(enumerate(polygons.holed, len(polygons.lengths)))
    for done, (index, polygon) in enumerate(jobs):
        watch("Cutting concave polygons", done / len(jobs))
        triangles[ends[index] - counts[index] : ends[index]] = _clip(positions, polygon)
    return triangles


def _fan(
    positions: NDArray[np.float32],
    polygons: Polygons,
    triangles: NDArray[np.int32],
    watch: Watch,
) -> NDArray[np.int64]:
    """Fill in fans from each first corner; return the numbers of the polygons that are concave."""
    count = max(1, len(polygons.lengths))
    concave: NDArray[np.int64] = _scene_reader.fans(
        positions,
        polygons.corners,
        polygons.lengths,
        triangles,
        lambda done: watch("Cutting polygons", done / count),
    )
    return concave


def _loop(polygons: Polygons, index: int, starts: NDArray[np.int64]) -> Polygon:
    corners = polygons.corners[starts[index] :][: polygons.lengths[index]]
    return Polygon([corners.tolist()], polygons.places.get(index))


def _clip(positions: NDArray[np.float32], polygon: Polygon) -> NDArray[np.int32]:
    corners = sum(map(len, polygon.loops))
    if corners > MAX_CORNERS and polygon.at is not None:
        raise polygon.at.error(
            f"a concave polygon of {corners} corners; at most {MAX_CORNERS} are possible"
        )
    known, places = np.unique(np.concatenate(polygon.loops), return_inverse=True)
    points = positions[known].astype(np.float64)
    ends = np.cumsum([len(loop) for loop in polygon.loops])[:-1]
    loops = [loop.tolist() for loop in np.split(places.reshape(-1), ends)]
    triangles = np.array(clip(points, loops, _normal(points[loops[0]])))
    return np.asarray(known[triangles], np.int32)


def _cross(a: Points, b: Points) -> Points:
    """Cross products of vectors ``[..., 3]``; numpy's own is slow on short arrays."""
    x, y, z = (a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1)))
    return np.stack([x, y, z], axis=-1)


def _normal(loop: Points) -> Points:
    """Newell's normal of a loop ``[N, 3]``: its length is twice the area, for any planar or nearly
    planar loop."""
    spokes = loop - loop.mean(axis=0)
    normal: Points = _cross(spokes, np.roll(spokes, -1, axis=0)).sum(axis=0)
    return normal
