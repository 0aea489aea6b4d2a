"""The command that renders a scene file to an image."""

from __future__ import annotations

from gpuqueue.binary import Binary
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.records import open_parts
from gpuqueue.render import RenderRequest, renderer_for
from gpuqueue.render.checkpoint import checkpoints_of
from gpuqueue.render.parts import render_part
from gpuqueue.render.request import check_bounds
from gpuqueue.scene.source import Library


class FancyRenderParameters(RenderRequest, Parameters):
    """The picture to render."""


def check_submit(parameters: FancyRenderParameters, settings: Settings) -> None:
    """Raise InvalidJob for a scene file that is not there, or a picture beyond the bounds."""
    name, bounds = parameters.scene_file, settings.render
    library = Library(settings.content_root, bounds.max_scene_bytes)
    if library.locate(name, (library.root,)) is None:
        raise InvalidJob(f"scene_file '{name}' is no file in the content root")
    check_bounds(parameters.width or 1, parameters.height or 1, parameters.samples or 1, bounds)


@command(
    "rs_fancy_render",
    parameters=FancyRenderParameters,
    returns="the picture, a binary of the MIME type that the format has",
    groups=("render",),
    submit_check=check_submit,
    has_parts=True,
)
def rs_fancy_render(parameters: FancyRenderParameters, context: CommandContext) -> Binary:
    """Path-trace a scene file and return the picture.

    The same parameters give the same bytes on the same kind of device, unless a time limit cuts
    the render short; a job that was interrupted goes on where its last checkpoint stands.
    """
    settings = context.settings
    renderer = renderer_for(settings.render, settings.content_root)
    checkpoints = checkpoints_of(settings, context.job_id)
    if context.part is None:
        return renderer.render(parameters, context.progress, checkpoints)
    parts = open_parts(settings, context.part)
    return render_part(renderer, parameters, parts, context.progress, checkpoints)
