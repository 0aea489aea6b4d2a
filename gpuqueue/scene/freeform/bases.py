"""Basis functions of free-form curves and surfaces, and their derivatives.

A parameter axis is a row of spans. On each span degree + 1 consecutive control points count,
each with a polynomial weight. Bezier segments are B-splines whose inner knots are as often
repeated as the degree, so one recurrence serves both; the other kinds are matrices of
polynomial coefficients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_DEGREE = 21

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
#: Catmull-Rom: a row for each control point, ascending powers in the columns.
_CARDINAL = np.array([[0, -1, 2, -1], [2, 0, -5, 3], [0, 1, 4, -3], [0, 0, -1, 1]]) / 2


@dataclass(frozen=True, eq=False)
class Basis:
    """What a basis statement says; `kind` is a key of `BASES`.

    `step` and `matrix` are those of the kind ``matrix``: control points from one segment to the
    next, and ``[degree + 1 control points, degree + 1 ascending powers]``.
    """

    kind: str
    degree: int
    rational: bool = False
    step: int = 1
    matrix: Floats | None = None

    def axis(self, parameters: Floats) -> Axis:
        """Return the axis of these parameters: a B-spline's whole knot vector, otherwise the
        ends of the segments. Raises ValueError if they make none."""
        return BASES[self.kind](self, parameters)


@dataclass(frozen=True, eq=False)
class Spots:
    """N places on an axis: the span, and the distances from its two ends.

    Distances are kept apart because ``end - parameter`` loses bits: with both, an axis that
    runs the other way gives the same weights to the bit.
    """

    span: Indices
    before: Floats
    after: Floats

    def __getitem__(self, chosen: Indices) -> Spots:
        """Return some of the places."""
        return Spots(self.span[chosen], self.before[chosen], self.after[chosen])


@dataclass(frozen=True, eq=False)
class Samples:
    """Places that cut every span evenly; `columns` ``[S, cuts + 1]`` are theirs, span by span.

    Neighbouring spans share a column where the axis is smooth, and have one each at a crease.
    """

    spots: Spots
    columns: Indices


@dataclass(frozen=True, eq=False)
class Axis(ABC):
    """S spans, none of them empty: ends ``[S]``, the first of the degree + 1 control points of
    each, and whether the derivative is continuous from each to the next ``[S - 1]``."""

    degree: int
    starts: Floats
    ends: Floats
    first: Indices
    smooth: NDArray[np.bool_]
    control_count: int

    @abstractmethod
    def functions(self, spots: Spots) -> tuple[Floats, Floats]:
        """Return the weights of the control points and their derivatives, ``[N, degree + 1]``."""

    @property
    def domain(self) -> tuple[float, float]:
        """The first and the last parameter."""
        return float(self.starts[0]), float(self.ends[-1])

    def parameters(self, spots: Spots) -> Floats:
        """Return the parameters ``[N]`` of places."""
        at_end = spots.after == 0
        return np.where(
            at_end, self.ends[spots.span], self.starts[spots.span] + spots.before
        ).astype(np.float64)

    def locate(self, parameters: Floats) -> Spots:
        """Return the places of parameters ``[N]``, the nearest if one lies outside."""
        inside = np.clip(parameters, *self.domain)
        span = np.searchsorted(self.starts, inside, side="right") - 1
        span = np.clip(span, 0, len(self.starts) - 1)
        return Spots(span, inside - self.starts[span], self.ends[span] - inside)

    @property
    def pieces(self) -> Indices:
        """Number spans ``[S]`` by the smooth piece that they belong to."""
        return np.concatenate([[0], np.cumsum(~self.smooth)]).astype(np.int64)

    def locate_in(self, piece: Indices, parameters: Floats) -> Spots:
        """Return the places of parameters ``[N]``, each in the smooth piece that is named."""
        first = np.searchsorted(self.pieces, piece, side="left")
        last = np.searchsorted(self.pieces, piece, side="right") - 1
        span = np.clip(self.locate(parameters).span, first, last)
        before = np.maximum(parameters - self.starts[span], 0)
        return Spots(span, before, np.maximum(self.ends[span] - parameters, 0))

    def spans_within(self, low: float, high: float) -> Indices:
        """Return the spans that have a part from `low` to `high`."""
        return np.flatnonzero((self.ends > low) & (self.starts < high))

    def sample(self, low: float, high: float, cuts: int) -> Samples:
        """Return places that cut the part of each span from `low` to `high` in `cuts`."""
        spans = self.spans_within(low, high)
        skipped = np.maximum(low - self.starts[spans], 0)[:, None]
        left = np.maximum(self.ends[spans] - high, 0)[:, None]
        length = (self.ends[spans] - self.starts[spans])[:, None] - skipped - left
        steps = np.arange(cuts + 1)
        is_kept = np.ones((len(spans), cuts + 1), bool)
        is_kept[1:, 0] = ~self.smooth[spans[:-1]]
        spots = Spots(
            np.broadcast_to(spans[:, None], is_kept.shape)[is_kept],
            (skipped + length * (steps / cuts))[is_kept],
            (left + length * (steps[::-1] / cuts))[is_kept],
        )
        return Samples(spots, is_kept.cumsum().reshape(is_kept.shape) - 1)


@dataclass(frozen=True, eq=False)
class BSplineAxis(Axis):
    """Weights by the recurrence of Cox and de Boor; `spans` ``[S]`` are knots that start one."""

    knots: Floats
    spans: Indices

    def functions(self, spots: Spots) -> tuple[Floats, Floats]:
        """See `Axis.functions`; Piegl and Tiller, "The NURBS Book", algorithm A2.2 in all spans
        at once."""
        knot = self.spans[spots.span]
        start, end = self.knots[knot], self.knots[knot + 1]
        left = [spots.before + (start - self.knots[knot - i]) for i in range(self.degree)]
        right = [spots.after + (self.knots[knot + 1 + i] - end) for i in range(self.degree)]
        values = [np.ones(len(knot))]
        shares: list[Floats] = []
        for degree in range(1, self.degree + 1):
            shares = [
                value / (self.knots[knot + i + 1] - self.knots[knot + i + 1 - degree])
                for i, value in enumerate(values)
            ]
            falling = [right[i] * share for i, share in enumerate(shares)]
            rising = [left[degree - 1 - i] * share for i, share in enumerate(shares)]
            inner = [fall + rise for fall, rise in zip(falling[1:], rising[:-1], strict=True)]
            values = [falling[0], *inner, rising[-1]]
        inner = [before - after for before, after in pairwise(shares)]
        slopes = [-shares[0], *inner, shares[-1]]
        return np.stack(values, axis=1), self.degree * np.stack(slopes, axis=1)


@dataclass(frozen=True, eq=False)
class MatrixAxis(Axis):
    """Weights as polynomials of the parameter, which goes from 0 to 1 on each span; `matrix`
    ``[control points, ascending powers]``."""

    matrix: Floats

    def functions(self, spots: Spots) -> tuple[Floats, Floats]:
        """See `Axis.functions`."""
        length = (self.ends - self.starts)[spots.span]
        powers = np.vander(spots.before / length, self.degree + 1, increasing=True)
        slopes = np.zeros_like(powers)
        slopes[:, 1:] = powers[:, :-1] * np.arange(1, self.degree + 1) / length[:, None]
        return powers @ self.matrix.T, slopes @ self.matrix.T


def _bspline(basis: Basis, knots: Floats) -> Axis:
    degree = basis.degree
    count = len(knots) - degree - 1
    if count < degree + 1:
        raise ValueError(
            f"a B-spline of degree {degree} needs at least {2 * degree + 2} knots,"
            f" found {len(knots)}"
        )
    if (np.diff(knots) < 0).any():
        raise ValueError("the knots of a B-spline must not decrease")
    spans = degree + np.flatnonzero(np.diff(knots[degree : count + 1]) > 0)
    if not spans.size:
        raise ValueError("the knots of this B-spline leave no interval")
    return BSplineAxis(
        degree,
        knots[spans],
        knots[spans + 1],
        spans - degree,
        np.diff(spans) < degree,  # each repetition of a knot costs one derivative
        count,
        knots,
        spans,
    )


def _segments(basis: Basis, parameters: Floats) -> int:
    if len(parameters) < 2:
        raise ValueError(f"a {basis.kind} basis needs at least 2 parameters")
    if (np.diff(parameters) <= 0).any():
        raise ValueError(f"the parameters of a {basis.kind} basis must increase")
    return len(parameters) - 1


def _bezier(basis: Basis, parameters: Floats) -> Axis:
    repeats = np.full(_segments(basis, parameters) + 1, basis.degree)
    repeats[[0, -1]] += 1
    return _bspline(basis, np.repeat(parameters, repeats))


def _polynomial(
    basis: Basis, parameters: Floats, matrix: Floats, step: int, *, smooth: bool
) -> Axis:
    segments = _segments(basis, parameters)
    return MatrixAxis(
        basis.degree,
        parameters[:-1],
        parameters[1:],
        step * np.arange(segments),
        np.full(segments - 1, smooth),
        step * (segments - 1) + basis.degree + 1,
        matrix,
    )


def _cardinal(basis: Basis, parameters: Floats) -> Axis:
    return _polynomial(basis, parameters, _CARDINAL, 1, smooth=True)


def _taylor(basis: Basis, parameters: Floats) -> Axis:
    powers = np.eye(basis.degree + 1)
    return _polynomial(basis, parameters, powers, basis.degree + 1, smooth=False)


def _matrix(basis: Basis, parameters: Floats) -> Axis:
    if basis.matrix is None:
        raise ValueError("a matrix basis needs its matrix")
    return _polynomial(basis, parameters, basis.matrix, basis.step, smooth=False)


#: Every kind of basis.
BASES: dict[str, Callable[[Basis, Floats], Axis]] = {
    "bezier": _bezier,
    "bspline": _bspline,
    "cardinal": _cardinal,
    "taylor": _taylor,
    "matrix": _matrix,
}
