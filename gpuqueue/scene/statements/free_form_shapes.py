"""What free-form statements say: control points, curves, surfaces and their trims, as read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.freeform.approximation import Range
from gpuqueue.scene.freeform.bases import Axis, Floats, Indices
from gpuqueue.scene.freeform.surface import Curve, Surface
from gpuqueue.scene.source import Place


@dataclass(frozen=True)
class Control:
    """Control points: indices of vertices, their weights (None: not rational), and the place."""

    vertices: Indices
    weights: Floats | None
    at: Place

    def points(self, positions: NDArray[np.float32]) -> Floats:
        """Return ``[N, 3]``, or ``[N, 4]`` multiplied with the weights."""
        points = positions[self.vertices].astype(np.float64)
        if self.weights is None:
            return points
        weights = self.weights[:, None]
        return np.concatenate([points * weights, weights], axis=1)


@dataclass(frozen=True)
class SurfaceText:
    """Two axes and control points, of a surface or its texture coordinates."""

    u: Axis
    v: Axis
    control: Control

    def surface(self, positions: NDArray[np.float32]) -> Surface:
        """Return the surface; the control points are written with u fastest."""
        points = self.control.points(positions)
        return Surface(
            self.u,
            self.v,
            points.reshape(self.v.control_count, self.u.control_count, points.shape[1]),
        )


@dataclass(frozen=True)
class CurveStatement:
    """``curve``: a line in the plane of u and v, for trimming."""

    name: str
    axis: Axis
    control: Control

    def shape(self, positions: NDArray[np.float32]) -> Curve:
        """Return the curve; its control points are vertices at `positions`."""
        return Curve(self.axis, self.control.points(positions))


@dataclass(frozen=True)
class Piece:
    """A part of a curve, as trims name it."""

    curve: CurveStatement
    bounds: Range
    at: Place


@dataclass(frozen=True)
class SurfaceStatement:
    """``surface``; `trims` are loops of pieces, and whether each is a hole."""

    name: str
    at: Place
    material: str | int | None
    shape: SurfaceText
    ranges: tuple[Range, Range]
    texture: SurfaceText | None = None
    trims: list[tuple[bool, list[Piece]]] = field(default_factory=list)
