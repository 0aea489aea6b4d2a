"""From a scene file to an image file."""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuqueue.config.settings import RenderSettings
from gpuqueue.errors import Interrupted, InvalidJob, JobFailed, SceneError
from gpuqueue.log import Event
from gpuqueue.render import RenderRequest, progressive, renderer_for
from gpuqueue.render.progressive import Rendered
from gpuqueue.render.renderer import Renderer, check_film, total_exposure
from gpuqueue.scene import watch

from .small_scenes import WALL, write_scene

Make = Callable[..., Renderer]


def quiet(fraction: float, message: str) -> None:
    pass


def request(**fields: object) -> RenderRequest:
    return RenderRequest.model_validate({"scene_file": "a.mi", "samples": 2, **fields})


def pixels(binary) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(binary.data))).astype(int)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    write_scene(tmp_path / "a.mi")

    def renderer(device: str = "cpu", **bounds: int) -> Renderer:
        return Renderer(RenderSettings(device=device, threads=1, **bounds), tmp_path)

    return renderer


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logging.getLogger("gpuqueue"), "propagate", True)
    caplog.set_level(logging.INFO)
    return lambda event: [r.message for r in caplog.records if r.event == event]


@pytest.mark.parametrize(
    ("image_format", "mime_type"),
    [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("exr", "image/x-exr"),
        ("hdr", "image/vnd.radiance"),
    ],
)
def test_a_picture_has_the_format_that_was_asked_for(
    make: Make, image_format: str, mime_type: str
) -> None:
    binary = make().render(request(format=image_format), quiet)
    assert binary.mime_type == mime_type
    assert len(binary.data) > 100


def test_the_picture_shows_the_scene(make: Make) -> None:
    picture = pixels(make().render(request(samples=16), quiet))
    assert picture.shape == (8, 16, 3)
    middle, corner = picture[3:5, 7:9].mean(), picture[0, 0].mean()
    assert 255 > middle > corner > 20


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (16, 8)),
        ({"width": 32}, (32, 16)),
        ({"height": 4}, (8, 4)),
        ({"width": 5, "height": 7}, (5, 7)),
    ],
)
def test_the_size_is_as_asked_for_or_the_cameras(
    make: Make, asked: dict[str, int], size: tuple[int, int]
) -> None:
    binary = make("null").render(request(**asked), quiet)
    assert Image.open(io.BytesIO(binary.data)).size == size


def test_the_same_request_gives_the_same_bytes_however_it_is_cut(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(samples=7, width=40, height=30, format="exr")
    first = make().render(asked, quiet)
    assert make().render(asked, quiet) == first
    monkeypatch.setattr(progressive, "FIRST_LAUNCH", 300)
    monkeypatch.setattr(progressive, "LAUNCH_S", 1e-5)
    assert make().render(asked, quiet) == first
    assert make().render(asked.model_copy(update={"seed": 1}), quiet) != first


def test_samples_and_depth_come_from_the_scene_where_the_request_is_silent(
    make: Make, tmp_path: Path, events
) -> None:
    write_scene(tmp_path / "a.mi", options='"samples max" 5')
    make("null").render(RenderRequest(scene_file="a.mi"), quiet)
    write_scene(tmp_path / "a.mi")
    make("null").render(RenderRequest(scene_file="a.mi"), quiet)
    told = events(Event.RENDERED)
    assert ["5 samples each" in told[0], "64 samples each" in told[1]] == [True, True]


def test_a_scenes_samples_beyond_the_bound_are_cut_to_it(
    make: Make, tmp_path: Path, events
) -> None:
    write_scene(tmp_path / "a.mi", options='"samples max" 5000')
    make("null", max_samples=10).render(RenderRequest(scene_file="a.mi"), quiet)
    assert "10 samples each" in events(Event.RENDERED)[0]


def test_exposure_is_in_steps_of_two(make: Make) -> None:
    linear = [
        pixels(make().render(request(exposure=ev, samples=4), quiet))[4, 8, 0] / 255
        for ev in (-1.0, -3.0)
    ]
    light = [((s + 0.055) / 1.055) ** 2.4 for s in linear]
    assert light[0] / light[1] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("bounds", "asked", "message"),
    [
        ({"max_resolution": 100}, {"width": 101, "height": 1}, "at most 100 a side"),
        ({"max_pixels": 1000}, {"width": 40, "height": 26}, "1040 pixels: .* at most 1000"),
        ({"max_pixels": 100}, {}, "16 x 8 are 128 pixels"),
        ({"max_samples": 8}, {"samples": 9}, "9 samples: this server takes at most 8"),
    ],
)
def test_a_request_beyond_the_bounds_is_refused(
    make: Make, bounds: dict[str, int], asked: dict[str, int], message: str
) -> None:
    with pytest.raises(InvalidJob, match=message):
        make("null", **bounds).render(request(**asked), quiet)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mi", "missing.mi"),
        ("outside.mi", "outside"),
        ("broken.mi", r"^broken\.mi:1:\d+: "),
        ("large.mi", "limit"),
    ],
)
def test_a_scene_that_cannot_be_read_is_the_jobs_fault(
    make: Make, tmp_path: Path, name: str, message: str
) -> None:
    outside = tmp_path.parent / "outside-of-the-root.mi"
    outside.write_text("")
    (tmp_path / "outside.mi").symlink_to(outside)
    (tmp_path / "broken.mi").write_text('camera "c" focal nonsense end camera')
    (tmp_path / "large.mi").write_text("# " + "x" * 5000)
    with pytest.raises(SceneError, match=message):
        make("null", max_scene_bytes=4000).render(request(scene_file=name), quiet)


