"""The example commands work."""

from pathlib import Path

import pytest

from gpuqueue.binary import Binary
from gpuqueue.commands.context import RunContext
from gpuqueue.config import Settings
from gpuqueue.config.settings import RenderSettings
from gpuqueue.errors import InvalidJob

EXAMPLES = Path(__file__).parents[2] / "examples"
SETTINGS = Settings(
    content_root=EXAMPLES,
    command_folders=(EXAMPLES / "commands",),
    render=RenderSettings(device="cpu"),
)


def test_the_thumbnail_is_a_small_jpeg() -> None:
    got = RunContext(SETTINGS).call("thumbnail", {"scene_file": "scenes/cornell.mi", "width": 32})
    assert isinstance(got, Binary)
    assert got.mime_type == "image/jpeg"
    assert got.data.startswith(b"\xff\xd8\xff")


def test_a_thumbnail_may_not_be_large() -> None:
    with pytest.raises(InvalidJob, match=r"parameters of thumbnail: width: .* 512"):
        RunContext(SETTINGS).call("thumbnail", {"scene_file": "x.mi", "width": 4096})
