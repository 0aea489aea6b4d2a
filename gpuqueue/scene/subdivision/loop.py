"""One step of Loop (1987, "Smooth Subdivision Surfaces Based on Triangles")."""

from __future__ import annotations

import numpy as np

from gpuqueue.scene.subdivision.polygons import (
    Floats,
    Polygons,
    around_vertices,
    edge_points,
    moved_vertices,
    refined,
    sum_over,
)


def loop(mesh: Polygons) -> Polygons:
    """Return a mesh of triangles with each cut in four."""
    edges, count = mesh.edges, len(mesh.points)
    on_edges = edge_points(mesh, _smooth_edges(mesh))
    points = np.concatenate([moved_vertices(mesh, _smooth_vertices(mesh)), on_edges])
    edge = count + edges.of_corner
    outer = np.stack([mesh.corners, edge, edge[mesh.preceding]], axis=1)
    inner = edge.reshape(-1, 3)
    corners = np.concatenate([outer, inner]).reshape(-1)
    sizes = np.full(4 * len(mesh.sizes), 3)
    origin = np.concatenate([mesh.origin[mesh.polygon], mesh.origin])
    return refined(mesh, points, corners, sizes, _uvs(mesh), origin)


def _smooth_edges(mesh: Polygons) -> Floats:
    """Three eighths of an edge's ends and one of the corners across from it."""
    edges = mesh.edges
    across = mesh.points[mesh.corners[mesh.preceding]]
    sums = sum_over(edges.of_corner, across, len(edges.ends))
    smooth: Floats = 3 / 8 * mesh.points[edges.ends].sum(axis=1) + sums / 8
    return smooth


def _smooth_vertices(mesh: Polygons) -> Floats:
    """(1 - n b) P + b times the n neighbours, with Warren's b: 3/16, or 3/(8 n) beyond three."""
    around = around_vertices(mesh)
    n = np.maximum(around.edges, 1)[:, None]
    b = np.where(n == 3, 3 / 16, 3 / (8 * n))
    smooth: Floats = (1 - n * b) * mesh.points + b * around.neighbours
    return smooth


def _uvs(mesh: Polygons) -> Floats | None:
    if mesh.uvs is None:
        return None
    middle = (mesh.uvs + mesh.uvs[mesh.following]) / 2
    outer = np.stack([mesh.uvs, middle, middle[mesh.preceding]], axis=1)
    return np.concatenate([outer, middle.reshape(-1, 3, 2)]).reshape(-1, 2)
