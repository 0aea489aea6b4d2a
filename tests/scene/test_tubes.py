"""Tubes around curves against circles, Bezier curves and cylinders."""

import math

import numpy as np
import pytest

from gpuqueue.scene.freeform.bases import Basis
from gpuqueue.scene.freeform.surface import Curve
from gpuqueue.scene.tubes import SIDES, Tubes, bezier_samples, tubes

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_samples_lie_on_the_bezier_curve(degree: int) -> None:
    control = RANDOM.random((2, 2 * degree + 1, 3))
    found = bezier_samples(control, degree, 4)
    axis = Basis("bezier", degree).axis(np.array([0.0, 1, 2]))
    spots = axis.locate(np.linspace(0, 2, 9))
    for hair in range(2):
        assert found[hair] == pytest.approx(Curve(axis, control[hair]).points(spots), abs=1e-12)


def areas(found: Tubes) -> np.ndarray:
    a, b, c = (found.points[found.triangles[:, i]] for i in range(3))
    normals: np.ndarray = np.cross(b - a, c - a) / 2
    return normals


def test_a_straight_tube_faces_out_and_has_the_side_of_its_prism() -> None:
    line = np.array([[[0, 0, 0], [0, 0, 2], [0, 0, 5]]], float)
    found = tubes(line, np.full((1, 3), 0.1))
    across = np.linalg.norm(found.points[:, :2], axis=1)
    assert across == pytest.approx(across[0])
    side = 2 * across[0] * math.sin(math.pi / SIDES)
    normals = areas(found)
    assert np.linalg.norm(normals, axis=1).sum() == pytest.approx(SIDES * side * 5)
    middles = found.points[found.triangles].mean(axis=1)
    assert (normals * middles * [1, 1, 0]).sum(axis=1).min() > 0
    assert (found.normals * found.points)[:, :2].sum(axis=1) == pytest.approx(across)


def test_a_tube_is_as_wide_in_the_mean_as_the_round_one() -> None:
    line = np.array([[[0, 0, 0], [0, 0, 1]]], float)
    ring = tubes(line, np.ones((1, 2))).points[:SIDES, :2]
    angles = np.linspace(0, math.pi, 10_000, endpoint=False)
    seen = ring @ np.stack([np.cos(angles), np.sin(angles)])
    assert (seen.max(axis=0) - seen.min(axis=0)).mean() == pytest.approx(2, rel=1e-6)


def test_rings_stay_across_a_bent_curve_and_do_not_turn_about_it() -> None:
    t = np.linspace(0, 1.5, 40)
    arc = np.stack([np.cos(t), np.sin(t), np.zeros(40)], axis=1)
    found = tubes(arc[None], np.full((1, 40), 0.01))
    tangent = np.stack([-np.sin(t), np.cos(t), np.zeros(40)], axis=1)
    along = (found.normals.reshape(40, SIDES, 3) * tangent[:, None]).sum(axis=2)
    assert abs(along[1:-1]).max() < 1e-3
    assert abs(along).max() < 0.02, "at the ends the direction is that of the first piece"
    assert np.linalg.norm(found.normals, axis=1) == pytest.approx(1)
    up = found.normals.reshape(40, SIDES, 3)[:, :, 2]
    assert abs(up - up[0]).max() < 1e-6, "a flat arc carries its frame without twist"


@pytest.mark.parametrize(
    "curve",
    [
        [[0, 0, 0]] * 4,
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0]],
        [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
    ],
    ids=["a point", "a right angle", "back again"],
)
def test_curves_of_any_form_give_finite_tubes(curve: list[list[float]]) -> None:
    found = tubes(np.array([curve], float), np.full((1, len(curve)), 0.1))
    assert np.isfinite(found.points).all()
    assert np.linalg.norm(found.normals, axis=1) == pytest.approx(1)
