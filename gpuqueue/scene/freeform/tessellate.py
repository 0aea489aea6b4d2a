"""A surface to triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.freeform.approximation import (
    MAX_POINTS,
    Approximation,
    Range,
    choose_cuts,
    point_count,
    samples,
)
from gpuqueue.scene.freeform.bases import Floats, Indices, Samples, Spots
from gpuqueue.scene.freeform.surface import Surface
from gpuqueue.scene.freeform.trim import Outline, trimmed

#: Points this near to each other, of the surface's size, are one: a file has six decimals.
_SAME = 1e-6
#: Points of a trimmed surface's grid; each of its lines is cut into the triangles on its own.
MAX_TRIMMED = 1 << 16


@dataclass(frozen=True, eq=False)
class Patch:
    """A surface, its ranges of u and v, the surface whose x, y are texture coordinates (None: u
    and v themselves), and the outlines that trim it."""

    surface: Surface
    ranges: tuple[Range, Range]
    texture: Surface | None = None
    outlines: tuple[Outline, ...] = ()


@dataclass(frozen=True, eq=False)
class Triangles:
    """points, normals ``[N, 3]`` (zero: none), uvs ``[N, 2]``; corners ``[T, 3]``, whose front
    is that of dS/du x dS/dv."""

    points: Floats
    normals: Floats
    uvs: Floats
    corners: Indices


def tessellate(patch: Patch, how: Approximation) -> Triangles:
    """Return the triangles of a surface.

    Points of one place are the same to the bit, on a seam, at a pole and on the edge that two
    surfaces with equal control points and cuts share; triangles without area are left out.
    Raises ValueError for more than `MAX_POINTS` points, `MAX_TRIMMED` if it is trimmed, and
    CrossingOutlines.
    """
    with np.errstate(all="ignore"):  # what is not finite is for the caller to refuse
        u, v = samples(patch.surface, patch.ranges, _checked_cuts(patch, how))
        if patch.outlines:
            return _trimmed(patch, u, v)
        points, by_u, by_v = patch.surface.grid(u.spots, v.spots)
        rows, columns = points.shape[:2]
        u_spots = u.spots[np.tile(np.arange(columns), rows)]
        v_spots = v.spots[np.repeat(np.arange(rows), columns)]
        normals = patch.surface.normals(u_spots, v_spots, by_u.reshape(-1, 3), by_v.reshape(-1, 3))
        points = _joined(points, u.columns, v.columns).reshape(-1, 3)
        corners = _corners(u.columns, v.columns, columns)
        return Triangles(
            points, normals, _texture(patch, u_spots, v_spots), _with_area(points, corners)
        )


def _checked_cuts(patch: Patch, how: Approximation) -> list[int]:
    cuts = choose_cuts(patch.surface, patch.ranges, how)
    total = point_count(patch.surface, patch.ranges, cuts)
    most = MAX_TRIMMED if patch.outlines else MAX_POINTS
    if total > most:
        raise ValueError(
            f"this surface is to be cut into {total} points; at most {most} are possible:"
            " approximate it less finely"
        )
    return cuts


def _trimmed(patch: Patch, u: Samples, v: Samples) -> Triangles:
    """Corners on a crease are doubled, so that each side has its own normals."""
    axes = (patch.surface.u, patch.surface.v)
    lines = [axis.parameters(s.spots) for axis, s in zip(axes, (u, v), strict=True)]
    flat, corners = trimmed(patch.outlines, *(np.unique(line) for line in lines))
    middles = flat[corners].mean(axis=1)
    pieces = [
        np.repeat(axis.pieces[axis.locate(middle).span], 3)
        for axis, middle in zip(axes, middles.T, strict=True)
    ]
    keys = np.stack([corners.ravel(), *pieces], axis=1)
    kept, corners = np.unique(keys, axis=0, return_inverse=True)
    u_spots, v_spots = (
        axis.locate_in(kept[:, 1 + i], flat[kept[:, 0], i]) for i, axis in enumerate(axes)
    )
    points, by_u, by_v = patch.surface.at(u_spots, v_spots)
    normals = patch.surface.normals(u_spots, v_spots, by_u, by_v)
    uvs = _texture(patch, u_spots, v_spots)
    return Triangles(points + 0.0, normals, uvs, _with_area(points, corners.reshape(-1, 3)))


def _texture(patch: Patch, u: Spots, v: Spots) -> Floats:
    """Texture coordinates at N pairs of places."""
    parameters = patch.surface.u.parameters(u), patch.surface.v.parameters(v)
    if patch.texture is None:
        return np.stack(parameters, axis=1)
    at = patch.texture.u.locate(parameters[0]), patch.texture.v.locate(parameters[1])
    return patch.texture.at(*at)[0][:, :2]


def _joined(points: Floats, u: Indices, v: Indices) -> Floats:
    """Points ``[R, C, 3]`` with seams and poles closed to the bit."""
    size = np.nanmax(np.ptp(points, axis=(0, 1)), initial=0.0)
    _join(points, u, _SAME * size)
    _join(points.swapaxes(0, 1), v, _SAME * size)
    return points + 0.0  # no negative zeros


def _join(points: Floats, columns: Indices, near: float) -> None:
    """Make columns ``[R]`` of `points` ``[R, C, 3]`` equal that lie on each other: those of two
    spans that meet in a crease, and the last and first of a closed surface. A column that is a
    single place becomes a single point."""
    meeting = [
        *zip(columns[:-1, -1], columns[1:, 0], strict=True),
        (columns[0, 0], columns[-1, -1]),
    ]
    for kept, changed in meeting:
        if (abs(points[:, kept] - points[:, changed]) <= near).all():
            points[:, changed] = points[:, kept]
    for end in (columns[0, 0], columns[-1, -1]):
        if (abs(points[:, end] - points[:1, end]) <= near).all():
            points[:, end] = points[:1, end]


def _corners(u: Indices, v: Indices, row: int) -> Indices:
    """Two triangles for each cell between neighbouring columns u and v; `row` points a row."""
    low = (v[:, :-1].ravel() * row)[:, None]
    high = (v[:, 1:].ravel() * row)[:, None]
    left, right = u[:, :-1].ravel(), u[:, 1:].ravel()
    a, b, c, d = low + left, low + right, high + right, high + left
    triangles = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    return triangles.astype(np.int64)


def _with_area(points: Floats, corners: Indices) -> Indices:
    """Without the triangles that have two corners in one place."""
    stored = points.astype(np.float32)
    a, b, c = (stored[corners[:, i]] for i in range(3))
    flat: NDArray[np.bool_] = (a == b).all(axis=1) | (b == c).all(axis=1) | (c == a).all(axis=1)
    return corners[~flat]
