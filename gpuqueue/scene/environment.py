"""The camera's environment shader to a constant radiance from all directions.

``environment "one_color" ("color" 1 1 1)`` in a camera is the plain way to light a scene evenly.
"""

from __future__ import annotations

from collections.abc import Callable

from gpuqueue.scene.arguments import Arguments, find_shader
from gpuqueue.scene.camera import camera_entity
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Render, ShaderCall, ShaderName
from gpuqueue.scene.model import BLACK, Color

#: Luminance of a clear sky without the sun, cd/m^2, by channel: bluish.
CLEAR_SKY = (3500.0, 5000.0, 8500.0)


def _one_color(a: Arguments) -> Color:
    return a.color("color")


def _max_environment(a: Arguments) -> Color:
    if a.connected("Map"):
        a.document.warnings("environment maps are not rendered; the colour is used", a.call.at)
    return a.color("Color")


def _sky(a: Arguments) -> Color:
    a.document.warnings("'mia_physicalsky' is a constant bluish sky", a.call.at)
    scale = a.scalar("multiplier") * (a.boolean("on") or not a.has("on"))
    unit = a.color("rgb_unit_conversion")
    r, g, b = (max(u * sky * scale, 0.0) for u, sky in zip(unit, CLEAR_SKY, strict=True))
    return r, g, b


ENVIRONMENTS: dict[str, Callable[[Arguments], Color]] = {
    "one_color": _one_color,
    "max_Environment": _max_environment,
    "mia_physicalsky": _sky,
}


def resolve_environment(document: Document, render: Render) -> Color:
    """Return the radiance of the surroundings; black if there is no environment shader."""
    shaders = camera_entity(document, render).environment
    if not shaders:
        return BLACK
    shader = shaders[-1]
    call = find_shader(document, shader.name) if isinstance(shader, ShaderName) else shader
    build = ENVIRONMENTS.get(call.type) if isinstance(call, ShaderCall) else None
    if build is None or not isinstance(call, ShaderCall):
        name = call.type if isinstance(call, ShaderCall) else "unknown"
        document.warnings(f"environment shader '{name}' is not rendered; it is black", shader.at)
        return BLACK
    arguments = Arguments(call, document)
    arguments.check_names()
    return build(arguments)
