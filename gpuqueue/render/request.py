"""What a render is asked for, and what it comes to with the scene's own hints and the bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gpuqueue.config.settings import MAX_RESOLUTION, MAX_SAMPLES, RenderSettings
from gpuqueue.errors import InvalidJob
from gpuqueue.image import ImageFormat
from gpuqueue.scene.buffers import film_size
from gpuqueue.scene.model import Camera, RenderOptions
from gpuqueue.scene.render_options import MAX_DEPTH

#: Where neither the request nor the scene says anything.
DEFAULT_SAMPLES = 64
DEFAULT_MAX_DEPTH = 12
#: What file systems allow for one name.
_MAX_NAME_BYTES = 255


def _check_relative(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not path.parts or not value.isprintable():
        raise ValueError("expected a path below the content root, without '..'")
    if any(len(part.encode()) > _MAX_NAME_BYTES for part in path.parts):
        raise ValueError(f"a file's name has at most {_MAX_NAME_BYTES} bytes")
    return value


class RenderRequest(BaseModel):
    """One picture of one scene. What is left out, the scene says, or a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scene_file: Annotated[str, AfterValidator(_check_relative)] = Field(
        max_length=1024, description="Scene file (.mi, .gltf, .glb), relative to the content root."
    )
    width: int | None = Field(
        default=None,
        ge=1,
        le=MAX_RESOLUTION,
        description="Width in pixels. Default: the camera's; with height alone, in its proportion.",
    )
    height: int | None = Field(
        default=None,
        ge=1,
        le=MAX_RESOLUTION,
        description="Height in pixels. Default: the camera's; with width alone, in its proportion.",
    )
    samples: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SAMPLES,
        description=f"Samples for each pixel. Default: the scene's, else {DEFAULT_SAMPLES}.",
    )
    max_depth: int | None = Field(
        default=None,
        ge=1,
        le=MAX_DEPTH,
        description="Longest path in segments from eye to light: 1 sees lights, 2 adds direct "
        f"light. Default: the scene's, else {DEFAULT_MAX_DEPTH}.",
    )
    seed: int = Field(
        default=0, ge=0, lt=1 << 32, description="Seed of the random numbers; same seed, same bits."
    )
    time_limit_s: float | None = Field(
        default=None,
        gt=0,
        le=43200,
        description="Seconds of rendering after which no further samples are taken; every pixel "
        "gets one at least. Default: none.",
    )
    exposure: float = Field(
        default=0.0,
        ge=-64,
        le=64,
        description="Exposure in EV beside the scene's own; each step doubles.",
    )
    format: ImageFormat = Field(
        default="png",
        description="Image format: png or jpg (8-bit sRGB), exr (linear half floats) or hdr "
        "(linear, Radiance).",
    )
    allow_black: bool = Field(
        default=False,
        description="Take a picture without any light for a picture, as at the end of a fade-out; "
        "if not, the try has failed.",
    )
    quality: int = Field(default=90, ge=1, le=100, description="Quality of a jpg, 1 to 100.")


@dataclass(frozen=True)
class Plan:
    """All that a render needs to know, with every default filled in and every bound kept."""

    width: int
    height: int
    samples: int
    max_depth: int
    seed: int
    time_limit_s: float | None
    #: Number of the first of a pixel's samples.
    first_sample: int = 0

    @property
    def pixels(self) -> int:
        """Pixels of the picture."""
        return self.width * self.height

    def part(self, index: int, count: int) -> Plan:
        """One of `count` parts that have all the samples; where there are few, one may be empty."""
        first, end = (self.samples * number // count for number in (index, index + 1))
        return replace(self, first_sample=self.first_sample + first, samples=end - first)


def plan_render(
    request: RenderRequest, camera: Camera, options: RenderOptions, bounds: RenderSettings
) -> Plan:
    """Fill in what the request leaves to the scene. Raises InvalidJob beyond the bounds."""
    width, height = film_size(camera, request.width, request.height)
    samples = request.samples or min(options.samples or DEFAULT_SAMPLES, bounds.max_samples)
    check_bounds(width, height, samples, bounds)
    return Plan(
        width=width,
        height=height,
        samples=samples,
        max_depth=request.max_depth or options.max_depth or DEFAULT_MAX_DEPTH,
        seed=request.seed,
        time_limit_s=request.time_limit_s,
    )


def check_bounds(width: int, height: int, samples: int, bounds: RenderSettings) -> None:
    """Raise InvalidJob for a picture beyond what the server renders."""
    if max(width, height) > bounds.max_resolution:
        raise InvalidJob(
            f"{width} x {height} pixels: this server renders at most {bounds.max_resolution} a side"
        )
    if width * height > bounds.max_pixels:
        raise InvalidJob(
            f"{width} x {height} are {width * height} pixels: this server renders at most "
            f"{bounds.max_pixels}"
        )
    if samples > bounds.max_samples:
        raise InvalidJob(f"{samples} samples: this server takes at most {bounds.max_samples}")
