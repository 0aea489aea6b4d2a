from pathlib import Path

import numpy as np
import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene import Scene, load_scene
from gpuqueue.scene.flatten import MAX_PLACED

PARTS = """
options "o" end options
camera "view" end camera
instance "camera" "view" end instance
object "square" group 0 0 0 1 0 0 1 1 0 0 1 0 v 0 v 1 v 2 v 3 p 0 1 2 3 end group end object
"""


def load(tmp_path: Path, text: str, render: str = 'render "world" "camera" "o"') -> Scene:
    (tmp_path / "s.mi").write_text(f"{PARTS}\n{text}\n{render}\n")
    return load_scene(Path("s.mi"), tmp_path)


def shift(x: float, y: float = 0, z: float = 0) -> str:
    """The transform that places an element at (x, y, z): the format wants its inverse."""
    return f"transform 1 0 0 0 0 1 0 0 0 0 1 0 {-x} {-y} {-z} 1"


def test_a_chain_of_transforms_goes_from_the_root_inward(tmp_path: Path) -> None:
    turn = "transform 0 -1 0 0 1 0 0 0 0 0 1 0 0 0 0 1"  # world to element: -90 degrees about z
    scene = load(
        tmp_path,
        f"""instance "i" "square" {shift(5)} end instance
        instgroup "inner" "i" end instgroup
        instance "turned" "inner" {turn} end instance
        instgroup "middle" "turned" end instgroup
        instance "moved" "middle" {shift(0, 0, 2)} end instance
        instgroup "world" "camera" "moved" end instgroup""",
    )
    # The square at x = 5 is turned to y = 5, then moved to z = 2.
    assert scene.instances.world_from_object[0] @ [0, 0, 0, 1] == pytest.approx([0, 5, 2, 1])
    assert scene.instances.world_from_object[0] @ [1, 0, 0, 1] == pytest.approx([0, 6, 2, 1])


def test_a_group_that_is_used_twice_is_placed_twice_with_one_mesh(tmp_path: Path) -> None:
    scene = load(
        tmp_path,
        f"""instance "i" "square" end instance
        instgroup "g" "i" "i" end instgroup
        instance "a" "g" {shift(1)} end instance
        instance "b" "g" {shift(2)} end instance
        instgroup "world" "camera" "a" "b" end instgroup""",
    )
    assert len(scene.meshes) == 1
    assert scene.instances.world_from_object[:, 0, 3].tolist() == [1, 1, 2, 2]


def test_objects_with_different_materials_share_their_mesh(tmp_path: Path) -> None:
    scene = load(
        tmp_path,
        """material "m" "mib_illum_lambert" () end material
        material "n" "mib_illum_lambert" () end material
        instance "a" "square" material "m" end instance
        instance "b" "square" material "n" end instance
        instance "c" "square" material "m" end instance
        instgroup "world" "camera" "a" "b" "c" end instgroup""",
    )
    assert len(scene.meshes) == 1
    assert scene.material_lists == ((0,), (1,))
    assert scene.instances.material_list.tolist() == [0, 1, 0]


def test_a_camera_below_a_group_takes_the_whole_chain(tmp_path: Path) -> None:
    scene = load(
        tmp_path,
        f"""instance "eye" "view" {shift(1)} end instance
        instgroup "head" "eye" end instgroup
        instance "head i" "head" {shift(0, 2)} end instance
        instgroup "world" "head i" end instgroup""",
        'render "world" "eye" "o"',
    )
    assert scene.camera.world_from_camera[:3, 3].tolist() == [1, 2, 0]
    assert scene.warnings == ()


def test_a_camera_outside_the_root_is_taken_alone_with_a_warning(tmp_path: Path) -> None:
    scene = load(tmp_path, 'instgroup "world" end instgroup')
    assert "'camera' is not below 'world'" in scene.warnings[0]


def test_the_last_render_counts(tmp_path: Path) -> None:
    scene = load(
        tmp_path,
        'instgroup "a" "camera" end instgroup render "a" "camera" "o"'
        ' instance "i" "square" end instance instgroup "world" "camera" "i" end instgroup',
    )
    assert len(scene.instances) == 1


def test_doubling_groups_beyond_the_limit_is_refused_before_it_costs(tmp_path: Path) -> None:
    text = 'instance "g0" "square" end instance\n'
    for i in range(60):
        text += f'instgroup "d{i}" "g{i}" "g{i}" end instgroup\n'
        text += f'instance "g{i + 1}" "d{i}" end instance\n'
    with pytest.raises(
        SceneError, match=rf"holds {2 * MAX_PLACED} instances; at most {MAX_PLACED}"
    ):
        load(tmp_path, text, 'render "d59" "camera" "o"')


def test_large_groups_nested_deeply_are_refused(tmp_path: Path) -> None:
    text = 'instance "g0" "square" end instance\n'
    for i in range(20):
        text += f'instgroup "d{i}" "g{i}" "g{i}" end instgroup\n'
        text += f'instance "g{i + 1}" "d{i}" end instance\n'
    for i in range(20, 40):
        text += f'instgroup "d{i}" "g{i}" end instgroup instance "g{i + 1}" "d{i}" end instance\n'
    with pytest.raises(SceneError, match="in all"):
        load(tmp_path, text, 'render "d39" "camera" "o"')


def test_groups_may_be_nested_thousands_deep(tmp_path: Path) -> None:
    text = 'instance "g0" "square" end instance\n'
    for i in range(3000):
        text += f'instgroup "d{i}" "g{i}" end instgroup\n'
        text += f'instance "g{i + 1}" "d{i}" {shift(1)} end instance\n'
    text += 'instgroup "world" "camera" "g3000" end instgroup'
    scene = load(tmp_path, text)
    assert scene.instances.world_from_object[0, 0, 3] == 3000


def test_a_group_that_contains_itself_is_named(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="contain each other: world -> world"):
        load(
            tmp_path, 'instgroup "world" "self" end instgroup instance "self" "world" end instance'
        )


def test_transforms_that_overflow_are_refused(tmp_path: Path) -> None:
    huge = "transform 1e-12 0 0 0 0 1e-12 0 0 0 0 1e-12 0 0 0 0 1"
    text = 'instance "g0" "square" end instance\n'
    for i in range(3):
        text += f'instgroup "d{i}" "g{i}" end instgroup\n'
        text += f'instance "g{i + 1}" "d{i}" {huge} end instance\n'
    with pytest.raises(SceneError, match=r"exceed 1e\+15"):
        load(tmp_path, text + 'instgroup "world" "camera" "g3" end instgroup')


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ("0 " * 16, "perspective"),
        ("1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 1", "singular"),
        ("1 0 0 0 1 0 0 0 0 0 1 0 0 0 0 1", "singular"),
        ("1 0 0 1 0 1 0 0 0 0 1 0 0 0 0 1", "perspective"),
        ("1e-300 0 0 0 0 1e-300 0 0 0 0 1e-300 0 0 0 0 1", "singular"),
    ],
)
def test_an_unusable_transform_is_the_identity_with_a_warning(
    tmp_path: Path, numbers: str, word: str
) -> None:
    scene = load(
        tmp_path,
        f'instance "i" "square" transform {numbers} end instance'
        ' instgroup "world" "camera" "i" end instgroup',
    )
    assert np.array_equal(scene.instances.world_from_object[0], np.eye(4))
    assert word in scene.warnings[0]
