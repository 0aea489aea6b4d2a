"""Free-form geometry of a group: bases, curves, surfaces with their textures and trims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from gpuqueue.scene.freeform.approximation import Range
from gpuqueue.scene.freeform.bases import BASES, MAX_DEGREE, Axis, Basis, Floats, Indices
from gpuqueue.scene.source import Place
from gpuqueue.scene.statements.free_form_shapes import (
    Control,
    CurveStatement,
    Piece,
    SurfaceStatement,
    SurfaceText,
)
from gpuqueue.scene.statements.mesh import check_indices
from gpuqueue.scene.tokens import Kind, Tokens

MAX_STEP = 100
#: Weights beyond these, or below one through them, leave no bits for the coordinates.
MAX_WEIGHT = 1e9
#: A range may exceed the parameters by this part of them: decimals are rounded.
_ROUNDING = 1e-6

N = TypeVar("N")


def parse_basis(tokens: Tokens) -> tuple[str, Basis]:
    """basis = "basis" name ["rational"] ( "cardinal" | ("bezier" | "bspline" | "taylor") degree
    | "matrix" degree step { number } ).

    The numbers of a matrix are rows, one for each control point, of ascending powers.
    """
    name = tokens.name("the name of the basis")
    rational = bool(tokens.accept_word("rational"))
    kind = tokens.expect_word(*BASES)
    if kind == "cardinal":
        return name, Basis(kind, 3, rational)
    degree = tokens.integer("the degree", 1, MAX_DEGREE)
    if kind != "matrix":
        return name, Basis(kind, degree, rational)
    step = tokens.integer("the step of the matrix", 1, MAX_STEP)
    size = degree + 1
    rows = tokens.numbers(size * size, f"the {size} x {size} numbers of the matrix")
    return name, Basis(kind, degree, rational, step, rows.reshape(size, size))


def parse_curve(tokens: Tokens, bases: Mapping[str, Basis], vertex_count: int) -> CurveStatement:
    """curve = "curve" name axis control ["special" { INT ["mapsto" INT] }]."""
    tokens.expect_word("curve")
    name = tokens.name("the name of the curve")
    axis, rational = _parse_axis(tokens, bases)
    control = _parse_control(tokens, vertex_count, rational=rational)
    _check_count(control, axis.control_count, f"{axis.control_count}")
    _skip_special(tokens)
    return CurveStatement(name, axis, control)


def parse_surface(
    tokens: Tokens,
    bases: Mapping[str, Basis],
    curves: Mapping[str, CurveStatement],
    vertex_count: int,
    *,
    tagged: bool,
) -> SurfaceStatement:
    """surface = "surface" name (material | label) direction direction control
    { texture | derivative } { ("trim" | "hole") { curve min max } | "special" ... }."""
    at = tokens.take().place
    name = tokens.name("the name of the surface")
    material: str | int | None
    if tagged:
        material = tokens.integer("the label of a tagged surface", 0)
    else:
        material = tokens.name('a material in quotes, or ""') or None
    u_range, u = _parse_direction(tokens, bases)
    v_range, v = _parse_direction(tokens, bases)
    shape = _parse_shape(tokens, u, v, vertex_count)
    texture = _parse_extras(tokens, bases, vertex_count)
    trims = _parse_trims(tokens, curves)
    return SurfaceStatement(name, at, material, shape, (u_range, v_range), texture, trims)


def _parse_basis_name(tokens: Tokens, bases: Mapping[str, Basis]) -> Basis:
    """["rational"] name."""
    rational = bool(tokens.accept_word("rational"))
    basis = _named(tokens, bases, "basis")
    return replace(basis, rational=rational or basis.rational)


def _named(tokens: Tokens, known: Mapping[str, N], what: str) -> N:
    at = tokens.peek().place
    name = tokens.name(f"the name of a {what}")
    if name not in known:
        some = ", ".join(f"'{other}'" for other in list(known)[:10])
        raise at.error(f"{what} '{name}' is not defined before this; defined: {some or 'none'}")
    return known[name]


def _parse_parameters(tokens: Tokens, basis: Basis) -> Axis:
    """parameters = FLOAT+: an integer ends them, since control points follow."""
    at = tokens.peek().place
    numbers = []
    while tokens.peek().kind is Kind.FLOAT:
        numbers.append(tokens.number())
    if not numbers:
        raise tokens.expected("a parameter of the basis, written with a point")
    try:
        return basis.axis(np.array(numbers))
    except ValueError as error:
        raise at.error(str(error)) from None


def _parse_axis(tokens: Tokens, bases: Mapping[str, Basis]) -> tuple[Axis, bool]:
    """axis = ["rational"] basis parameters. Returns also whether it is rational."""
    basis = _parse_basis_name(tokens, bases)
    return _parse_parameters(tokens, basis), basis.rational


def _parse_direction(tokens: Tokens, bases: Mapping[str, Basis]) -> tuple[Range, tuple[Axis, bool]]:
    """direction = ["rational"] basis min max parameters."""
    basis = _parse_basis_name(tokens, bases)
    at = tokens.peek().place
    low, high = tokens.number("the least parameter"), tokens.number("the greatest parameter")
    axis = _parse_parameters(tokens, basis)
    return _check_range(low, high, axis, at), (axis, basis.rational)


def _check_range(low: float, high: float, axis: Axis, at: Place) -> Range:
    """A range within the axis's domain; raise at `at` if it is not."""
    if low >= high:
        raise at.error(f"the range from {low:g} to {high:g} is empty")
    start, end = axis.domain
    spare = _ROUNDING * (end - start)
    if low < start - spare or high > end + spare:
        raise at.error(
            f"the range from {low:g} to {high:g} exceeds the parameters,"
            f" which go from {start:g} to {end:g}"
        )
    return max(low, start), min(high, end)


