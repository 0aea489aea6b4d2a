"""The command that renders, as a job calls it."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gpuqueue.binary import Binary
from gpuqueue.commands import COMMANDS
from gpuqueue.commands.context import RunContext
from gpuqueue.config import Settings
from gpuqueue.config.settings import RenderSettings
from gpuqueue.errors import InvalidJob
from gpuqueue.render import renderer_for
from tests.render.small_scenes import write_scene

COMMAND = COMMANDS.load("rs_fancy_render")


@pytest.fixture
def settings(tmp_path: Path):
    (tmp_path / "content" / "scenes").mkdir(parents=True)
    write_scene(tmp_path / "content" / "scenes" / "a.mi")
    yield Settings(
        content_root=tmp_path / "content", render=RenderSettings(device="cpu", threads=1)
    )
    renderer_for.cache_clear()


def test_the_picture_is_a_png_of_the_cameras_size_unless_told_otherwise(settings: Settings) -> None:
    told: list[tuple[float, str]] = []
    context = RunContext(settings, lambda *progress: told.append(progress))
    result = COMMAND.run({"scene_file": "scenes/a.mi", "samples": 1}, context)
    assert isinstance(result, Binary)
    assert (result.mime_type, result.extension) == ("image/png", "png")
    assert Image.open(io.BytesIO(result.data)).size == (16, 8)
    assert told[0] == (0.0, "Loading scenes/a.mi")
    assert told[-1] == (1.0, "Writing png")


def test_every_parameter_reaches_the_picture(settings: Settings) -> None:
    context = RunContext(settings)
    plain = {"scene_file": "scenes/a.mi", "samples": 2, "allow_black": True}

    def render(**fields: object) -> bytes:
        return COMMAND.run({**plain, **fields}, context).data

    variants = [
        {},
        {"width": 9},
        {"height": 9},
        {"samples": 3},
        {"max_depth": 1, "allow_black": True},
        {"seed": 5},
        {"exposure": 1.5},
        {"format": "exr"},
        {"format": "jpg"},
        {"format": "jpg", "quality": 20},
    ]
    assert len({render(**fields) for fields in variants}) == len(variants)
    assert render(time_limit_s=60) == render()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "scene_file: Field required"),
        ({"scene_file": ""}, "scene_file: .*path below the content root"),
        ({"scene_file": "/etc/passwd"}, "scene_file: .*path below the content root"),
        ({"scene_file": "scenes/../../x.mi"}, "scene_file: .*without '..'"),
        ({"scene_file": "a\0.mi"}, "scene_file: "),
        ({"scene_file": "x" * 2000}, "scene_file: .*1024"),
        ({"scene_file": "x" * 256}, "scene_file: .*at most 255 bytes"),
        ({"scene_file": 3}, "scene_file: .*string"),
        ({"scene_file": "a.mi", "width": 0}, "width: .*greater than or equal to 1"),
        ({"scene_file": "a.mi", "height": -5}, "height: "),
        ({"scene_file": "a.mi", "width": "wide"}, "width: .*integer"),
        ({"scene_file": "a.mi", "samples": 0}, "samples: "),
        ({"scene_file": "a.mi", "samples": 1.5}, "samples: "),
        ({"scene_file": "a.mi", "seed": -1}, "seed: "),
        ({"scene_file": "a.mi", "seed": 1 << 32}, "seed: "),
        ({"scene_file": "a.mi", "max_depth": 0}, "max_depth: "),
        ({"scene_file": "a.mi", "exposure": 1000}, "exposure: "),
        ({"scene_file": "a.mi", "exposure": "nan"}, "exposure: "),
        ({"scene_file": "a.mi", "time_limit_s": 0}, "time_limit_s: "),
        ({"scene_file": "a.mi", "time_limit_s": "inf"}, "time_limit_s: "),
        ({"scene_file": "a.mi", "format": "tif"}, "format: .*'png', 'jpg', 'exr' or 'hdr'"),
        ({"scene_file": "a.mi", "quality": 101}, "quality: "),
        ({"scene_file": "a.mi", "colour": "red"}, "colour: Extra inputs"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidJob, match=f"^parameters of rs_fancy_render: {message}"):
        COMMAND.check(parameters)


def test_a_good_job_passes_the_check_at_submit(settings: Settings) -> None:
    COMMAND.check_at_submit({"scene_file": "scenes/a.mi"}, settings)


@pytest.mark.parametrize("name", ["missing.mi", "scenes", "scenes/a.mi/b.mi"])
def test_a_missing_scene_is_told_at_submit(settings: Settings, name: str) -> None:
    with pytest.raises(InvalidJob, match=f"scene_file '{name}' is no file in the content root"):
        COMMAND.check_at_submit({"scene_file": name}, settings)


def test_a_link_that_leads_outside_is_refused_at_submit_and_at_run(
    settings: Settings, tmp_path: Path
) -> None:
    write_scene(tmp_path / "secret.mi")
    (settings.content_root / "link.mi").symlink_to(tmp_path / "secret.mi")
    with pytest.raises(InvalidJob, match=r"'link\.mi' lies outside"):
        COMMAND.check_at_submit({"scene_file": "link.mi"}, settings)
    with pytest.raises(InvalidJob, match="outside"):
        COMMAND.run({"scene_file": "link.mi"}, RunContext(settings))


def test_a_link_to_itself_is_refused_at_submit(settings: Settings) -> None:
    (settings.content_root / "loop.mi").symlink_to("loop.mi")
    # Python 3.13 resolves a link to itself without an error.
    with pytest.raises(InvalidJob, match=r"'loop\.mi' is (not a usable path|no file)"):
        COMMAND.check_at_submit({"scene_file": "loop.mi"}, settings)


def test_bounds_of_the_server_are_told_at_submit(settings: Settings) -> None:
    with pytest.raises(InvalidJob, match="at most 16384 a side"):
        COMMAND.check_at_submit({"scene_file": "scenes/a.mi", "width": 20000}, settings)
    with pytest.raises(InvalidJob, match="at most 1048576"):
        COMMAND.check_at_submit({"scene_file": "scenes/a.mi", "samples": 2000000}, settings)
