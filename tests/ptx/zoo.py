"""Small scenes that between them have everything that a kernel can meet."""

from __future__ import annotations

from pathlib import Path

from gpuqueue.device import native
from gpuqueue.device.base import Work
from gpuqueue.scene import SceneBuffers, load_scene, pack

ROOT = Path(__file__).parents[2]
#: Many diffuse bounces; glass, metal and mirrors; two levels and shared meshes; what moves; what is
#: cut out; every kind of light; textures, of every kind.
SCENES = {
    Path(name).stem: ROOT / name
    for name in (
        "tests/render/scenes/cornell.mi",
        "tests/render/scenes/metal_glass_points.mi",
        "examples/scenes/forest.mi",
        "tests/render/scenes/moving.mi",
        "tests/render/scenes/cutouts.mi",
        "tests/render/scenes/every_light.mi",
        "tests/render/scenes/textured.mi",
        "tests/render/scenes/every_texture.mi",
    )
}
#: Those that `render_textured` alone renders: schedules have no variant for them.
TEXTURED = {"textured", "every_texture"}
WIDTH, HEIGHT = 48, 32
WORK = Work(
    first_pixel=0,
    pixel_count=WIDTH * HEIGHT,
    first_sample=0,
    sample_count=4,
    seed=7,
    max_depth=6,
)


def zoo_scene(name: str) -> SceneBuffers:
    """A scene of the zoo as the kernels take it."""
    path = SCENES[name]
    loaded = load_scene(Path(path.name), path.parent)
    return pack(loaded, native.layouts(), native.kernels().shaders(), WIDTH, HEIGHT)