def _parse_control(tokens: Tokens, vertex_count: int, *, rational: bool) -> Control:
    """control = { vertex [ FLOAT | "w" number ] }."""
    at = tokens.peek().place
    runs: list[Indices] = []
    weights: list[Floats] = []
    while tokens.at_integer():
        run = tokens.integer_run("the vertices of control points")
        check_indices(run, vertex_count, "vertex", at)
        runs.append(run.astype(np.int64))
        weights.append(np.ones(len(run)))
        if tokens.accept_word("w") or tokens.peek().kind is Kind.FLOAT:
            weights[-1][-1] = _parse_weight(tokens, rational=rational)
    if not runs:
        raise tokens.expected("the vertices of control points")
    return Control(np.concatenate(runs), np.concatenate(weights) if rational else None, at)


def _parse_weight(tokens: Tokens, *, rational: bool) -> float:
    at = tokens.peek().place
    if not rational:
        raise at.error("this is a weight, but no basis here is rational")
    weight = tokens.number("a weight")
    if not 1 / MAX_WEIGHT <= weight <= MAX_WEIGHT:
        raise at.error(f"a weight is from {1 / MAX_WEIGHT:g} to {MAX_WEIGHT:g}, not {weight:g}")
    return weight


def _check_count(control: Control, count: int, sum_of: str) -> None:
    if len(control.vertices) != count:
        raise control.at.error(
            f"the bases need {sum_of} control points, found {len(control.vertices)}"
        )


def _parse_shape(
    tokens: Tokens, u: tuple[Axis, bool], v: tuple[Axis, bool], vertex_count: int
) -> SurfaceText:
    control = _parse_control(tokens, vertex_count, rational=u[1] or v[1])
    columns, rows = u[0].control_count, v[0].control_count
    _check_count(control, columns * rows, f"{columns} x {rows} = {columns * rows}")
    return SurfaceText(u[0], v[0], control)


def _parse_extras(
    tokens: Tokens, bases: Mapping[str, Basis], vertex_count: int
) -> SurfaceText | None:
    """Texture surfaces and requests for derivatives; the first texture is returned.

    texture = ["volume"] ["vector"] "texture" axis axis control
    derivative = "derivative" [INT [INT]].
    """
    first = None
    while tokens.at_word("volume", "vector", "texture", "derivative"):
        if tokens.accept_word("derivative"):
            while tokens.at_integer():
                tokens.integer("an order of derivatives", 1, 2)
            continue
        is_volume, is_vector = (bool(tokens.accept_word(w)) for w in ("volume", "vector"))
        tokens.expect_word("texture")
        u, v = _parse_axis(tokens, bases), _parse_axis(tokens, bases)
        texture = _parse_shape(tokens, u, v, vertex_count)
        if first is None and not is_volume and not is_vector:
            first = texture
    return first


def _parse_trims(
    tokens: Tokens, curves: Mapping[str, CurveStatement]
) -> list[tuple[bool, list[Piece]]]:
    loops = []
    while word := tokens.accept_word("trim", "hole", "special"):
        if word == "special" and not tokens.at_string():
            _skip_special_points(tokens)
            continue
        pieces = [_parse_piece(tokens, curves)]
        while tokens.at_string():
            pieces.append(_parse_piece(tokens, curves))
        if word != "special":
            loops.append((word == "hole", pieces))
    return loops


def _parse_piece(tokens: Tokens, curves: Mapping[str, CurveStatement]) -> Piece:
    """piece = curve min max."""
    at = tokens.peek().place
    curve = _named(tokens, curves, "curve")
    low, high = tokens.number("the least parameter"), tokens.number("the greatest parameter")
    return Piece(curve, _check_range(low, high, curve.axis, at), at)


def _skip_special(tokens: Tokens) -> None:
    if tokens.accept_word("special"):
        _skip_special_points(tokens)


def _skip_special_points(tokens: Tokens) -> None:
    """{ INT ["mapsto" INT] }: points that the triangles must have as corners."""
    while tokens.at_integer():
        tokens.integer()
        if tokens.accept_word("mapsto"):
            tokens.integer()
