import math
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.scene import Scene, load_scene, pack
from gpuqueue.scene.light_table import light_table, world_areas
from tests.scene.test_buffers import LAYOUTS, SHADERS
from tests.scene.test_graph import PARTS


def lit(tmp_path: Path, light: str, instance: str = "", options: str = "") -> Scene:
    text = PARTS.replace('"o" end', f'"o" {options} end')
    (tmp_path / "s.mi").write_text(
        f"""{text} light "l" {light} end light instance "i" "l" {instance} end instance
        instance "s" "square" end instance
        instgroup "world" "camera" "i" "s" end instgroup render "world" "camera" "o" """
    )
    return load_scene(Path("s.mi"), tmp_path)


def test_a_base_light_delivers_pi_times_its_colour_at_any_distance(tmp_path: Path) -> None:
    (light,) = lit(tmp_path, '"mib_light_point" ("color" 1 2 3)').lights
    assert light.color == pytest.approx((math.pi, 2 * math.pi, 3 * math.pi))
    assert light.falloff == "none"


def test_the_option_light_relative_scale_multiplies_it(tmp_path: Path) -> None:
    scene = lit(tmp_path, '"mib_light_point" ("color" 1 1 1)', "", '"light relative scale" 0.31831')
    assert scene.lights[0].color[0] == pytest.approx(1, rel=1e-5)


def test_a_physical_point_light_is_a_flux(tmp_path: Path) -> None:
    (light,) = lit(tmp_path, '"physical_light" ("color" 100 100 100)').lights
    assert light.falloff == "inverse square"
    assert light.color[0] == pytest.approx(100 / (4 * math.pi))


@pytest.mark.parametrize(
    "shape",
    [
        "rectangle 2 0 0 0 3 0",
        "disc 0 0 -1 1.5",
        "sphere 0.7",
        "cylinder 0 3 0 0.4",
        'object "s"',
    ],
)
@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_an_area_light_emits_its_flux_from_any_shape_and_scale(
    tmp_path: Path, shape: str, scale: float
) -> None:
    transform = f"transform {scale} 0 0 0 0 {scale} 0 0 0 0 {scale} 0 3 0 0 1"
    scene = lit(tmp_path, f'"physical_light" ("color" 5 5 5) {shape}', transform)
    index = int(np.flatnonzero([m.name == "l" for m in scene.meshes])[0])
    radiance = next(m.emission for m in scene.materials if m.name == "l")[0]
    area = world_areas(scene.meshes[index], np.eye(4)).sum()
    assert math.pi * area * radiance == pytest.approx(5, rel=1e-6)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        ("rectangle 2 0 0 0 3 0", 6.0),
        ("disc 0 0 -1 1.5", math.pi * 1.5**2),
        ("sphere 0.7", 4 * math.pi * 0.49),
        ("cylinder 0 3 0 0.4", 2 * math.pi * 0.4 * 3),
    ],
)
def test_the_triangles_of_an_area_light_have_the_area_of_its_shape(
    tmp_path: Path, shape: str, area: float
) -> None:
    scene = lit(tmp_path, f'"physical_light" ("color" 5 5 5) {shape}')
    mesh = next(m for m in scene.meshes if m.name == "l")
    assert world_areas(mesh, np.eye(4)).sum() == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize("shape", ["sphere 1", "cylinder 0 3 0 1"])
@pytest.mark.parametrize("mirror", [1, -1])
def test_closed_area_lights_face_out(tmp_path: Path, shape: str, mirror: int) -> None:
    transform = f"transform {mirror} 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
    scene = lit(tmp_path, f'"physical_light" ("color" 5 5 5) {shape}', transform)
    mesh = next(m for m in scene.meshes if m.name == "l")
    a, b, c = (mesh.positions[mesh.triangles[:, i]] for i in range(3))
    outward = (a + b + c) * ([1, 1, 1] if "sphere" in shape else [1, 0, 1])
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), outward) > 0).all()


@pytest.mark.parametrize(
    ("direction", "facing"), [("", 1), ("direction 0 0 -2", -1), ("direction 0 0 2", 1)]
)
def test_a_rectangle_faces_along_u_cross_v_or_along_its_direction(
    tmp_path: Path, direction: str, facing: int
) -> None:
    scene = lit(tmp_path, f'"physical_light" ("color" 5 5 5) {direction} rectangle 1 0 0 0 1 0')
    mesh = next(m for m in scene.meshes if m.name == "l")
    a, b, c = (mesh.positions[mesh.triangles[0, i]] for i in range(3))
    assert np.sign(np.cross(b - a, c - a)[2]) == facing


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("", "point"),
        ("origin 0 1 0", "point"),
        ("direction 0 -1 0", "directional"),
        ("direction 0 -1 0 spread 0.5", "directional"),
        ("origin 0 1 0 direction 0 -1 0", "directional"),
        ("origin 0 1 0 direction 0 -1 0 spread 0.5", "spot"),
    ],
)
def test_the_kind_of_a_light_follows_from_what_is_given(
    tmp_path: Path, given: str, kind: str
) -> None:
    (light,) = lit(tmp_path, f'"mib_light_infinite" ("color" 1 1 1) {given}').lights
    assert light.kind == kind


def test_lights_are_chosen_by_power(tmp_path: Path) -> None:
    (tmp_path / "s.mi").write_text(
        PARTS
        + """light "bulb" "physical_light" ("color" 30 30 30) end light
        light "panel" "physical_light" ("color" 70 70 70) rectangle 1 0 0 0 1 0 end light
        instance "b" "bulb" end instance instance "p" "panel" end instance
        instgroup "world" "camera" "b" "p" end instgroup render "world" "camera" "o" """
    )
    scene = load_scene(Path("s.mi"), tmp_path)
    buffers = pack(scene, LAYOUTS, SHADERS)
    assert buffers.lights["kind"].tolist() == [0, 0, 1]
    assert buffers.lights["probability"] == pytest.approx([0.35, 0.35, 0.3])
    assert buffers.light_cdf == pytest.approx([0.35, 0.7, 1.0])
    assert buffers.light_cdf[-1] == 1.0
    # The rule of the kernels: probability = emission_density * luminance * area.
    emission = 70 / math.pi
    assert buffers.emission_density * emission * 0.5 == pytest.approx(0.35)


def test_every_emissive_triangle_of_every_instance_is_a_light(tmp_path: Path) -> None:
    (tmp_path / "s.mi").write_text(
        PARTS
        + """material "glow" "one_color" ("color" 1 1 1) end material
        instance "a" "square" material "glow" end instance
        instance "b" "square" material "glow"
            transform .5 0 0 0 0 .5 0 0 0 0 .5 0 0 0 0 1 end instance
        instance "c" "square" end instance
        instgroup "world" "camera" "c" "a" "b" end instgroup render "world" "camera" "o" """
    )
    lights = pack(load_scene(Path("s.mi"), tmp_path), LAYOUTS, SHADERS).lights
    assert lights["instance"].tolist() == [1, 1, 2, 2]
    assert lights["triangle"].tolist() == [0, 1, 0, 1]
    assert lights["probability"] == pytest.approx([0.1, 0.1, 0.4, 0.4])


def test_a_scene_without_light_has_an_empty_table(tmp_path: Path) -> None:
    table = light_table(lit(tmp_path, '"mib_light_point" ("color" 0 0 0)'))
    assert len(table.cdf) == 0
    assert table.emission_density == 0
