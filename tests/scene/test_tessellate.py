"""Surfaces against what they are exactly, and the triangles that they become."""

import numpy as np
import pytest

from gpuqueue.scene.freeform.approximation import DEFAULT, MAX_POINTS, Approximation
from gpuqueue.scene.freeform.bases import Basis, Floats, Indices
from gpuqueue.scene.freeform.surface import Surface
from gpuqueue.scene.freeform.tessellate import Patch, Triangles, tessellate

H = np.sqrt(0.5)
#: The unit circle in four quadratic segments, and its right half, with weights.
CIRCLE = np.array([[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1], [1, 0]])
CIRCLE_WEIGHTS = np.array([1, H, 1, H, 1, H, 1, H, 1])
HALF = np.array([[0, -1], [1, -1], [1, 0], [1, 1], [0, 1]])
BEZIER = Basis("bezier", 2)
CUBIC = Basis("bezier", 3).axis(np.array([0.0, 1]))


def revolve(profile: Floats, weights: Floats, degree: int) -> Patch:
    """The surface of a profile (distance from the axis, height) about the z axis."""
    u = BEZIER.axis(np.arange(5.0))
    segments = (len(profile) - 1) // degree
    v = Basis("bezier", degree).axis(np.arange(segments + 1.0))
    points = np.empty((len(profile), len(CIRCLE), 3))
    points[..., :2] = profile[:, None, :1] * CIRCLE
    points[..., 2] = profile[:, None, 1]
    every = (weights[:, None] * CIRCLE_WEIGHTS)[..., None]
    surface = Surface(u, v, np.concatenate([points * every, every], axis=2))
    return Patch(surface, ((0, 4), (0, segments)))


SPHERE = revolve(HALF.astype(float), CIRCLE_WEIGHTS[:5], 2)
CYLINDER = revolve(np.array([[2.0, -1], [2.0, 3]]), np.ones(2), 1)
TORUS = revolve(CIRCLE * 0.5 + [2, 0], CIRCLE_WEIGHTS, 2)
CONE = revolve(np.array([[1.0, 0], [0.0, 2]]), np.ones(2), 1)


def edges(triangles: Triangles) -> tuple[Indices, Indices]:
    """Directed edges ``[E, 2]`` between places, and the places."""
    places, names = np.unique(triangles.points, axis=0, return_inverse=True)
    corners = names.reshape(-1)[triangles.corners]
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return pairs, np.arange(len(places))


def assert_is_watertight(triangles: Triangles, euler: int) -> None:
    """Every edge is used once in each direction; V - E + F is that of the shape."""
    pairs, places = edges(triangles)
    forward = {tuple(pair) for pair in pairs.tolist()}
    assert len(forward) == len(pairs)
    assert forward == {(b, a) for a, b in forward}
    assert len(places) - len(pairs) // 2 + len(triangles.corners) == euler


