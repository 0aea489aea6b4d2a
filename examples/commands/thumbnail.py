"""A command of one's own: a quick, small picture of a scene.

To use it, name this folder in the configuration and allow the command::

    command_folder examples/commands
    <user queue_manager>
        allow_command thumbnail
    </user>

A file may hold several commands. They run in the render process, with the server's rights.
"""

from pydantic import Field

from gpuqueue.commands import CommandContext, Parameters, Result, command


class ThumbnailParameters(Parameters):
    """Each field is a parameter; its type is checked before a job is queued."""

    scene_file: str = Field(description="Scene file, relative to the content root.")
    width: int = Field(160, ge=16, le=512, description="Width in pixels.")


@command(
    "thumbnail",
    parameters=ThumbnailParameters,
    returns="a JPEG, a binary",
    groups=("examples",),
)
def thumbnail(parameters: ThumbnailParameters, context: CommandContext) -> Result:
    """Render a small picture with few samples."""
    return context.call(
        "rs_fancy_render",
        {
            "scene_file": parameters.scene_file,
            "width": parameters.width,
            "samples": 16,
            "max_depth": 4,
            "format": "jpg",
            "quality": 80,
        },
    )
