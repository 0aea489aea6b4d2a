"""How finely a surface is cut: asked for directly, or until bounds of the error hold.

The bounds are those of whole surfaces: every span of an axis is cut alike, in 1, 2, 4, ...
pieces, until each length, distance and angle between neighbouring points is small enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gpuqueue.scene.freeform.bases import Axis, Floats, Indices, Samples
from gpuqueue.scene.freeform.surface import Surface

#: Points of one surface, which bounds time and memory.
MAX_POINTS = 1 << 20

Range = tuple[float, float]


@dataclass(frozen=True)
class Approximation:
    """Cuts along u and v, or bounds; of bounds, 0 is none.

    `parametric` times the degree is the number of cuts of each span, or if `regular` that of the
    whole surface. `length` and `distance` (from the surface) are in object space, `angle`
    between neighbouring normals in degrees. All bounds must hold, or `any_bound`. `levels` are
    the least and the most halvings of a span.
    """

    parametric: tuple[float, float] | None = None
    regular: bool = False
    length: float = 0.0
    distance: float = 0.0
    angle: float = 0.0
    any_bound: bool = False
    levels: tuple[int, int] = (0, 5)


#: For surfaces that no statement names.
DEFAULT = Approximation(angle=10.0, levels=(1, 5))


def choose_cuts(surface: Surface, ranges: tuple[Range, Range], how: Approximation) -> list[int]:
    """Return how many cuts each span of u and of v gets within these ranges.

    Refinement ends where the surface would have more than `MAX_POINTS` points.
    """
    if how.parametric is not None:
        return [
            _parametric_cuts(axis, bounds, number, regular=how.regular)
            for axis, bounds, number in zip(
                (surface.u, surface.v), ranges, how.parametric, strict=True
            )
        ]
    levels = [how.levels[0]] * 2
    while True:
        halves = [2 << level for level in levels]  # each cut is judged with its middle
        if point_count(surface, ranges, halves) > MAX_POINTS:
            break
        too_coarse = _judge(surface, *samples(surface, ranges, halves), how)
        grows = [
            coarse and level < how.levels[1]
            for coarse, level in zip(too_coarse, levels, strict=True)
        ]
        if not any(grows):
            break
        levels = [level + grow for level, grow in zip(levels, grows, strict=True)]
    return [1 << level for level in levels]


def point_count(surface: Surface, ranges: tuple[Range, Range], cuts: list[int]) -> int:
    """Return how many points so many cuts of each span make, creases aside."""
    counts = [
        len(axis.spans_within(*bounds)) * cut + 1
        for axis, bounds, cut in zip((surface.u, surface.v), ranges, cuts, strict=True)
    ]
    return counts[0] * counts[1]


def samples(
    surface: Surface, ranges: tuple[Range, Range], cuts: list[int]
) -> tuple[Samples, Samples]:
    """Return the places along u and v that cut each span so often."""
    return surface.u.sample(*ranges[0], cuts[0]), surface.v.sample(*ranges[1], cuts[1])


def _parametric_cuts(axis: Axis, bounds: Range, number: float, *, regular: bool) -> int:
    spans = len(axis.spans_within(*bounds))
    wanted = number / spans if regular else number * axis.degree
    return max(1, math.ceil(min(wanted, MAX_POINTS) - 1e-9))


def _judge(surface: Surface, u: Samples, v: Samples, how: Approximation) -> tuple[bool, bool]:
    """Whether the cuts along u, and those along v, are too coarse."""
    points, by_u, by_v = surface.grid(u.spots, v.spots)
    normals = np.cross(by_u, by_v)
    size = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = np.divide(normals, size, out=np.zeros_like(normals), where=size > 0)
    along_u = _is_too_coarse(points, normals, u.columns, how)
    along_v = _is_too_coarse(points.swapaxes(0, 1), normals.swapaxes(0, 1), v.columns, how)
    return along_u, along_v


def _is_too_coarse(points: Floats, normals: Floats, columns: Indices, how: Approximation) -> bool:
    """Whether bounds are exceeded along the second axis; odd columns are middles of cuts."""
    starts, middles, ends = (columns[:, part].ravel() for part in _PARTS)
    before, at, after = points[:, starts], points[:, middles], points[:, ends]
    exceeded = []
    if how.length:
        lengths = _norm(at - before) + _norm(after - at)
        exceeded.append(bool((lengths > how.length).any()))
    if how.distance:
        exceeded.append(bool((_norm(at - (before + after) / 2) > how.distance).any()))
    if how.angle:
        angles = _angle(normals[:, starts], normals[:, middles])
        angles = angles + _angle(normals[:, middles], normals[:, ends])
        exceeded.append(bool((angles > math.radians(how.angle)).any()))
    return all(exceeded) and bool(exceeded) if how.any_bound else any(exceeded)


_PARTS = (slice(0, -1, 2), slice(1, None, 2), slice(2, None, 2))


def _norm(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=-1)
    return lengths


def _angle(a: Floats, b: Floats) -> Floats:
    """Angles between unit vectors; none where one is missing."""
    both = (a != 0).any(axis=-1) & (b != 0).any(axis=-1)
    return np.where(both, 2 * np.arcsin(np.minimum(_norm(a - b) / 2, 1)), 0)
