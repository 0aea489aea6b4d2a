"""Trim and hole curves: what they leave, and that it has no gaps."""

import numpy as np
import pytest

from gpuqueue.scene.freeform.approximation import Approximation
from gpuqueue.scene.freeform.bases import Basis, Floats, Indices
from gpuqueue.scene.freeform.surface import Curve, Surface
from gpuqueue.scene.freeform.tessellate import MAX_TRIMMED, Patch, Triangles, tessellate
from gpuqueue.scene.freeform.trim import (
    MAX_CORNERS,
    CrossingOutlines,
    Outline,
    outline,
    trimmed,
)
from tests.scene.test_tessellate import CIRCLE, CIRCLE_WEIGHTS, SPHERE, SQUARE, cubic

GRID = np.linspace(0, 1, 11), np.linspace(0, 1, 8)


def ring(radius: float, corners: int = 24, at: tuple[float, float] = (0.5, 0.5)) -> Floats:
    angles = np.arange(corners) * (2 * np.pi / corners)
    points: Floats = at + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return points


def ring_area(radius: float, corners: int = 24) -> float:
    return corners / 2 * radius**2 * float(np.sin(2 * np.pi / corners))


def areas(points: Floats, triangles: Indices) -> Floats:
    a, b, c = (points[triangles[:, i]] for i in range(3))
    ab, ac = b - a, c - a
    found: Floats = (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]) / 2
    return found


