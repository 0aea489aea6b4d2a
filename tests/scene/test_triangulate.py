import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuqueue.errors import SceneError
from gpuqueue.scene.triangulate import MAX_CORNERS, Polygon, Polygons, triangulate
from tests.scene.test_source import place

AT = place("p 0 1 2", "p")
Points = NDArray[np.float64]


def polygons_of(*polygons: list[list[int]]) -> Polygons:
    """Those without holes first."""
    plain = [loops[0] for loops in polygons if len(loops) == 1]
    return Polygons(
        np.array([corner for loop in plain for corner in loop], np.int32),
        np.array([len(loop) for loop in plain], np.int32),
        dict.fromkeys(range(len(plain)), AT),
        [Polygon(loops, AT) for loops in polygons if len(loops) > 1],
    )


def lifted(points: Points | list[list[float]], turn: float = 0.0) -> NDArray[np.float32]:
    """Plane points in space, the plane turned about x."""
    xy = np.array(points, float)
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([xy[:, 0], xy[:, 1] * c, xy[:, 1] * s + 3], axis=1).astype(np.float32)


def signed_areas(
    positions: NDArray[np.float32], triangles: NDArray[np.int32], normal: Points
) -> Points:
    a, b, c = (positions[triangles[:, i]].astype(float) for i in range(3))
    areas: Points = np.cross(b - a, c - a) @ normal / 2
    return areas


def area_of(loop: Points) -> float:
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def check(points: Points, loops: list[list[int]], turn: float = 0.0) -> NDArray[np.int32]:
    """Every triangle faces forward, none overlap: their areas sum to that of the polygon."""
    positions = lifted(points, turn)
    triangles = triangulate(positions, polygons_of(loops))
    normal = np.array([0, -np.sin(turn), np.cos(turn)])
    areas = signed_areas(positions, triangles, normal)
    expected = area_of(points[loops[0]]) - sum(abs(area_of(points[hole])) for hole in loops[1:])
    assert areas.min() > -1e-6
    assert areas.sum() == pytest.approx(expected, rel=1e-5)
    assert len(triangles) == sum(map(len, loops)) - 2 + 2 * (len(loops) - 1)
    return triangles


STAR = np.array(
    [
        [np.cos(a) * r, np.sin(a) * r]
        for a, r in zip(np.arange(10) * np.pi / 5, [2, 0.6] * 5, strict=True)
    ]
)
COMB = np.array(
    [[0, 0], [9, 0], *[[9 - i / 2, 5 if i % 2 == 0 else 1] for i in range(18)], [0, 5]], float
)


@pytest.mark.parametrize("turn", [0.0, 0.7, 2.0, np.pi])
@pytest.mark.parametrize(
    "shape", [STAR, COMB, np.array([[0.0, 0], [2, 0], [0, 1]])], ids=["star", "comb", "triangle"]
)
def test_a_simple_polygon_is_covered_once(shape: Points, turn: float) -> None:
    check(shape, [list(range(len(shape)))], turn)


def test_a_convex_polygon_is_a_fan() -> None:
    angles = np.arange(12) * np.pi / 6
    triangles = check(np.stack([np.cos(angles), np.sin(angles)], 1), [list(range(12))])
    assert (triangles[:, 0] == 0).all()


def test_the_diagonal_of_a_concave_quadrilateral_lies_inside() -> None:
    for first in range(4):
        quad = np.roll([[0, 0], [2, 0], [0.5, 0.5], [0, 2]], first, axis=0).astype(float)
        check(quad, [[0, 1, 2, 3]])


@pytest.mark.parametrize("reverse", [False, True])
def test_holes_of_either_direction_are_left_out(reverse: bool) -> None:
    square = [[0, 0], [10, 0], [10, 10], [0, 10]]
    holes = [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]] for x in (1, 4, 7) for y in (1, 4, 7)]
    points = np.array(square + [corner for hole in holes for corner in hole], float)
    loops = [list(range(4 * i, 4 * i + 4)) for i in range(10)]
    check(points, [loops[0], *(loop[::-1] if reverse else loop for loop in loops[1:])])


