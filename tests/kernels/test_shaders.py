"""Every shader against theory: energy, sampling against density, reciprocity, optics."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from gpuqueue.device.native import kernels
from tests.kernels.tiny_scene import Floats, record, shader_id

GREY = (0.5, 0.5, 0.5)
WHITE = (1.0, 1.0, 1.0)
BLACK = (0.0, 0.0, 0.0)


@dataclass
class Case:
    shader: str
    parameters: dict[str, Any]
    #: Albedo by theory where it is the same from everywhere.
    albedo: float | None = None
    is_reciprocal: bool = True
    id: int = field(init=False)
    bytes: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.id = shader_id(self.shader)
        self.bytes = record(self.shader, **self.parameters).tobytes()


def architectural(**changes: Any) -> dict[str, Any]:
    basics = {
        "diffuse": (0.6, 0.4, 0.2),
        "reflection": WHITE,
        "r0": 0.2,
        "r90": 1.0,
        "curve": 5.0,
        "ior": 1.4,
    }
    return basics | changes


def conductor(alpha: float) -> dict[str, Any]:
    return {"f0": WHITE, "f90": WHITE, "alpha": alpha}


def phong(exponent: float) -> dict[str, Any]:
    return {"diffuse": (0.3, 0.2, 0.1), "specular": (0.6, 0.7, 0.5), "exponent": exponent}


CASES = {
    "lambert": lambda: Case("lambert", {"reflectance": WHITE}, albedo=1),
    "grey lambert": lambda: Case("lambert", {"reflectance": GREY}, albedo=0.5),
    "mirror": lambda: Case("mirror", {"reflectance": GREY}, albedo=0.5),
    "glass": lambda: Case(
        "glass", {"ior": 1.5, "reflection": WHITE, "transmission": WHITE}, albedo=1
    ),
    "phong 0": lambda: Case("phong", phong(0)),
    "phong 20": lambda: Case("phong", phong(20)),
    "phong 500": lambda: Case("phong", phong(500)),
    "greedy phong": lambda: Case("phong", {"diffuse": WHITE, "specular": WHITE, "exponent": 8}),
    "polished conductor": lambda: Case("conductor", conductor(0), albedo=1),
    "conductor 0.05": lambda: Case("conductor", conductor(0.05)),
    "conductor 0.3": lambda: Case("conductor", conductor(0.3)),
    "conductor 1": lambda: Case("conductor", conductor(1)),
    "matt architectural": lambda: Case(
        "architectural", architectural(diffuse=WHITE, reflection=BLACK), 1, False
    ),
    "glossy architectural": lambda: Case(
        "architectural", architectural(alpha=0.2), is_reciprocal=False
    ),
    "polished architectural": lambda: Case("architectural", architectural(diffuse=WHITE), 1, False),
    "clear architectural": lambda: Case(
        "architectural", architectural(transmission=WHITE, diffuse=BLACK), 1, False
    ),
    "thin architectural": lambda: Case(
        "architectural",
        architectural(transmission=GREY, diffuse=WHITE, thin_walled=1),
        1,
        False,
    ),
}

COSINES = [0.999, 0.8, 0.5, 0.2, 0.03]


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    made = CASES[request.param]()
    assert isinstance(made, Case)
    return made


def test_every_shader_has_a_case() -> None:
    assert {CASES[name]().shader for name in CASES} == set(kernels().shaders())


def direction(cosine: float, turn: float = 0.3) -> Floats:
    sine = np.sqrt(1 - cosine**2)
    return np.array([sine * np.cos(turn), sine * np.sin(turn), cosine], np.float32)


def uniform(count: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).random((count, 2), np.float32)


def sample(
    case: Case, outgoing: Floats, u: Floats, front: bool = True, distance: float = 0.0
) -> tuple[Floats, Floats, Floats]:
    """Incoming [N, 3], weight [N, 3], pdf [N]."""
    rows = np.broadcast_to(outgoing, (len(u), 3)).copy()
    result = kernels().shader_sample(case.id, case.bytes, rows, u, front, distance)
    return result[:, :3], result[:, 3:6], result[:, 6]


def evaluate(case: Case, outgoing: Floats, incoming: Floats) -> tuple[Floats, Floats]:
    """BSDF * |cos| [N, 3], pdf [N]."""
    rows = np.broadcast_to(outgoing, incoming.shape).copy()
    result = kernels().shader_evaluate(case.id, case.bytes, rows, incoming)
    return result[:, :3], result[:, 3]


def hemisphere_grid(rows: int, columns: int) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Midpoints of a grid over polar and turn angle, and their solid angles."""
    polar = np.pi / 2 * (np.arange(rows) + 0.5) / rows
    turn = 2 * np.pi * (np.arange(columns) + 0.5) / columns
    polar, turn = (a.ravel() for a in np.meshgrid(polar, turn, indexing="ij"))
    sine, cosine = np.sin(polar), np.cos(polar)
    points = np.stack([sine * np.cos(turn), sine * np.sin(turn), cosine], -1)
    return points.astype(np.float32), sine * np.pi**2 / (rows * columns)


