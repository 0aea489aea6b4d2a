"""Small scene files to render."""

from pathlib import Path

#: A white light from everywhere on a grey floor seen from above, and what a test adds.
TEMPLATE = """
options "o" {options} end options
camera "c" focal 1 aperture 1 aspect 2 resolution 16 8 {camera} end camera
instance "ci" "c" transform 1 0 0 0  0 1 0 0  0 0 1 0  0 0 -3 1 end instance
light "l" "physical_light" ("color" {light}) origin 0 0 2 end light
instance "li" "l" end instance
material "m" "mib_illum_lambert" ("diffuse" {diffuse}) end material
{include}
instance "wi" "wall" material "m" end instance
instgroup "root" "ci" "li" "wi" end instgroup
render "root" "ci" "o"
"""
WALL = """
object "wall" visible trace shadow
    group
        -9 -9 0  9 -9 0  9 9 0  -9 9 0
        v 0 v 1 v 2 v 3
        p 0 1 2 3
    end group
end object
"""


def write_scene(
    path: Path,
    *,
    options: str = "",
    camera: str = "",
    light: str = "40 40 40",
    diffuse: str = "0.5 0.5 0.5",
    include: str = WALL,
) -> Path:
    path.write_text(
        TEMPLATE.format(
            options=options, camera=camera, light=light, diffuse=diffuse, include=include
        )
    )
    return path
