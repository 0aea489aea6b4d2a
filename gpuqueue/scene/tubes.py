"""Curves with a radius as tubes of triangles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Vertices around a tube.
SIDES = 4
#: A prism as wide in the mean, over all directions across it, as the cylinder of radius 1: the mean
#: width of a convex outline is its length / pi (Cauchy), and this one's is 2 n r sin(pi / n).
_WIDTH = math.pi / (SIDES * math.sin(math.pi / SIDES))


@dataclass(frozen=True, eq=False)
class Tubes:
    """points and unit normals ``[N, 3]``, the curve's sample ``[N]`` of each, and triangles
    ``[T, 3]``; samples are numbered curve by curve."""

    points: Floats
    normals: Floats
    sample: NDArray[np.int64]
    triangles: NDArray[np.int64]


def bezier_samples(control: Floats, degree: int, cuts: int) -> Floats:
    """Return ``[H, P, N]`` of curves with control points ``[H, degree k + 1, N]``, each of the k
    pieces cut in `cuts`."""
    pieces = (control.shape[1] - 1) // degree
    index = np.arange(pieces)[:, None] * degree + np.arange(degree + 1)
    t = np.arange(cuts) / cuts
    choose = np.array([math.comb(degree, i) for i in range(degree + 1)])
    power = np.arange(degree + 1)
    weights = choose * t[:, None] ** power * (1 - t[:, None]) ** (degree - power)
    inner = np.einsum("cd,hpdn->hpcn", weights, control[:, index])
    samples = inner.reshape(len(control), pieces * cuts, control.shape[2])
    return np.concatenate([samples, control[:, -1:]], axis=1)


def tubes(curves: Floats, radii: Floats) -> Tubes:
    """Return tubes, open at their ends, around curves ``[H, P, 3]`` with radii ``[H, P]``, P >= 2.

    A ring's normals are carried along the curve without turning about it.
    """
    count, length = curves.shape[:2]
    first, second = _frames(curves)
    angles = np.arange(SIDES) * (2 * math.pi / SIDES)
    normals = (
        first[:, :, None] * np.cos(angles)[:, None] + second[:, :, None] * np.sin(angles)[:, None]
    )
    points = curves[:, :, None] + normals * (_WIDTH * radii)[:, :, None, None]
    sample = np.repeat(np.arange(count * length), SIDES)
    return Tubes(points.reshape(-1, 3), normals.reshape(-1, 3), sample, _triangles(count, length))


def _frames(curves: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors ``[H, P, 3]`` across each curve; their cross product is along it."""
    along = _unit(np.gradient(curves, axis=1))
    helper = np.eye(3)[abs(along[:, 0]).argmin(axis=1)]
    first = np.empty_like(curves)
    before = helper
    for place in range(curves.shape[1]):
        forward = along[:, place]
        across = before - (before * forward).sum(axis=1, keepdims=True) * forward
        turned = np.linalg.norm(across, axis=1) < 1e-6  # by a right angle at once
        spare = np.eye(3)[abs(forward).argmin(axis=1)]
        spare = spare - (spare * forward).sum(axis=1, keepdims=True) * forward
        before = _unit(np.where(turned[:, None], spare, across))
        first[:, place] = before
    return first, np.cross(along, first)


def _unit(vectors: Floats) -> Floats:
    """Vectors of length 1; along z where there is no length."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(lengths > 0, vectors / np.where(lengths > 0, lengths, 1), [0.0, 0.0, 1.0])


def _triangles(count: int, length: int) -> NDArray[np.int64]:
    """Two triangles a side of every piece of every tube, facing out."""
    ring = np.arange(SIDES)
    following = (ring + 1) % SIDES
    low = (np.arange(length - 1) * SIDES)[:, None]
    a, b = low + ring, low + following
    piece = np.stack([a, b, b + SIDES, a, b + SIDES, a + SIDES], axis=-1).reshape(-1, 3)
    starts = np.arange(count) * (length * SIDES)
    triangles: NDArray[np.int64] = (starts[:, None, None] + piece).reshape(-1, 3)
    return triangles