def boundary_length(points: Floats, triangles: Indices) -> float:
    """Of the edges with one triangle; a gap between triangles would add to it."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    assert counts.max() <= 2
    ends = points[unique[counts == 1]]
    return float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum())


def ring_length(radius: float, corners: int = 24) -> float:
    return corners * 2 * radius * float(np.sin(np.pi / corners))


CASES = {
    "trim": ([(0.3, False)], ring_area(0.3), ring_length(0.3)),
    "hole": ([(0.3, True)], 1 - ring_area(0.3), 4 + ring_length(0.3)),
    "annulus": (
        [(0.4, False), (0.2, True)],
        ring_area(0.4) - ring_area(0.2),
        ring_length(0.4) + ring_length(0.2),
    ),
    "island": (
        [(0.4, False), (0.3, True), (0.1, False)],
        ring_area(0.4) - ring_area(0.3) + ring_area(0.1),
        ring_length(0.4) + ring_length(0.3) + ring_length(0.1),
    ),
}


@pytest.mark.parametrize("turned", [1, -1])
@pytest.mark.parametrize("case", CASES)
def test_the_region_has_its_area_and_its_boundary_and_no_gaps(case: str, turned: int) -> None:
    rings, area, length = CASES[case]
    outlines = [Outline(ring(radius)[::turned], is_hole) for radius, is_hole in rings]
    points, triangles = trimmed(outlines, *GRID)
    found = areas(points, triangles)
    assert found.min() > -1e-12
    assert found.sum() == pytest.approx(area, abs=1e-12)
    assert boundary_length(points, triangles) == pytest.approx(length, abs=1e-12)


def test_every_triangle_lies_in_one_cell() -> None:
    points, triangles = trimmed([Outline(ring(0.4), is_hole=False)], *GRID)
    corners = points[triangles]
    for axis, lines in enumerate(GRID):
        low = np.searchsorted(lines, corners[..., axis].min(axis=1) + 1e-9)
        high = np.searchsorted(lines, corners[..., axis].max(axis=1) - 1e-9)
        assert (low >= high).all()


def test_what_an_outline_leaves_beyond_the_range_is_cut_off() -> None:
    points, triangles = trimmed([Outline(ring(0.4, at=(1, 0.5)), is_hole=False)], *GRID)
    assert areas(points, triangles).sum() == pytest.approx(ring_area(0.4) / 2, abs=1e-12)
    assert points[triangles][..., 0].max() <= 1


@pytest.mark.parametrize(
    "outlines",
    [
        [Outline(np.array([[0.2, 0.2], [0.8, 0.8], [0.8, 0.2], [0.2, 0.8]]), is_hole=False)],
        [Outline(ring(0.4, at=(0.8, 0.5)), is_hole=True)],
        [Outline(ring(0.3), is_hole=False), Outline(ring(0.2, at=(0.7, 0.5)), is_hole=True)],
    ],
    ids=["itself", "the range", "another"],
)
def test_outlines_that_cross_are_told(outlines: list[Outline]) -> None:
    with pytest.raises(CrossingOutlines, match="cross themselves or each other"):
        trimmed(outlines, *GRID)


def test_an_outline_through_curves_is_closed_and_has_no_corner_twice() -> None:
    line = Basis("bezier", 1).axis(np.array([0.0, 1]))
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]], float)
    parts = [(Curve(line, corners[[i, (i + 1) % 3]]), 0.0, 1.0) for i in range(3)]
    assert sorted(outline(parts, is_hole=False).points.tolist()) == [[0, 0], [1, 0], [1, 1]]


def test_a_rational_curve_is_a_circle() -> None:
    axis = Basis("bezier", 2).axis(np.arange(5.0))
    flat = np.concatenate([CIRCLE, np.zeros((9, 1)), np.ones((9, 1))], axis=1)
    curve = Curve(axis, flat * CIRCLE_WEIGHTS[:, None])
    points = outline([(curve, 0.0, 4.0)], is_hole=True).points
    assert len(points) == 64
    assert np.linalg.norm(points, axis=1) == pytest.approx(1, abs=1e-14)


def test_too_few_and_too_many_corners_are_errors() -> None:
    line = Basis("bezier", 1).axis(np.array([0.0, 1]))
    with pytest.raises(ValueError, match="at least 3 corners"):
        outline([(Curve(line, np.eye(2, 3)), 0.0, 1.0)], is_hole=False)
    many = Outline(ring(0.3, MAX_CORNERS + 1), is_hole=False)
    with pytest.raises(ValueError, match=f"at most {MAX_CORNERS} are possible"):
        trimmed([many], *GRID)


def test_a_trimmed_sphere_is_still_one() -> None:
    hole = Outline(ring(0.4, at=(2, 1)), is_hole=True)
    how = Approximation(parametric=(3, 3))
    found = tessellate(Patch(SPHERE.surface, SPHERE.ranges, outlines=(hole,)), how)
    assert np.linalg.norm(found.points, axis=1) == pytest.approx(1, abs=1e-12)
    assert found.normals == pytest.approx(found.points, abs=1e-7)
    middles = found.points[found.corners].mean(axis=1)
    assert np.linalg.norm(middles - [-1, 0, 0], axis=1).min() > 0.3
    whole = tessellate(SPHERE, how)
    assert 0.85 < surface_area(found) / surface_area(whole) < 0.97


def surface_area(found: Triangles) -> float:
    a, b, c = (found.points[found.corners[:, i]] for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def test_a_trimmed_crease_keeps_both_normals() -> None:
    u = Basis("bezier", 1).axis(np.array([0.0, 1, 2]))
    v = Basis("bezier", 1).axis(np.array([0.0, 1]))
    roof = np.array([[[0, 0, 0], [1, 0, 1], [2, 0, 0]], [[0, 1, 0], [1, 1, 1], [2, 1, 0]]], float)
    trim = Outline(ring(0.4, at=(1, 0.5)), is_hole=False)
    patch = Patch(Surface(u, v, roof), ((0, 2), (0, 1)), outlines=(trim,))
    found = tessellate(patch, Approximation(parametric=(2, 2)))
    expected = np.where(found.points[found.corners].mean(axis=1)[:, :1] < 1, [-H, 0, H], [H, 0, H])
    assert found.normals[found.corners].mean(axis=1) == pytest.approx(expected, abs=1e-12)


H = np.sqrt(0.5)


def test_a_trimmed_surface_has_fewer_pieces_at_most() -> None:
    flat = cubic(np.kron(SQUARE, np.ones((2, 2, 1))))
    patch = Patch(flat.surface, flat.ranges, outlines=(Outline(ring(0.3), is_hole=False),))
    with pytest.raises(ValueError, match=f"at most {MAX_TRIMMED} are possible"):
        tessellate(patch, Approximation(parametric=(100, 100)))
