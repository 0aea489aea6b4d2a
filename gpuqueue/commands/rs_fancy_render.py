"""The command that renders a scene file to an image."""

from __future__ import annotations

from gpuqueue.binary import Binary
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.render import RenderRequest, renderer_for


class FancyRenderParameters(RenderRequest, Parameters):
    """The picture to render."""


def scene_exists(parameters: FancyRenderParameters, settings: Settings) -> None:
    """Raise InvalidJob unless the scene is a file below the content root, links followed."""
    root = settings.content_root.resolve()
    path = (root / parameters.scene_file).resolve()
    if not path.is_relative_to(root):
        raise InvalidJob(f"scene_file '{parameters.scene_file}' lies outside the content root")
    if not path.is_file():
        raise InvalidJob(f"scene_file '{parameters.scene_file}' is no file in the content root")


@command(
    "rs_fancy_render",
    parameters=FancyRenderParameters,
    returns="the picture, a binary of the MIME type that the format has",
    groups=("render",),
    submit_check=scene_exists,
)
def rs_fancy_render(parameters: FancyRenderParameters, context: CommandContext) -> Binary:
    """Path-trace a scene file and return the picture.

    The same parameters give the same bytes on the same kind of device, unless a time limit cuts
    the render short.
    """
    settings = context.settings
    renderer = renderer_for(settings.render, settings.content_root)
    return renderer.render(parameters, context.progress)
