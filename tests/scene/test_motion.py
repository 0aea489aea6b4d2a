"""Motion of a scene: matrices at the shutter's times, and pictures of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuqueue.scene.motion import MAX_STEPS, Shutter, keys_between

from .describe import load
from .test_pictures import SIZE, render

Floats = NDArray[np.float64]


def rigid(axis: list[float], degrees: float, shift: list[float]) -> Floats:
    """Rodrigues' formula as a matrix exponential by its series: another way than the code's."""
    x, y, z = np.array(axis) / np.linalg.norm(axis) * np.radians(degrees)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    term, total = np.eye(3), np.eye(3)
    for n in range(1, 40):
        term = term @ cross / n
        total = total + term
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = total, shift
    return matrix


def test_between_two_matrices_points_move_on_straight_lines() -> None:
    first, second = rigid([1, 2, 3], 20, [1, 2, 3]), rigid([0, 1, 0], 70, [5, 0, 0])
    keys = keys_between(first[None], second[None], Shutter(0.25, 0.75))
    np.testing.assert_allclose(keys[0, 0], 0.75 * first + 0.25 * second)
    np.testing.assert_allclose(keys[0, 1], 0.25 * first + 0.75 * second)


@pytest.mark.parametrize("degrees", [0.0, 1e-9, 30.0, 120.0, 180.0])
def test_with_steps_a_turn_about_a_pivot_stays_on_its_circle(degrees: float) -> None:
    pivot, away = rigid([1, 0, 0], 0, [3, -1, 2]), rigid([1, 0, 0], 0, [-3, 1, -2])
    first = rigid([1, 1, 0], 50, [4, 4, 4])
    turns = [pivot @ rigid([1, 2, -1], s * degrees, [0, 0, 0]) @ away for s in (0, 0.25, 0.5, 1)]
    keys = keys_between(first[None], (turns[3] @ first)[None], Shutter(0.0, 1.0, 4))[0]
    np.testing.assert_allclose(keys[0], first, atol=1e-9)
    np.testing.assert_allclose(keys[4], turns[3] @ first, atol=1e-9)
    if degrees == 180:  # either way round
        lengths = np.linalg.norm((away @ keys @ np.linalg.inv(first) @ pivot)[:, :3, 3], axis=1)
        np.testing.assert_allclose(lengths, 0, atol=1e-9)
    else:
        np.testing.assert_allclose(keys[1:3], [turn @ first for turn in turns[1:3]], atol=1e-9)


def test_with_steps_a_stretch_and_a_mirror_begin_and_end_where_they_must() -> None:
    first = np.stack([rigid([0, 0, 1], 10, [1, 0, 0])] * 2)
    second = first.copy()
    second[0, :3, :3] = rigid([1, 0, 0], 80, [0, 0, 0])[:3, :3] @ np.diag([2, 0.5, 3])
    second[1, 0] *= -1
    keys = keys_between(first, second, Shutter(0.0, 1.0, 3))
    np.testing.assert_allclose(keys[:, 0], first, atol=1e-12)
    np.testing.assert_allclose(keys[:, 3], second, atol=1e-12)


SQUARE = """object "pane" group -.5 -9 0 .5 -9 0 .5 9 0 -.5 9 0 v 0 v 1 v 2 v 3 p 0 1 2 3 end group
end object material "glow" "one_color" ("color" 1 1 1) end material """
MOVE = "transform 1 0 0 0 0 1 0 0 0 0 1 0 {} 0 0 1"


def moving_pane(folder: Path, options: str, instances: str) -> Floats:
    """Columns [SIZE] of a picture, 2 wide, of a bright pane 1 wide."""
    text = SQUARE + instances
    text += f'options "o" {options} end options'
    return render(folder, text, 256)[..., 0].mean(axis=0)


def covered(first: float, last: float) -> Floats:
    """For how long each column sees a pane whose middle goes from one place to another."""
    x = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    times = (np.arange(4096) + 0.5) / 4096
    centres = first + times * (last - first)
    return np.asarray((abs(x[:, None] - centres) < 0.5).mean(axis=1), np.float64)


PANE = (
    f'instance "i" "pane" {MOVE.format(1)} material "glow" motion {MOVE.format(-1)} end instance '
)
WORLD = 'instgroup "world" "camera" "i" end instgroup '


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ("shutter 1.", -1, 1),
        ("shutter 0.5", -1, 0),
        ("shutter 0.25 0.75", -0.5, 0.5),
        ("shutter 0.5 0.5", 0, 0),
        ("shutter 0.", -1, -1),
        ("", -1, -1),
        ("shutter 1. motion off", -1, -1),
        ("shutter 1. motion steps 5", -1, 1),
    ],
)
def test_the_shutter_says_which_part_of_a_motion_is_seen(
    tmp_path: Path, options: str, first: float, last: float
) -> None:
    seen = moving_pane(tmp_path, options, PANE + WORLD)
    np.testing.assert_allclose(seen, covered(first, last), atol=0.08)


def test_a_group_moves_what_it_holds_but_for_what_stays(tmp_path: Path) -> None:
    inner = 'instance "p" "pane" material "glow" {} end instance instgroup "g" "p" end instgroup '
    group = f'instance "i" "g" {MOVE.format(1)} motion {MOVE.format(-1)} end instance '
    moved = moving_pane(tmp_path, "shutter 1.", inner.format("") + group + WORLD)
    np.testing.assert_allclose(moved, covered(-1, 1), atol=0.08)
    stays = moving_pane(tmp_path, "shutter 1.", inner.format("motion off") + group + WORLD)
    np.testing.assert_allclose(stays, covered(-1, -1), atol=0.08)


def test_a_moving_camera_blurs_the_scene_the_other_way(tmp_path: Path) -> None:
    still = 'instance "i" "pane" material "glow" end instance '
    camera = """incremental instance "camera" transform 1 0 0 0 0 1 0 0 0 0 1 0 -1 0 -5 1
    motion transform 1 0 0 0 0 1 0 0 0 0 1 0 1 0 -5 1 end instance """
    seen = moving_pane(tmp_path, "shutter 1.", still + camera + WORLD)
    np.testing.assert_allclose(seen, covered(-1, 1), atol=0.08)


def test_steps_are_bounded_and_a_shutter_is_a_hint_of_the_options(tmp_path: Path) -> None:
    text = SQUARE + PANE + 'options "o" shutter 2. motion steps 900 end options '
    text += 'camera "v" end camera instance "camera" "v" end instance ' + WORLD
    (tmp_path / "s.mi").write_text(text + 'render "world" "camera" "o"')
    from gpuqueue.scene import load_scene

    scene = load_scene(Path("s.mi"), tmp_path)
    assert scene.options.shutter == Shutter(0.0, 2.0, MAX_STEPS)
    assert scene.instances.motion is not None
    assert scene.instances.motion.keys.shape == (1, MAX_STEPS + 1, 4, 4)
    assert scene.instances.motion.keys[0, -1, 0, 3] == pytest.approx(3)


def test_without_a_shutter_a_motion_is_told_to_do_nothing() -> None:
    from .describe import ROOT

    warnings = load(ROOT / "valid" / "instances.mi").warnings
    assert any("without a shutter in the options nothing moves" in w for w in warnings)
