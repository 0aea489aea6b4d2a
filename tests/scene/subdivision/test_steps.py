"""Steps of subdivision against closed forms: B-splines, box splines, and known limits."""

from collections.abc import Callable

import numpy as np
import pytest

from gpuqueue.scene.freeform.bases import Basis
from gpuqueue.scene.freeform.surface import Surface
from gpuqueue.scene.subdivision.catmull_clark import catmull_clark
from gpuqueue.scene.subdivision.loop import loop
from gpuqueue.scene.subdivision.polygons import SHARP, Polygons

CUBE = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
QUADS = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
TRIANGLES = [t for a, b, c, d in QUADS for t in ([a, b, c], [a, c, d])]
STEPS = {"catmull clark": (catmull_clark, QUADS), "loop": (loop, TRIANGLES)}


def mesh(
    points: np.ndarray,
    polygons: list[list[int]],
    creases: dict[tuple[int, int], float] | None = None,
) -> Polygons:
    creases = creases or {}
    return Polygons(
        points,
        np.concatenate(polygons),
        np.array(list(map(len, polygons))),
        None,
        np.array(list(creases), np.int64).reshape(-1, 2),
        np.array(list(creases.values()), float),
        np.zeros(len(points)),
        np.arange(len(polygons)),
    )


def grid(points: np.ndarray) -> Polygons:
    """Quadrilaterals between points ``[R, C, 3]``."""
    rows, columns = points.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], axis=-1)
    return mesh(points.reshape(-1, 3), quads.reshape(-1, 4).tolist())


def times(step: Callable[[Polygons], Polygons], count: int, control: Polygons) -> Polygons:
    for _ in range(count):
        control = step(control)
    return control


def test_a_grid_tends_to_the_bicubic_b_spline() -> None:
    """The middle of a 4 x 4 grid is one patch of it: four steps of the mesh lie on the knots'
    refinement, whose points tend to the surface by a quarter each step."""
    control = np.random.default_rng(1).random((4, 4, 3))
    axis = Basis("bspline", 3).axis(np.arange(8.0))
    surface = Surface(axis, axis, control)
    spots = axis.locate(np.linspace(3, 4, 5))
    expected = surface.grid(spots, spots)[0].reshape(-1, 3)
    distances = []
    for steps in (3, 5):
        refined = times(catmull_clark, steps, grid(control)).points
        gaps = np.linalg.norm(expected[:, None] - refined[None], axis=2).min(axis=1)
        distances.append(gaps.max())
    assert distances[1] < distances[0] / 12
    assert distances[1] < 2e-3


@pytest.mark.parametrize("name", STEPS)
def test_a_vertex_tends_to_its_limit(name: str) -> None:
    """Catmull and Clark: (n^2 P + 4 sum of edges' other ends + sum of diagonal corners) /
    (n (n + 5)); Loop: P + the neighbours' mean, weighted by 3 / (8 b) and n."""
    step, polygons = STEPS[name]
    refined = times(step, 9, mesh(CUBE, polygons)).points[0]
    if name == "catmull clark":
        around = 4 * (CUBE[1] + CUBE[2] + CUBE[4]) + CUBE[3] + CUBE[5] + CUBE[6]
        limit = (9 * CUBE[0] + around) / 24
    else:
        neighbours = CUBE[[t for t in range(1, 8) if any(0 in p and t in p for p in polygons)]]
        n = len(neighbours)
        b = 3 / 16 if n == 3 else 3 / (8 * n)
        share = 3 / (8 * b) / (n + 3 / (8 * b))
        limit = share * CUBE[0] + (1 - share) * neighbours.mean(axis=0)
    assert refined == pytest.approx(limit, abs=2e-4)


