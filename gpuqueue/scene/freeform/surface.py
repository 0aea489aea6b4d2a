"""Points, derivatives and normals of curves and surfaces over control points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gpuqueue.scene.freeform.bases import Axis, Floats, Spots

#: Part of the way into its span from which the normal of a degenerate point is extrapolated.
_INWARD = 1e-4
#: Where in a span that way leads: not its middle, which may be degenerate itself.
_INNER = 0.618
#: A normal this much shorter than the surface's longest is a degenerate point's.
_DEGENERATE = 1e-9


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve; control points ``[N, 3]``, or ``[N, 4]`` (w x, w y, w z, w) if rational."""

    axis: Axis
    control: Floats

    def points(self, spots: Spots) -> Floats:
        """Return points ``[N, 3]``."""
        weights, _ = self.axis.functions(spots)
        first = self.axis.first[spots.span]
        points = _sum(self.axis, lambda i: weights[:, i, None] * self.control[first + i])
        return points if points.shape[-1] == 3 else points[:, :3] / points[:, 3:]


@dataclass(frozen=True, eq=False)
class Surface:
    """A tensor product surface; control points ``[V, U, 3]``, or ``[V, U, 4]``
    (w x, w y, w z, w) if rational."""

    u: Axis
    v: Axis
    control: Floats

    def grid(self, u: Spots, v: Spots) -> tuple[Floats, Floats, Floats]:
        """Return points and derivatives by u and by v ``[R, C, 3]`` of R places v and C u."""
        u_weights, u_slopes = self.u.functions(u)
        v_weights, v_slopes = self.v.functions(v)
        u_first, v_first = self.u.first[u.span], self.v.first[v.span]
        low = int(u_first.min())
        control = self.control[:, low : int(u_first.max()) + self.u.degree + 1]

        def along_u(rows: Floats, weights: Floats) -> Floats:
            return _sum(self.u, lambda i: weights[:, i, None] * rows[:, u_first - low + i])

        def along_v(weights: Floats) -> Floats:
            return _sum(self.v, lambda j: weights[:, j, None, None] * control[v_first + j])

        rows = along_v(v_weights)
        return _project(
            along_u(rows, u_weights), along_u(rows, u_slopes), along_u(along_v(v_slopes), u_weights)
        )

    def at(self, u: Spots, v: Spots) -> tuple[Floats, Floats, Floats]:
        """Return points and derivatives by u and by v ``[N, 3]`` of N pairs of places."""
        u_weights, u_slopes = self.u.functions(u)
        v_weights, v_slopes = self.v.functions(v)
        u_first, v_first = self.u.first[u.span], self.v.first[v.span]

        def summed(along_u: Floats, along_v: Floats) -> Floats:
            return _sum(
                self.v,
                lambda j: (
                    along_v[:, j, None]
                    * _sum(
                        self.u,
                        lambda i: along_u[:, i, None] * self.control[v_first + j, u_first + i],
                    )
                ),
            )

        return _project(
            summed(u_weights, v_weights), summed(u_slopes, v_weights), summed(u_weights, v_slopes)
        )

    def normals(self, u: Spots, v: Spots, by_u: Floats, by_v: Floats) -> Floats:
        """Return unit normals ``[N, 3]`` along dS/du x dS/dv, given at N pairs of places.

        Where that vanishes, at a pole for instance, the limit from inside the spans is taken;
        a normal that has no limit either is zero.
        """
        across = np.cross(by_u, by_v)
        normals, lengths = _unit(across)
        poor = np.flatnonzero(~(lengths > _DEGENERATE * np.nanmax(lengths, initial=0.0)))
        if poor.size:
            near, far = (
                self._inner_normals(u[poor], v[poor], part) for part in (_INWARD, 2 * _INWARD)
            )
            normals[poor] = _unit(2 * near - far)[0]
        return normals

    def _inner_normals(self, u: Spots, v: Spots, part: float) -> Floats:
        _, by_u, by_v = self.at(_inward(self.u, u, part), _inward(self.v, v, part))
        return _unit(np.cross(by_u, by_v))[0]


def _inward(axis: Axis, spots: Spots, part: float) -> Spots:
    """Places moved part of the way to an inner point of their span."""
    length = (axis.ends - axis.starts)[spots.span]
    before = spots.before + part * (_INNER * length - spots.before)
    after = spots.after + part * ((1 - _INNER) * length - spots.after)
    return Spots(spots.span, before, after)


def _sum(axis: Axis, term: Callable[[int], Floats]) -> Floats:
    """The sum of the degree + 1 terms, from both ends inward: the same bits whichever way the
    control points run, so that neighbours agree on a shared edge."""
    last = axis.degree
    pairs = [term(i) + term(last - i) if i < last - i else term(i) for i in range(last // 2 + 1)]
    total = pairs[0]
    for pair in pairs[1:]:
        total = total + pair
    return total


def _project(points: Floats, by_u: Floats, by_v: Floats) -> tuple[Floats, Floats, Floats]:
    """From four coordinates to three, by the quotient rule."""
    if points.shape[-1] == 3:
        return points, by_u, by_v
    weight = points[..., 3:]
    flat = points[..., :3] / weight
    slopes = ((slope[..., :3] - flat * slope[..., 3:]) / weight for slope in (by_u, by_v))
    return flat, *slopes  # type: ignore[return-value]  # two slopes


def _unit(vectors: Floats) -> tuple[Floats, Floats]:
    """Unit vectors ``[N, 3]``, zero where there is no direction, and the lengths ``[N]``."""
    lengths = np.linalg.norm(vectors, axis=-1)
    usable = np.isfinite(lengths) & (lengths > 0)
    scale = np.where(usable, lengths, 1.0)[..., None]
    return np.where(usable[..., None], vectors / scale, 0.0), lengths
