"""A mesh of polygons with creases, and what is around its edges and vertices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
#: Sharpness of what stays sharp however often it is refined.
SHARP = np.inf


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygons that share vertices.

    points ``[V, 3]``; corners ``[C]`` are vertices, polygon by polygon; sizes ``[F]`` say how many
    are each polygon's; uvs ``[C, 2]`` belong to corners, or None. creases ``[K, 2]`` are pairs of
    vertices whose edges have the sharpness ``[K]``: a step more than that keeps no crease.
    corner_sharpness ``[V]`` is that of vertices. origin ``[F]`` numbers the polygon that each was
    refined from.
    """

    points: Floats
    corners: Indices
    sizes: Indices
    uvs: Floats | None
    creases: Indices
    sharpness: Floats
    corner_sharpness: Floats
    origin: Indices

    @cached_property
    def polygon(self) -> Indices:
        """The polygon ``[C]`` of each corner."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def following(self) -> Indices:
        """The corner ``[C]`` after each, round its polygon."""
        ends = np.cumsum(self.sizes)
        after = np.arange(len(self.corners)) + 1
        after[ends - 1] = ends - self.sizes
        return after

    @cached_property
    def preceding(self) -> Indices:
        """The corner ``[C]`` before each."""
        before = np.empty_like(self.following)
        before[self.following] = np.arange(len(self.corners))
        return before

    @cached_property
    def edges(self) -> Edges:
        """The edges of all polygons."""
        return _edges(self)

    def polygon_means(self, values: Floats) -> Floats:
        """Return the mean over each polygon's corners of values ``[C, N]``."""
        starts = np.cumsum(self.sizes) - self.sizes
        return np.add.reduceat(values, starts, axis=0) / self.sizes[:, None]


@dataclass(frozen=True, eq=False)
class Edges:
    """ends ``[E, 2]`` are vertices in ascending order; of_corner ``[C]`` is the edge from a corner
    to the following one; uses ``[E]`` counts polygons; sharpness ``[E]``."""

    ends: Indices
    of_corner: Indices
    uses: Indices
    sharpness: Floats


def _edges(mesh: Polygons) -> Edges:
    """An edge of one polygon, or of more than two, is sharp: there is no surface across it."""
    pairs = np.stack([mesh.corners, mesh.corners[mesh.following]], axis=1)
    keys = _keys(pairs, len(mesh.points))
    unique, of_corner, uses = np.unique(keys, return_inverse=True, return_counts=True)
    ends = np.stack(np.divmod(unique, len(mesh.points)), axis=1)
    sharpness = np.where(uses == 2, 0.0, SHARP)
    creases = _keys(mesh.creases, len(mesh.points))
    places = np.searchsorted(unique, creases)
    known = places < len(unique)
    known[known] = unique[places[known]] == creases[known]
    np.maximum.at(sharpness, places[known], mesh.sharpness[known])
    return Edges(ends, of_corner.reshape(-1).astype(np.int64), uses, sharpness)


def _keys(pairs: Indices, count: int) -> Indices:
    ordered = np.sort(pairs.reshape(-1, 2), axis=1)
    return ordered[:, 0] * count + ordered[:, 1]


@dataclass(frozen=True, eq=False)
class Around:
    """Sums over what is around each vertex ``[V]``: edges and sharp edges, their other ends, and
    the sharpness of the sharp ones."""

    edges: Indices
    neighbours: Floats
    sharp_edges: Indices
    sharp_neighbours: Floats
    sharpness: Floats


def around_vertices(mesh: Polygons) -> Around:
    """Return what is around each vertex."""
    edges, count = mesh.edges, len(mesh.points)
    is_sharp = edges.sharpness > 0
    sharp_ends = edges.ends[is_sharp]
    sharpness = np.repeat(edges.sharpness[is_sharp], 2)
    return Around(
        np.bincount(edges.ends.ravel(), minlength=count),
        sum_over(edges.ends.ravel(), mesh.points[edges.ends[:, ::-1].ravel()], count),
        np.bincount(sharp_ends.ravel(), minlength=count),
        sum_over(sharp_ends.ravel(), mesh.points[sharp_ends[:, ::-1].ravel()], count),
        sum_over(sharp_ends.ravel(), sharpness[:, None], count)[:, 0],
    )


def sum_over(groups: Indices, values: Floats, count: int) -> Floats:
    """Return the sums ``[count, N]`` of values ``[M, N]`` by group."""
    columns = [np.bincount(groups, values[:, i], count) for i in range(values.shape[1])]
    return np.stack(columns, axis=1)


def moved_vertices(mesh: Polygons, smooth: Floats) -> Floats:
    """Return vertices ``[V, 3]`` after a step, given where they would go without creases.

    With two sharp edges a vertex stays on their line, with more, or sharp itself, where it is;
    a sharpness below 1 mixes (DeRose, Kass and Truong 1998, "Subdivision Surfaces in Character
    Animation", section 4 and appendix B).
    """
    around, points = around_vertices(mesh), mesh.points
    on_crease = (around.sharp_neighbours + 6 * points) / 8
    is_corner = around.sharp_edges > 2
    edge_rule = np.where((around.sharp_edges == 2)[:, None], on_crease, points)
    mean = around.sharpness / np.maximum(around.sharp_edges, 1)
    share = np.where((around.sharp_edges == 2) | is_corner, np.minimum(mean, 1), 0)[:, None]
    found = (1 - share) * smooth + share * edge_rule
    own = np.minimum(mesh.corner_sharpness, 1)[:, None]
    moved: Floats = (1 - own) * found + own * points
    return moved


def edge_points(mesh: Polygons, smooth: Floats) -> Floats:
    """Return the new points ``[E, 3]`` on edges, given where they would go without creases."""
    share = np.minimum(mesh.edges.sharpness, 1)[:, None]
    middles = mesh.points[mesh.edges.ends].mean(axis=1)
    points: Floats = (1 - share) * smooth + share * middles
    return points


def refined(
    mesh: Polygons,
    points: Floats,
    corners: Indices,
    sizes: Indices,
    uvs: Floats | None,
    origin: Indices,
) -> Polygons:
    """Return the mesh after a step whose points are the vertices, those on the edges, and others.

    Creases lead from the vertices to the points of the sharp edges; they and sharp vertices are
    less sharp by one.
    """
    edges = mesh.edges
    kept = np.flatnonzero((edges.sharpness > 1) & (edges.uses <= 2))
    middles = len(mesh.points) + kept
    pairs = [np.stack([edges.ends[kept, side], middles], axis=1) for side in (0, 1)]
    corner_sharpness = np.zeros(len(points))
    corner_sharpness[: len(mesh.points)] = np.maximum(mesh.corner_sharpness - 1, 0)
    return Polygons(
        points,
        corners,
        sizes,
        uvs,
        np.concatenate(pairs),
        np.tile(edges.sharpness[kept] - 1, 2),
        corner_sharpness,
        origin,
    )
