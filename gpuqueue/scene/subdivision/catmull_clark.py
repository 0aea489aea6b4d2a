"""One step of Catmull and Clark (1978): polygons of any size become quadrilaterals."""

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


def catmull_clark(mesh: Polygons) -> Polygons:
    """Return the mesh with each polygon cut into one quadrilateral a corner."""
    edges, count = mesh.edges, len(mesh.points)
    centres = mesh.polygon_means(mesh.points[mesh.corners])
    on_edges = edge_points(mesh, _smooth_edges(mesh, centres))
    points = np.concatenate(
        [moved_vertices(mesh, _smooth_vertices(mesh, centres)), on_edges, centres]
    )
    edge = count + edges.of_corner
    centre = count + len(edges.ends) + mesh.polygon
    corners = np.stack([mesh.corners, edge, centre, edge[mesh.preceding]], axis=1)
    sizes = np.full(len(mesh.corners), 4)
    return refined(mesh, points, corners.reshape(-1), sizes, _uvs(mesh), mesh.origin[mesh.polygon])


def _smooth_edges(mesh: Polygons, centres: Floats) -> Floats:
    """The mean of an edge's ends and of the centres of its two polygons."""
    edges = mesh.edges
    sums = sum_over(edges.of_corner, centres[mesh.polygon], len(edges.ends))
    smooth: Floats = (mesh.points[edges.ends].sum(axis=1) + sums) / 4
    return smooth


def _smooth_vertices(mesh: Polygons, centres: Floats) -> Floats:
    """(F + 2 R + (n - 3) P) / n of n polygons: F the mean of their centres, R of the middles of the
    edges."""
    around, count = around_vertices(mesh), len(mesh.points)
    n = np.maximum(np.bincount(mesh.corners, minlength=count), 1)[:, None]
    centre = sum_over(mesh.corners, centres[mesh.polygon], count) / n
    edges = np.maximum(around.edges, 1)[:, None]
    middle = (around.neighbours / edges + mesh.points) / 2
    smooth: Floats = (centre + 2 * middle + (n - 3) * mesh.points) / n
    return smooth


def _uvs(mesh: Polygons) -> Floats | None:
    """Texture coordinates stay straight along each polygon."""
    if mesh.uvs is None:
        return None
    middle = (mesh.uvs + mesh.uvs[mesh.following]) / 2
    centre = mesh.polygon_means(mesh.uvs)[mesh.polygon]
    return np.stack([mesh.uvs, middle, centre, middle[mesh.preceding]], axis=1).reshape(-1, 2)
