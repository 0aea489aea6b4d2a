"""As many steps as an approximation asks for, and triangles with normals of what comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.freeform.approximation import Approximation
from gpuqueue.scene.subdivision.catmull_clark import catmull_clark
from gpuqueue.scene.subdivision.loop import loop
from gpuqueue.scene.subdivision.polygons import Floats, Indices, Polygons

#: Corners of one refined surface, which bounds time and memory.
MAX_CORNERS = 1 << 22
#: Steps at most: each has four times the polygons.
MAX_STEPS = 8
#: For surfaces that no statement names: neighbouring facets within 15 degrees.
DEFAULT = Approximation(angle=15.0, levels=(1, 4))


@dataclass(frozen=True, eq=False)
class Refined:
    """points, normals ``[N, 3]``, uvs ``[N, 2]`` or None, triangles ``[T, 3]``, and the number of
    the polygon ``[T]`` that each triangle comes from."""

    points: Floats
    normals: Floats
    uvs: Floats | None
    triangles: Indices
    origin: Indices


def refine(mesh: Polygons, how: Approximation) -> Refined:
    """Return triangles that approximate the surface a mesh controls.

    Triangles are refined by Loop's rules, meshes with other polygons by Catmull and Clark's.
    """
    step = loop if (mesh.sizes == 3).all() else catmull_clark
    least, most = how.levels
    if how.parametric is not None:
        least = most = round(how.parametric[0])
    steps = 0
    while steps < min(most, MAX_STEPS) and 4 * len(mesh.corners) <= MAX_CORNERS:
        if steps >= least and _is_fine(mesh, how):
            break
        mesh = step(mesh)
        steps += 1
    return _triangles(mesh)


def _is_fine(mesh: Polygons, how: Approximation) -> bool:
    """Whether the bounds hold. The distance from the surface is taken for an eighth of what two
    neighbouring facets bend over the length of an edge."""
    edges = mesh.edges
    length = np.linalg.norm(np.diff(mesh.points[edges.ends], axis=1)[:, 0], axis=1)
    bend = _bends(mesh)
    bounds = [
        (how.length, length.max(initial=0)),
        (how.angle, np.degrees(bend.max(initial=0))),
        (how.distance, (bend * length).max(initial=0) / 8),
    ]
    held = [value <= bound for bound, value in bounds if bound > 0]
    return any(held) if how.any_bound else all(held)


def _bends(mesh: Polygons) -> Floats:
    """Angles ``[E]`` between the polygons of each edge; 0 where it is sharp."""
    edges = mesh.edges
    normals = _facet_normals(mesh)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    order = np.argsort(edges.of_corner, kind="stable")
    first = np.cumsum(edges.uses) - edges.uses
    second = first + np.minimum(edges.uses, 2) - 1
    a, b = (normals[mesh.polygon[order[places]]] for places in (first, second))
    angle = np.arccos(np.clip((a * b).sum(axis=1), -1, 1))
    return np.where(edges.sharpness > 0, 0.0, angle)


def _facet_normals(mesh: Polygons) -> Floats:
    """Normals ``[F, 3]`` as long as twice the areas (Newell's sum)."""
    centre = mesh.polygon_means(mesh.points[mesh.corners])[mesh.polygon]
    here = mesh.points[mesh.corners] - centre
    return mesh.polygon_means(np.cross(here, here[mesh.following])) * mesh.sizes[:, None]


def _triangles(mesh: Polygons) -> Refined:
    """Fans of the polygons; a vertex stands once for each side of a crease and of a seam of uv."""
    side = _sides(mesh)
    normals = np.zeros((side.max(initial=-1) + 1, 3))
    np.add.at(normals, side, _facet_normals(mesh)[mesh.polygon])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    columns = [mesh.corners[:, None].astype(np.float64), side[:, None].astype(np.float64)]
    rows = np.hstack(columns if mesh.uvs is None else [*columns, mesh.uvs])
    _, where, names = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    names = names.reshape(-1)
    starts = np.cumsum(mesh.sizes) - mesh.sizes
    corner = np.arange(len(mesh.corners))
    inner = (corner != starts[mesh.polygon]) & (mesh.following != starts[mesh.polygon])
    triangles = np.stack(
        [names[starts[mesh.polygon[inner]]], names[corner[inner]], names[mesh.following[inner]]],
        axis=1,
    )
    return Refined(
        mesh.points[mesh.corners[where]],
        normals[side[where]],
        None if mesh.uvs is None else mesh.uvs[where],
        triangles,
        mesh.origin[mesh.polygon[inner]],
    )


def _sides(mesh: Polygons) -> NDArray[np.int64]:
    """Number corners ``[C]`` so that those of one vertex have the same number if no crease lies
    between them."""
    edges = mesh.edges
    order = np.argsort(edges.of_corner, kind="stable")
    shared = np.flatnonzero((edges.uses == 2) & (edges.sharpness <= 0))
    first = (np.cumsum(edges.uses) - edges.uses)[shared]
    a, b = order[first], order[first + 1]
    # The edge of a starts where that of b ends, unless the two polygons are turned differently.
    same = mesh.corners[a] == mesh.corners[b]
    pairs = [
        (a, np.where(same, b, mesh.following[b])),
        (mesh.following[a], np.where(same, mesh.following[b], b)),
    ]
    names = np.arange(len(mesh.corners))
    while True:
        before = names.copy()
        for one, other in pairs:
            least = np.minimum(names[one], names[other])
            np.minimum.at(names, one, least)
            np.minimum.at(names, other, least)
        names = names[names]
        if (names == before).all():
            return np.unique(names, return_inverse=True)[1].reshape(-1).astype(np.int64)
