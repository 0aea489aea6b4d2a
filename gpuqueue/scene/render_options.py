"""Options of a scene that a path tracer has a use for."""

from __future__ import annotations

from collections.abc import Mapping

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Options, Render
from gpuqueue.scene.model import RenderOptions
from gpuqueue.scene.motion import MAX_STEPS, Shutter
from gpuqueue.scene.source import Place

MAX_DEPTH = 1024
MAX_SAMPLES = 1 << 20
#: Motions this many times as long as those that the scene states are meant by nobody.
MAX_SHUTTER = 1e3


def resolve_options(document: Document, render: Render) -> RenderOptions:
    """Return the hints of the options that `render` names. Raises SceneError."""
    if not render.options:
        return RenderOptions()
    options = document.find(Options, render.options, render.at, "options")
    said: Mapping[str, tuple[object, ...]] = {**options.keywords, **options.strings}

    def number(name: str) -> float | None:
        values = said.get(name, ())
        value = values[-1] if values else None
        return (
            float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        )

    if "camera space" in said:
        document.warnings("'camera space' is read as 'object space': instances count", options.at)
    scale = number("light relative scale")
    if scale is not None and not 0 <= scale <= 1e6:
        raise options.at.error(f'"light relative scale" is {scale:g}; expected 0 to 1e6')
    return RenderOptions(
        max_depth=_max_depth(said),
        samples=_samples(said, number("samples max")),
        gamma=number("gamma"),
        light_scale=1.0 if scale is None else scale,
        shutter=_shutter(said, options.at),
        stated=said,
    )


def _max_depth(said: Mapping[str, tuple[object, ...]]) -> int | None:
    """Segments of the longest path: the sum of reflections and refractions that ``trace depth``
    allows, the segment from the eye and the one to the light."""
    depth = [int(v) for v in said.get("trace depth", ()) if isinstance(v, int)]
    if not depth:
        return None
    bounces = depth[2] if len(depth) >= 3 else sum(depth)
    return min(max(bounces, 0), MAX_DEPTH - 2) + 2


def _samples(said: Mapping[str, tuple[object, ...]], maximum: float | None) -> int | None:
    """Samples a pixel: "samples max", else 4^max of ``samples min max``."""
    if maximum is not None:
        return int(min(max(maximum, 1.0), MAX_SAMPLES))
    exponents = [int(v) for v in said.get("samples", ()) if isinstance(v, int)]
    if not exponents:
        return None
    highest = exponents[min(1, len(exponents) - 1)]
    return 1 << 2 * min(max(highest, 0), 10)


def _shutter(said: Mapping[str, tuple[object, ...]], at: Place) -> Shutter:
    """``shutter close`` or ``shutter open close``; 0, or ``motion off``, is no motion blur."""
    times = [float(v) for v in said.get("shutter", ()) if isinstance(v, int | float)]
    if not times or said.get("motion", ())[-1:] == (False,):
        return Shutter()
    opens, closes = (0.0, times[0]) if len(times) == 1 else times[:2]
    if not -MAX_SHUTTER <= opens <= closes <= MAX_SHUTTER:
        raise at.error(
            f"the shutter opens at {opens:g} and closes at {closes:g}; expected times in order,"
            f" within {MAX_SHUTTER:g} of zero"
        )
    steps = [v for v in said.get("motion steps", ()) if isinstance(v, int)]
    return Shutter(opens, closes, min(max(steps[-1], 1), MAX_STEPS) if steps else 1)
