"""How finely surfaces are refined, and the triangles and normals of the result."""

import numpy as np
import pytest

from gpuqueue.scene.freeform.approximation import Approximation
from gpuqueue.scene.subdivision.polygons import SHARP, Polygons
from gpuqueue.scene.subdivision.surface import DEFAULT, MAX_STEPS, Refined, refine
from tests.scene.subdivision.test_steps import CUBE, QUADS, TRIANGLES, all_edges, mesh


def area(found: Refined) -> float:
    a, b, c = (found.points[found.triangles[:, i]] for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def facet_normals(found: Refined) -> np.ndarray:
    a, b, c = (found.points[found.triangles[:, i]] for i in range(3))
    normals: np.ndarray = np.cross(b - a, c - a)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


@pytest.mark.parametrize("polygons", [QUADS, TRIANGLES], ids=["quads", "triangles"])
def test_normals_point_out_and_follow_the_facets(polygons: list[list[int]]) -> None:
    found = refine(mesh(CUBE, polygons), Approximation(parametric=(4, 4)))
    assert ((found.normals * found.points).sum(axis=1) > 0).all()
    assert np.linalg.norm(found.normals, axis=1) == pytest.approx(1)
    corners = found.normals[found.triangles]
    assert (corners * facet_normals(found)[:, None]).sum(axis=2).min() > 0.97


def test_levels_are_steps_when_they_are_asked_for() -> None:
    for level in range(4):
        found = refine(mesh(CUBE, QUADS), Approximation(parametric=(level, level)))
        assert len(found.triangles) == 12 * 4**level
        assert np.bincount(found.origin).tolist() == [2 * 4**level] * 6


def test_steps_are_bounded() -> None:
    triangle = mesh(np.eye(3), [[0, 1, 2]])
    found = refine(triangle, Approximation(parametric=(30, 30)))
    assert len(found.triangles) == 4**MAX_STEPS


def test_an_angle_is_held() -> None:
    for angle, count in ((40.0, 100), (10.0, 1000)):
        found = refine(mesh(CUBE, QUADS), Approximation(angle=angle, levels=(0, 6)))
        normals = facet_normals(found)
        edges = np.sort(found.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        _, places = np.unique(edges, axis=0, return_inverse=True)
        order = np.argsort(places.reshape(-1), kind="stable").reshape(-1, 2) // 3
        bend = (normals[order[:, 0]] * normals[order[:, 1]]).sum(axis=1)
        assert np.degrees(np.arccos(np.clip(bend.min(), -1, 1))) <= angle
        assert len(found.triangles) >= count


def test_a_length_is_held() -> None:
    """By the sides of the quadrilaterals, hence of their diagonals by its root two."""
    found = refine(mesh(CUBE, QUADS), Approximation(length=0.2, levels=(0, 6)))
    sides = found.points[found.triangles[:, [0, 1]]]
    assert np.linalg.norm(sides[:, 0] - sides[:, 1], axis=1).max() <= 0.2 * 2**0.5
    assert len(found.triangles) < 12 * 4**5


def test_a_crease_parts_the_normals_and_nothing_else() -> None:
    found = refine(mesh(CUBE, QUADS, all_edges(QUADS, SHARP)), Approximation(parametric=(2, 2)))
    assert area(found) == pytest.approx(24)
    assert (np.sort(abs(found.normals), axis=1) == [0, 0, 1]).all()
    assert len(found.points) == 6 * 25


def test_creases_do_not_ask_for_steps() -> None:
    found = refine(mesh(CUBE, QUADS, all_edges(QUADS, SHARP)), DEFAULT)
    assert len(found.triangles) == 12 * 4, "the least level; the faces are flat"


def test_texture_coordinates_keep_their_seams() -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    control = mesh(CUBE, QUADS)
    textured = Polygons(
        **{**vars(control), "uvs": np.concatenate([square + 2 * i for i in range(6)])}
    )
    found = refine(textured, Approximation(parametric=(2, 2)))
    assert found.uvs is not None
    assert len(found.points) == 6 * 25, "each face has its own square"
    first, second = np.moveaxis(np.diff(found.uvs[found.triangles], axis=1), 1, 0)
    flat = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    assert flat / 2 == pytest.approx(1 / 32)