def test_a_hole_that_touches_the_bridge_of_another_is_left_out() -> None:
    outer = [[0, 0], [8, 0], [8, 4], [0, 4]]
    holes = [[[1, 1], [2, 2], [1, 3]], [[3, 1], [5, 2], [3, 3]], [[6, 1.5], [7, 2], [6, 2.5]]]
    points = np.array(outer + [c for hole in holes for c in hole], float)
    check(points, [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]])


def test_corners_on_a_straight_edge_are_kept() -> None:
    points = np.array([[0, 0], [1, 0], [2, 0], [2, 2], [1, 0.5], [0, 2], [0, 1]], float)
    triangles = check(points, [list(range(7))])
    assert set(triangles.reshape(-1)) == set(range(7))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.2, 1.0), min_size=4, max_size=40),
    st.floats(0.05, 0.15),
    st.sampled_from([0.0, 1.0, 2.5]),
)
def test_any_star_shaped_polygon_with_a_hole_is_covered_once(
    radii: list[float], hole: float, turn: float
) -> None:
    angles = np.arange(len(radii)) * 2 * np.pi / len(radii)
    outer = np.array(radii)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    inner = hole * np.array([[0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]])
    count = len(radii)
    check(np.vstack([outer, inner]), [list(range(count)), list(range(count, count + 4))], turn)


@pytest.mark.parametrize(
    "points",
    [
        [[0, 0]] * 6,
        [[0, 0], [1, 0], [2, 0], [3, 0], [1, 0]],
        [[0, 0], [1, 1], [1, 0], [0, 1]],
        [[0, 0], [2, 2], [0, 2], [2, 0], [1, 3], [1, -1]],
    ],
    ids=["one point", "a line", "a bow", "a tangle"],
)
def test_a_degenerate_polygon_gives_triangles_and_an_end(points: list[list[float]]) -> None:
    triangles = triangulate(lifted(points), polygons_of([list(range(len(points)))]))
    assert len(triangles) == len(points) - 2


def test_a_hole_outside_the_polygon_ends_as_well() -> None:
    points = [[0, 0], [1, 0], [0, 1], [5, 5], [6, 5], [5, 6]]
    triangles = triangulate(lifted(points), polygons_of([[0, 1, 2], [3, 4, 5]]))
    assert len(triangles) == 6


def test_a_concave_polygon_of_too_many_corners_is_refused() -> None:
    count = MAX_CORNERS + 2
    zigzag = np.stack([np.arange(count), np.arange(count) % 2 + 5], 1).astype(float)
    zigzag[:1], zigzag[-1:] = [0, 0], [count, 0]
    with pytest.raises(SceneError, match=f"a concave polygon of {count} corners"):
        triangulate(lifted(zigzag), polygons_of([list(range(count))]))


def test_polygons_of_different_sizes_keep_their_order_and_holes_come_last() -> None:
    positions = lifted([[0, 0], [1, 0], [1, 1], [0, 1], [-1, 0.5], [4, -4], [0, 4]])
    polygons = polygons_of([[0, 5, 6], [1, 2, 3]], [[0, 1, 2]], [[0, 1, 2, 3, 4]], [[0, 2, 3]])
    triangles = triangulate(positions, polygons)
    assert polygons.triangle_counts().tolist() == [1, 3, 1, 6]
    assert triangles[:5].tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 2, 3]]
    assert set(triangles[5:].ravel().tolist()) == {0, 1, 2, 3, 5, 6}


def test_concave_polygons_among_convex_ones_are_cut_in_their_place() -> None:
    points = np.concatenate([STAR, STAR + 5, [[0, 0], [1, 0], [1, 1], [0, 1]]])
    loops = [[20, 21, 22, 23], list(range(10)), [20, 22, 23], list(range(10, 20))]
    triangles = triangulate(lifted(points), polygons_of(*([loop] for loop in loops)))
    areas = signed_areas(lifted(points), triangles, np.array([0, 0, 1.0]))
    assert areas.min() > 0
    assert areas[2:10].sum() == pytest.approx(area_of(STAR), rel=1e-5)
    assert areas[11:].sum() == pytest.approx(area_of(STAR), rel=1e-5)
    assert triangles[10].tolist() == [20, 22, 23]