@pytest.mark.parametrize("cosine", COSINES)
@pytest.mark.parametrize("front", [True, False])
def test_no_more_light_leaves_than_arrives(case: Case, cosine: float, front: bool) -> None:
    incoming, weight, _ = sample(case, direction(cosine), uniform(50_000), front)
    albedo = np.where(incoming[:, 2:] == 0, 0, weight).mean(0)
    error = weight.std(0) / np.sqrt(50_000)
    assert (weight >= 0).all()
    assert (albedo <= 1 + 4 * error + 1e-5).all()
    if case.albedo is not None:
        np.testing.assert_allclose(albedo, case.albedo, atol=float(4 * error.max()) + 1e-5)


@pytest.mark.parametrize("cosine", COSINES)
def test_a_weight_is_the_value_over_the_density(case: Case, cosine: float) -> None:
    outgoing = direction(cosine)
    incoming, weight, pdf = sample(case, outgoing, uniform(2_000))
    rough = (pdf < 1e29) & (weight.max(1) > 0)
    value, evaluated_pdf = evaluate(case, outgoing, incoming[rough])
    np.testing.assert_allclose(evaluated_pdf, pdf[rough], rtol=1e-4)
    np.testing.assert_allclose(value, weight[rough] * pdf[rough, None], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("cosine", COSINES)
def test_samples_are_as_dense_as_the_density_says(case: Case, cosine: float) -> None:
    outgoing, count, cells = direction(cosine), 200_000, 12
    incoming, _, pdf = sample(case, outgoing, uniform(count))
    above = (incoming[:, 2] > 0) & (pdf < 1e29)
    fine, solid_angle = hemisphere_grid(cells * 60, cells * 60)
    _, density = evaluate(case, outgoing, fine)

    def cell_of(rows: Floats) -> npt.NDArray[np.int64]:
        polar = np.arccos(np.minimum(rows[:, 2], 1)) / (np.pi / 2)
        turn = np.arctan2(rows[:, 1], rows[:, 0]) / (2 * np.pi) % 1
        row, column = ((a * cells).astype(int).clip(0, cells - 1) for a in (polar, turn))
        return np.asarray(row * cells + column, np.int64)

    observed = np.bincount(cell_of(incoming[above]), minlength=cells**2)
    expected = count * np.bincount(cell_of(fine), density * solid_angle, minlength=cells**2)
    often = expected > 20
    # Two hundredths of a cell for the quadrature of narrow lobes.
    variance = expected[often] + (0.02 * expected[often]) ** 2
    deviation = (observed - expected)[often] ** 2 / variance
    if often.any():
        assert stats.chi2.sf(deviation.sum(), often.sum()) > 1e-4
    assert observed[~often].sum() <= expected[~often].sum() + 6 * np.sqrt(expected.sum() + 1)


def test_reflection_is_reciprocal(case: Case) -> None:
    if not case.is_reciprocal:
        pytest.skip("depends on the viewer's angle alone, like its model")
    rng = np.random.default_rng(2)
    a, b = (direction(rng.uniform(0.1, 1), rng.uniform(0, 6)) for _ in range(2))
    forth, _ = evaluate(case, a, b[None])
    back, _ = evaluate(case, b, a[None])
    np.testing.assert_allclose(forth * a[2], back * b[2], rtol=1e-4)


def test_nothing_rough_leaves_on_the_other_side(case: Case) -> None:
    below = direction(0.5)[None] * np.array([1, 1, -1], np.float32)
    value, pdf = evaluate(case, direction(0.7), below)
    assert value.max() == 0
    assert pdf.max() == 0


def glass(ior: float = 1.5, **changes: Any) -> Case:
    return Case("glass", {"ior": ior, "reflection": WHITE, "transmission": WHITE} | changes)


@pytest.mark.parametrize("cosine", COSINES)
@pytest.mark.parametrize("front", [True, False])
def test_glass_follows_snell_and_fresnel(cosine: float, front: bool) -> None:
    outgoing, eta = direction(cosine), 1.5 if front else 1 / 1.5
    incoming, weight, _ = sample(glass(), outgoing, uniform(100_000), front)
    up = incoming[:, 2] > 0
    np.testing.assert_allclose(weight, 1, rtol=1e-5)
    np.testing.assert_allclose(
        incoming[up], np.broadcast_to(outgoing * [-1, -1, 1], (up.sum(), 3)), rtol=1e-6
    )
    sine = np.sqrt(1 - cosine**2) / eta
    if sine >= 1:
        assert up.all(), "total internal reflection"
        return
    t = np.sqrt(1 - sine**2)
    s = (cosine - eta * t) / (cosine + eta * t)
    p = (eta * cosine - t) / (eta * cosine + t)
    assert abs(up.mean() - (s * s + p * p) / 2) < 4 * 0.5 / np.sqrt(len(up))
    assert np.abs(np.linalg.norm(incoming[~up][:, :2], axis=1) - sine).max() < 1e-5
    assert (incoming[~up][:, :2] @ outgoing[:2] <= 0).all()


def test_glass_of_the_air_s_index_is_not_there() -> None:
    incoming, weight, _ = sample(glass(ior=1.0), direction(0.4), uniform(1000))
    np.testing.assert_allclose(incoming, -np.broadcast_to(direction(0.4), (1000, 3)), atol=1e-6)
    np.testing.assert_allclose(weight, 1)


def test_glass_dims_by_beer_s_law_inside_only() -> None:
    dark = glass(absorption=(0.5, 1.0, 2.0))
    inside = sample(dark, direction(0.9), uniform(100), False, 0.7)[1]
    outside = sample(dark, direction(0.9), uniform(100), True, 0.7)[1]
    np.testing.assert_allclose(
        inside, np.broadcast_to(np.exp([-0.35, -0.7, -1.4]), (100, 3)), rtol=1e-5
    )
    np.testing.assert_allclose(outside, 1, rtol=1e-5)


def test_thick_architectural_transmission_is_reflected_where_it_cannot_leave() -> None:
    clear = Case("architectural", architectural(transmission=WHITE, diffuse=BLACK))
    incoming, weight, _ = sample(clear, direction(0.2), uniform(1000), front=False)
    assert (incoming[:, 2] > 0).all()
    np.testing.assert_allclose(weight, 1, rtol=1e-4)


def test_thin_walls_let_light_straight_through() -> None:
    thin = Case("architectural", architectural(transmission=WHITE, thin_walled=1, r0=0, r90=0))
    incoming, weight, _ = sample(thin, direction(0.3), uniform(100))
    np.testing.assert_allclose(incoming, -np.broadcast_to(direction(0.3), (100, 3)), atol=1e-6)
    np.testing.assert_allclose(weight, 1, rtol=1e-5)


def test_parameters_of_a_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match="'lambert' have 12 bytes"):
        kernels().shader_evaluate(0, b"1234", np.ones((1, 3), "f4"), np.ones((1, 3), "f4"))
    with pytest.raises(ValueError, match="no shader"):
        kernels().shader_evaluate(99, b"1234", np.ones((1, 3), "f4"), np.ones((1, 3), "f4"))