def assert_faces_along_normals(triangles: Triangles) -> None:
    a, b, c = (triangles.points[triangles.corners[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    normals = triangles.normals[triangles.corners].sum(axis=1)
    assert ((faces * normals).sum(axis=1) > 0).all()


@pytest.mark.parametrize("how", [DEFAULT, Approximation(parametric=(3, 2))], ids=["angle", "cuts"])
class TestQuadrics:
    def test_a_rational_sphere_is_one(self, how: Approximation) -> None:
        found = tessellate(SPHERE, how)
        assert np.linalg.norm(found.points, axis=1) == pytest.approx(1, abs=1e-12)
        away = abs(found.points[:, 2]) < 1 - 1e-9
        assert found.normals[away] == pytest.approx(found.points[away], abs=1e-12)
        assert_is_watertight(found, 2)
        assert_faces_along_normals(found)

    def test_the_normals_of_its_poles_are_limits(self, how: Approximation) -> None:
        found = tessellate(SPHERE, how)
        at_pole = abs(found.points[:, 2]) > 1 - 1e-9
        assert at_pole.sum() >= 16
        assert found.normals[at_pole] == pytest.approx(found.points[at_pole], abs=1e-7)

    def test_a_rational_cylinder_is_one(self, how: Approximation) -> None:
        found = tessellate(CYLINDER, how)
        assert np.hypot(*found.points[:, :2].T) == pytest.approx(2, abs=1e-12)
        flat = found.points * [0.5, 0.5, 0]
        assert found.normals == pytest.approx(flat, abs=1e-12)
        assert_faces_along_normals(found)

    def test_a_rational_torus_is_one(self, how: Approximation) -> None:
        found = tessellate(TORUS, how)
        ring = found.points * [1, 1, 0]
        ring *= 2 / np.linalg.norm(ring, axis=1, keepdims=True)
        assert np.linalg.norm(found.points - ring, axis=1) == pytest.approx(0.5, abs=1e-12)
        assert found.normals == pytest.approx((found.points - ring) / 0.5, abs=1e-12)
        assert_is_watertight(found, 0)
        assert_faces_along_normals(found)

    def test_the_tip_of_a_cone_has_the_normals_of_its_side(self, how: Approximation) -> None:
        found = tessellate(CONE, how)
        at_tip = found.points[:, 2] > 2 - 1e-9
        assert len(np.unique(found.points[at_tip], axis=0)) == 1
        assert found.normals[:, 2] == pytest.approx(1 / np.sqrt(5), abs=1e-7)
        rim = found.normals[found.points[:, 2] == 0]
        assert found.normals[at_tip] == pytest.approx(rim, abs=1e-7)


def cubic(control: Floats) -> Patch:
    return Patch(Surface(CUBIC, CUBIC, control), ((0, 1), (0, 1)))


@pytest.mark.parametrize("turn", range(8))
def test_neighbours_agree_on_their_edge_to_the_bit_however_they_are_turned(turn: int) -> None:
    rng = np.random.default_rng(7)
    left = rng.normal(size=(4, 4, 3))
    right = rng.normal(size=(4, 4, 3))
    right[:, 0] = left[:, 3]
    turned = np.rot90(right, turn)
    turned = turned.swapaxes(0, 1) if turn >= 4 else turned
    how = Approximation(parametric=(3, 3))
    one, other = (tessellate(cubic(c), how).points for c in (left, turned))
    shared = {tuple(point) for point in one.tolist()} & {tuple(point) for point in other.tolist()}
    assert len(shared) == 10


def test_a_crease_between_segments_keeps_both_normals_and_one_edge() -> None:
    u = Basis("bezier", 1).axis(np.array([0.0, 1, 2]))
    v = Basis("bezier", 1).axis(np.array([0.0, 1]))
    roof = np.array([[[0, 0, 0], [1, 0, 1], [2, 0, 0]], [[0, 1, 0], [1, 1, 1], [2, 1, 0]]], float)
    found = tessellate(Patch(Surface(u, v, roof), ((0, 2), (0, 1))), DEFAULT)
    ridge = found.points[:, 0] == 1
    assert len(np.unique(found.normals[ridge].round(9), axis=0)) == 2
    pairs, _ = edges(found)
    counts = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)[1]
    boundary = np.count_nonzero(counts == 1)
    assert boundary == 2 * 4 + 2 * 2  # the outline alone, at two cuts for each segment


def test_texture_coordinates_are_the_parameters_or_those_of_the_texture_surface() -> None:
    line = Basis("bezier", 1)
    shape = Surface(line.axis(np.array([2.0, 4])), line.axis(np.array([0.0, 1])), SQUARE)
    plain = tessellate(Patch(shape, ((2, 4), (0, 1))), Approximation(parametric=(2, 1)))
    assert plain.uvs[:3].tolist() == [[2, 0], [3, 0], [4, 0]]
    texture = Surface(shape.u, shape.v, SQUARE[:, ::-1] * [10, 10, 0])
    mapped = tessellate(Patch(shape, ((2, 4), (0, 1)), texture), Approximation(parametric=(2, 1)))
    assert mapped.uvs[:3].tolist() == [[10, 0], [5, 0], [0, 0]]


SQUARE = np.array([[[0, 0, 0], [1, 0, 0]], [[0, 1, 0], [1, 1, 0]]], float)


def test_parametric_counts_are_times_the_degree_for_each_span() -> None:
    assert len(tessellate(SPHERE, Approximation(parametric=(3, 2))).uvs) == (4 * 7) * (2 * 5)


def test_regular_counts_are_for_the_whole_surface() -> None:
    found = tessellate(cubic(WAVE), Approximation(parametric=(5, 4), regular=True))
    assert len(found.points) == 6 * 5


WAVE = np.stack(
    [*np.meshgrid(np.arange(4.0), np.arange(4.0)), 5 * np.sin(np.arange(16).reshape(4, 4))], -1
)


def test_a_bound_of_the_length_holds() -> None:
    found = tessellate(cubic(WAVE), Approximation(length=0.3, levels=(0, 8)))
    grid = found.points.reshape(-1, len(np.unique(found.uvs[:, 0])), 3)
    assert np.linalg.norm(np.diff(grid, axis=0), axis=-1).max() < 0.3
    assert np.linalg.norm(np.diff(grid, axis=1), axis=-1).max() < 0.3


def test_a_bound_of_the_distance_holds_and_is_not_overdone() -> None:
    chords = []
    for distance in (0.05, 0.002):
        found = tessellate(SPHERE, Approximation(distance=distance))
        middles = found.points[found.corners].mean(axis=1)
        chords.append(1 - np.linalg.norm(middles, axis=1).min())
    assert 0.005 < chords[0] < 2 * 0.05
    assert 0.0002 < chords[1] < 2 * 0.002


def test_a_bound_of_the_angle_holds() -> None:
    found = tessellate(SPHERE, Approximation(angle=5.0))
    a, b = (found.normals[found.corners[:, i]] for i in (0, 1))
    assert np.degrees(np.arccos((a * b).sum(axis=1).min())) < 5.0


def test_any_bound_is_enough_where_the_scene_says_so() -> None:
    both = Approximation(length=0.1, angle=45.0)
    either = Approximation(length=0.1, angle=45.0, any_bound=True)
    assert len(tessellate(SPHERE, either).points) < len(tessellate(SPHERE, both).points) / 4


def test_levels_bound_the_refinement_from_both_sides() -> None:
    coarse = tessellate(cubic(WAVE), Approximation(length=1e-9, levels=(0, 2)))
    assert len(coarse.points) == 5 * 5
    fine = tessellate(cubic(WAVE), Approximation(length=1e9, levels=(3, 5)))
    assert len(fine.points) == 9 * 9


def test_refinement_stops_where_a_surface_has_its_fill_of_points() -> None:
    found = tessellate(cubic(WAVE), Approximation(length=1e-9, levels=(0, 30)))
    assert MAX_POINTS / 8 < len(found.points) <= MAX_POINTS


def test_too_many_pieces_are_an_error() -> None:
    with pytest.raises(ValueError, match="at most 1048576 are possible"):
        tessellate(SPHERE, Approximation(parametric=(1e9, 1e9)))


def test_what_is_not_finite_comes_back_for_the_caller_to_refuse() -> None:
    found = tessellate(cubic(np.full((4, 4, 3), 1e308)), DEFAULT)
    assert len(found.points) > 0
