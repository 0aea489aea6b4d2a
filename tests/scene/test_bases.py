"""Basis functions against their definitions."""

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuqueue.scene.freeform.bases import BASES, MAX_DEGREE, Axis, Basis, Floats, Spots
from gpuqueue.scene.freeform.surface import Curve

MATRIX = np.array([[1.0, -3, 3, -1], [0, 3, -6, 3], [0, 0, 3, -3], [0, 0, 0, 1]])


def basis_of(kind: str) -> Basis:
    return Basis(kind, 3, matrix=MATRIX, step=3)


def example(kind: str) -> Axis:
    parameters = np.array([0.0, 1, 3, 3.5])
    if kind == "bspline":
        parameters = np.array([-2.0, -1, 0, 0, 1, 3, 3, 3.5, 4, 5, 6])
    return basis_of(kind).axis(parameters)


def inner_parameters(axis: Axis, count: int = 40) -> Floats:
    low, high = axis.domain
    return np.linspace(low, high, count + 2)[1:-1]


def on(axis: Axis, control: Floats, parameters: Floats) -> Floats:
    """Points of a curve, its control points padded to three coordinates."""
    points = np.zeros((len(control), 3))
    points[:, : control.shape[1]] = control
    return Curve(axis, points).points(axis.locate(parameters))


@pytest.mark.parametrize("kind", BASES)
def test_the_derivatives_are_those_of_the_functions(kind: str) -> None:
    axis = example(kind)
    parameters = inner_parameters(axis)
    here = axis.locate(parameters)
    h = 1e-6
    ahead, back = (
        axis.functions(Spots(here.span, here.before + d, here.after - d))[0] for d in (h, -h)
    )
    assert axis.functions(here)[1] == pytest.approx((ahead - back) / (2 * h), abs=1e-7)


@pytest.mark.parametrize("kind", sorted(BASES.keys() - {"taylor"}))
def test_the_functions_sum_to_one(kind: str) -> None:
    axis = example(kind)
    values, slopes = axis.functions(axis.locate(inner_parameters(axis)))
    assert values.sum(axis=1) == pytest.approx(1, abs=1e-14)
    assert slopes.sum(axis=1) == pytest.approx(0, abs=1e-13)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, MAX_DEGREE), st.integers(1, 4), st.integers(0, 1000))
def test_a_bezier_is_what_de_casteljau_constructs(degree: int, segments: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parameters = np.cumsum(rng.uniform(0.1, 2, segments + 1))
    axis = Basis("bezier", degree).axis(parameters)
    assert axis.control_count == degree * segments + 1
    control = rng.normal(size=(axis.control_count, 3))
    for segment, (low, high) in enumerate(pairwise(parameters)):
        for t in (0.0, 0.25, 0.7):
            points = control[degree * segment : degree * segment + degree + 1]
            while len(points) > 1:
                points = (1 - t) * points[:-1] + t * points[1:]
            found = on(axis, control, np.array([low + t * (high - low)]))
            assert found[0] == pytest.approx(points[0], abs=1e-12)


@pytest.mark.parametrize("degree", [1, 2, 3, 5, 8])
def test_a_bspline_reproduces_polynomials_of_its_degree(degree: int) -> None:
    """Control points by blossoming: the polar form of t^n at each control point's inner knots."""
    rng = np.random.default_rng(degree)
    knots = np.sort(rng.uniform(-1, 1, 2 * degree + 9))
    axis = Basis("bspline", degree).axis(knots)
    parameters = inner_parameters(axis)
    for power in range(degree + 1):
        blossoms = []
        for i in range(axis.control_count):
            # The elementary symmetric polynomial, from the product of (1 + knot x).
            product = np.array([1.0])
            for knot in knots[i + 1 : i + degree + 1]:
                product = np.convolve(product, [1, knot])
            blossoms.append(product[power] / comb(degree, power))
        found = on(axis, np.array(blossoms)[:, None], parameters)[:, 0]
        assert found == pytest.approx(parameters**power, abs=1e-12)


def test_a_bspline_without_inner_knots_is_a_bezier() -> None:
    control = np.random.default_rng(0).normal(size=(4, 3))
    bspline = Basis("bspline", 3).axis(np.array([0.0, 0, 0, 0, 2, 2, 2, 2]))
    bezier = Basis("bezier", 3).axis(np.array([0.0, 2]))
    parameters = np.linspace(0, 2, 9)
    assert (on(bspline, control, parameters) == on(bezier, control, parameters)).all()


def test_the_matrix_of_bernstein_polynomials_is_a_bezier() -> None:
    parameters = np.array([0.0, 1, 4])
    control = np.random.default_rng(1).normal(size=(7, 3))
    places = np.linspace(0, 4, 17)
    matrix = on(basis_of("matrix").axis(parameters), control, places)
    bezier = on(basis_of("bezier").axis(parameters), control, places)
    assert matrix == pytest.approx(bezier, abs=1e-13)


def test_a_cardinal_curve_passes_through_its_points_along_their_neighbours() -> None:
    axis = Basis("cardinal", 3).axis(np.array([0.0, 1, 2]))
    control = np.array([[0.0, 0], [1, 2], [3, 1], [4, 5], [6, 6]])
    found = on(axis, control, np.array([0.0, 1, 2]))
    assert found[:, :2] == pytest.approx(control[1:4])
    slopes = axis.functions(axis.locate(np.array([1.0])))[1][0] @ control[1:5]
    assert slopes == pytest.approx((control[3] - control[1]) / 2)


def test_taylor_control_points_are_coefficients() -> None:
    axis = Basis("taylor", 2).axis(np.array([0.0, 2, 3]))
    control = np.array([[1.0], [2], [3], [4], [5], [6]])
    found = on(axis, control, np.array([1.0, 2.5]))
    assert found[:, 0] == pytest.approx([1 + 2 * 0.5 + 3 * 0.25, 4 + 5 * 0.5 + 6 * 0.25])


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 7])
def test_reversed_control_points_give_the_same_points_to_the_bit(degree: int) -> None:
    rng = np.random.default_rng(degree)
    axis = Basis("bezier", degree).axis(np.array([0.0, 1]))
    control = rng.normal(size=(degree + 1, 3))
    spots = axis.sample(0, 1, 7).spots
    there = Curve(axis, control).points(spots)
    back = Curve(axis, control[::-1]).points(spots)
    assert (there == back[::-1]).all()


def test_samples_share_a_column_where_the_axis_is_smooth() -> None:
    knots = np.array([0.0, 0, 0, 1, 2, 2, 3, 3, 3])
    samples = Basis("bspline", 2).axis(knots).sample(0, 3, 2)
    assert samples.columns.tolist() == [[0, 1, 2], [2, 3, 4], [5, 6, 7]]


def test_samples_keep_to_the_range() -> None:
    axis = Basis("bezier", 1).axis(np.array([0.0, 1, 2, 3]))
    samples = axis.sample(0.5, 2, 2)
    assert axis.parameters(samples.spots).tolist() == [0.5, 0.75, 1, 1, 1.5, 2]


def test_a_parameter_outside_is_taken_for_the_nearest() -> None:
    axis = example("bspline")
    low, high = axis.domain
    spots = axis.locate(np.array([low - 5, high + 5]))
    assert axis.parameters(spots).tolist() == [low, high]
