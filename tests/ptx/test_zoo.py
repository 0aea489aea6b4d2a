"""The zoo has every kind of thing, and every kernel that is shipped runs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from gpuqueue.device import native
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.kernel_image import entry_of
from gpuqueue.scene import SceneBuffers
from tests.kernels.schedules import KERNELS as SCHEDULING

from . import Program
from .driver import PtxDriver
from .test_trace import KERNELS as TRACING
from .zoo import SCENES, zoo_scene

#: Of scene_types.cuh: triangles, points, spots and directions; three ways to fade.
LIGHT_KINDS, FALLOFFS = range(4), range(3)
HAS_NORMALS, HAS_UVS = 1, 2
#: Of textures/image.cuh and steps.cuh.
TEXEL_KINDS, NO_MORE_STEPS = range(3), 0xFFFFFFFF


@pytest.fixture(scope="module")
def zoo() -> list[SceneBuffers]:
    return [zoo_scene(name) for name in SCENES]


def all_of(arrays: Iterable[Any]) -> set[int]:
    return set(np.concatenate(list(arrays)).tolist())


def test_the_zoo_has_every_shader(zoo: list[SceneBuffers]) -> None:
    names = native.kernels().shaders()
    used = {names[number] for number in all_of(s.materials["shader"] for s in zoo)}
    assert used == set(names)


def test_the_zoo_has_every_kind_of_light(zoo: list[SceneBuffers]) -> None:
    assert all_of(s.lights["kind"] for s in zoo) == set(LIGHT_KINDS)
    assert all_of(s.lights["falloff"] for s in zoo) == set(FALLOFFS)


def test_the_zoo_has_every_kind_of_geometry(zoo: list[SceneBuffers]) -> None:
    flags = all_of(s.meshes["flags"] for s in zoo)
    assert any(flag & HAS_NORMALS for flag in flags)
    assert any(flag & HAS_UVS for flag in flags)
    assert 0 in flags
    assert any(len(s.instances) > len(s.meshes) for s in zoo), "a mesh in several places"
    assert any(len(s.keys) for s in zoo), "what moves"
    assert any(s.cut.any() for s in zoo), "what is cut out"
    assert {bool(np.any(s.environment)) for s in zoo} == {True, False}


def test_the_zoo_has_every_kind_of_texture(zoo: list[SceneBuffers]) -> None:
    names = native.layouts()["TextureSteps"].names or ()
    used = all_of(s.texture_steps["kind"] for s in zoo) - {NO_MORE_STEPS}
    assert {names[kind] for kind in used} == set(names)
    images = np.concatenate([s.images for s in zoo])
    assert set(images["kind"].tolist()) == set(TEXEL_KINDS)
    assert set(images["channels"].tolist()) == {1, 4}
    assert any(s.materials["opacity_steps"].any() for s in zoo)
    assert any(s.materials["emission_steps"].any() for s in zoo)


def test_every_kernel_that_is_shipped_runs_on_the_zoo(
    compiled: Callable[[str, int, bool], Program], zoo: list[SceneBuffers]
) -> None:
    """test_render runs what the scenes ask for, test_trace and test_schedules what they name."""
    program = compiled("nvrtc", 90, False)
    device = KernelDevice(PtxDriver(program))
    rendering = {entry_of(device.upload(scene).job) for scene in zoo}
    assert rendering | set(TRACING) | SCHEDULING == set(program.kernels)