def test_the_bounds_of_a_scene_are_the_settings(make: Make) -> None:
    with pytest.raises(SceneError, match="need more than 10 bytes"):
        make("null", max_scene_memory_bytes=10).render(request(), quiet)


def test_a_job_that_is_cancelled_while_its_scene_is_read_ends(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)

    def stop(fraction: float, message: str) -> None:
        if message.startswith("Reading a.mi"):
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        make("null").render(request(), stop)


def test_a_scene_is_loaded_once_while_its_files_stay_the_same(
    make: Make, tmp_path: Path, events
) -> None:
    (tmp_path / "wall.mi").write_text(WALL)
    write_scene(tmp_path / "a.mi", include='$include "wall.mi"')
    renderer = make()
    first = renderer.render(request(), quiet)
    assert renderer.render(request(), quiet) == first
    renderer.render(request(width=3), quiet)
    assert len(events(Event.SCENE_LOADED)) == 1
    (tmp_path / "wall.mi").write_text(WALL.replace("9", "8"))
    renderer.render(request(), quiet)
    assert len(events(Event.SCENE_LOADED)) == 2
    write_scene(tmp_path / "a.mi", diffuse="0.9 0.1 0.1")
    assert renderer.render(request(), quiet) != first
    assert len(events(Event.SCENE_LOADED)) == 3


def test_what_a_scene_is_warned_of_is_logged(make: Make, tmp_path: Path, events) -> None:
    write_scene(tmp_path / "a.mi", camera='lens "no_such_shader" ()')
    make().render(request(), quiet)
    assert any("no_such_shader" in line for line in events(Event.SCENE_WARNING))


def test_a_stop_asked_for_in_the_middle_ends_the_render(make: Make) -> None:
    calls = []

    def stop(fraction: float, message: str) -> None:
        calls.append(fraction)
        if fraction > 0:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        make().render(request(samples=1 << 20), stop)
    assert calls[-1] < 0.1


def test_a_stop_asked_for_while_a_scene_is_built_ends_the_render(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def stop(fraction: float, message: str) -> None:
        told.append((fraction, message))
        if message.startswith("Building"):
            raise Interrupted("stop")

    renderer = make("null")
    monkeypatch.setattr(renderer.device, "upload", lambda _, progress, __: progress(0.25))
    with pytest.raises(Interrupted):
        renderer.render(request(), stop)
    assert told[-1] == (0.0, "Building a.mi: 25% of 2 triangles")


def test_a_time_limit_ends_a_render_that_would_take_years(make: Make) -> None:
    binary = make().render(request(samples=1 << 20, time_limit_s=0.2), quiet)
    assert pixels(binary).max() > 0


def test_the_renderer_of_a_process_is_kept(tmp_path: Path) -> None:
    settings = RenderSettings(device="null")
    assert renderer_for(settings, tmp_path) is renderer_for(settings, tmp_path)
    other = RenderSettings(device="null", max_samples=3)
    assert renderer_for(other, tmp_path) is not renderer_for(settings, tmp_path)
    renderer_for.cache_clear()


@pytest.mark.parametrize(
    ("asked", "gain", "total"),
    [(1, 1, 1), (-1, 4, 1), (0, 0.5, -1), (64, 1e300, 126), (0, np.inf, 126), (-64, 0, -126)],
)
def test_the_cameras_gain_adds_to_the_exposure(asked: float, gain: float, total: float) -> None:
    assert total_exposure(asked, gain) == total


def test_a_picture_without_any_light_is_refused_unless_it_is_meant_to_be(
    make: Make, tmp_path: Path
) -> None:
    write_scene(tmp_path / "a.mi", light="0 0 0")
    renderer = make()
    with pytest.raises(JobFailed, match=r"all black: look for lights .* set allow_black"):
        renderer.render(request(), quiet)
    assert not pixels(renderer.render(request(allow_black=True), quiet)).any()
    assert not pixels(make("null").render(request(), quiet)).any()


@pytest.mark.parametrize(
    ("value", "count"), [(np.nan, 10), (np.inf, 10), (1, 9)], ids=["nan", "infinity", "missing"]
)
def test_a_film_that_is_not_finite_is_no_picture(value: float, count: int) -> None:
    film = np.full((2, 3, 4), 10, np.float32)
    check_film(film, Rendered(60, 1.0, False))
    film[1, 2] = [value, 1, 1, count]
    with pytest.raises(JobFailed, match=r"not finite: .* of 60 samples were dropped"):
        check_film(film, Rendered(60, 1.0, False))