@pytest.mark.parametrize("name", STEPS)
def test_a_closed_mesh_stays_closed(name: str) -> None:
    step, polygons = STEPS[name]
    refined = times(step, 3, mesh(CUBE, polygons))
    assert (refined.edges.uses == 2).all()
    assert len(refined.points) - len(refined.edges.ends) + len(refined.sizes) == 2
    assert (np.bincount(refined.origin) == len(refined.sizes) // len(polygons)).all()


@pytest.mark.parametrize("name", STEPS)
def test_a_step_commutes_with_affine_maps(name: str) -> None:
    step, polygons = STEPS[name]
    random = np.random.default_rng(2)
    matrix, shift = random.random((3, 3)), random.random(3)
    moved = step(mesh(CUBE @ matrix + shift, polygons)).points
    assert moved == pytest.approx(step(mesh(CUBE, polygons)).points @ matrix + shift, abs=1e-12)


def all_edges(polygons: list[list[int]], sharpness: float) -> dict[tuple[int, int], float]:
    return {(a, b): sharpness for p in polygons for a, b in zip(p, [*p[1:], p[0]], strict=True)}


@pytest.mark.parametrize("name", STEPS)
def test_a_cube_of_sharp_edges_stays_a_cube(name: str) -> None:
    step, polygons = STEPS[name]
    refined = times(step, 3, mesh(CUBE, polygons, all_edges(polygons, SHARP)))
    assert abs(refined.points).max(axis=1) == pytest.approx(1, abs=1e-12)
    assert refined.points[:8].tolist() == CUBE.tolist()


@pytest.mark.parametrize("name", STEPS)
def test_sharpness_wears_off_step_by_step(name: str) -> None:
    """A crease of sharpness s is sharp for s steps and smooth afterwards; half is between."""
    step, polygons = STEPS[name]
    sizes = [
        np.linalg.norm(times(step, 4, mesh(CUBE, polygons, all_edges(polygons, s))).points[0])
        for s in (0.0, 0.5, 1.0, 2.0, SHARP)
    ]
    assert sizes == sorted(sizes)
    assert len(set(np.round(sizes, 6))) == 5
    sharp_once = step(mesh(CUBE, polygons, all_edges(polygons, 1.0)))
    by_hand = step(mesh(CUBE, polygons, all_edges(polygons, SHARP)))
    assert sharp_once.points == pytest.approx(by_hand.points, abs=1e-15)
    assert not len(sharp_once.creases)


@pytest.mark.parametrize("name", STEPS)
def test_the_boundary_is_a_cubic_b_spline_of_its_own_points(name: str) -> None:
    """What is inside does not pull at it: two meshes that share a boundary keep it in common."""
    step = STEPS[name][0]
    flat = np.array([[x, y, 0] for y in range(4) for x in range(4)], float)
    bent = flat.copy()
    bent[[5, 6, 9, 10], 2] = 5
    quads = [[i, i + 1, i + 5, i + 4] for i in range(11) if i % 4 < 3]
    polygons = (
        quads
        if step is catmull_clark
        else [t for a, b, c, d in quads for t in ([a, b, c], [a, c, d])]
    )
    for points in (flat, bent):
        refined = times(step, 3, mesh(points, polygons))
        border = refined.edges.ends[refined.edges.uses == 1].ravel()
        assert (refined.points[border, 2] == 0).all()
    # A vertex on a straight side tends to itself, the corner of the square to (P0 + 4 P1 + P2) / 6.
    corner = times(step, 9, mesh(flat, polygons)).points[0]
    assert corner == pytest.approx([1 / 6, 1 / 6, 0], abs=1e-4)


def test_polygons_of_any_size_become_quadrilaterals() -> None:
    angles = np.arange(7) * (2 * np.pi / 7)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(7)], axis=1)
    refined = catmull_clark(mesh(ring, [list(range(7))]))
    assert refined.sizes.tolist() == [4] * 7
    assert refined.points[-1] == pytest.approx([0, 0, 0], abs=1e-15)


def test_an_edge_of_three_polygons_is_sharp() -> None:
    points = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, -1, 0]], float)
    refined = times(loop, 2, mesh(points, [[0, 1, 2], [0, 1, 3], [0, 1, 4]]))
    shared = refined.points[(refined.points[:, :2] == 0).all(axis=1)]
    assert len(shared) == 5, "the edge stays where it was"
