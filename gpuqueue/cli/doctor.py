"""``gpuqueue doctor``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gpuqueue.cli.options import ConfigOption
from gpuqueue.errors import ConfigError, GpuqueueError, JobFailed

if TYPE_CHECKING:
    from gpuqueue.binary import Binary
    from gpuqueue.config import Settings
    from gpuqueue.config.settings import RenderSettings

#: A wall that shines: every pixel of its picture must be light.
SCENE = """\
options "options" end options
camera "camera"
    output "rgb" "png" "picture.png"
    focal 1 aperture 1 aspect 1 resolution 8 8
end camera
instance "eye" "camera" end instance
material "shining" "one_color" ("color" 1 1 1) end material
object "wall" visible trace shadow
    group
        -9 -9 -5  9 -9 -5  9 9 -5  -9 9 -5
        v 0 v 1 v 2 v 3
        p "shining" 0 1 2 3
    end group
end object
instance "the wall" "wall" end instance
instgroup "all" "eye" "the wall" end instgroup
render "all" "eye" "options"
"""


@dataclass(frozen=True)
class Finding:
    """What a check found: good, bad, or, if not `is_needed`, neither."""

    what: str
    is_good: bool
    told: str
    is_needed: bool = True


def doctor(config: ConfigOption = None) -> None:
    """Check that everything works, and render a test picture.

    Configuration, commands, credentials, queues, buckets and devices are looked at. The exit
    code is 1 if something needed does not work.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    is_well = True
    for finding in findings(config):
        is_broken = finding.is_needed and not finding.is_good
        is_well = is_well and not is_broken
        mark = ("✓", "green") if finding.is_good else ("✗", "red") if is_broken else ("·", "dim")
        line = Text.assemble(mark, " ", (f"{finding.what}: ", "bold"), finding.told)
        console.print(line, soft_wrap=True)
    if not is_well:
        raise typer.Exit(1)


def findings(config: Path | None) -> Iterator[Finding]:
    """Every check, one after the other, as far as the configuration lets them go."""
    from gpuqueue.config import load_settings

    try:
        settings = load_settings(config)
    except ConfigError as error:
        yield Finding("configuration", False, str(error))
        return
    yield Finding("configuration", True, str(config or "the embedded default"))
    yield _try("commands", partial(_commands, settings))
    if settings.aws.queues or settings.aws.buckets:
        yield _try("credentials", partial(_credentials, settings))
    for name in settings.queues:
        yield _try(f"queue {name}", partial(_queue, settings, name))
    for name in settings.buckets:
        yield _try(f"bucket {name}", partial(_bucket, settings, name))
    yield from _devices(settings)
    yield _try("test render", partial(_test_render, settings))


def _try(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except GpuqueueError as error:
        return Finding(what, False, str(error))
    except Exception as error:
        # A driver or library that is broken in its own way is what a doctor is there to find.
        return Finding(what, False, f"{type(error).__name__}: {error}")


def _commands(settings: Settings) -> str:
    from gpuqueue.commands.folders import commands_for

    registry = commands_for(settings)
    unknown = sorted(settings.queue_manager.allow_command - set(registry))
    if unknown:
        raise ConfigError(f"allow_command names what no command is: {', '.join(unknown)}")
    return ", ".join(registry)


def _credentials(settings: Settings) -> str:
    from gpuqueue.aws import credential_source

    source = credential_source(settings.aws)
    if source is None:
        raise ConfigError("none: set access_key and secret_key, or use the AWS default chain")
    return f"from {source}"


def _queue(settings: Settings, name: str) -> str:
    from gpuqueue.queues import open_queue

    queue = open_queue(settings, name)
    queue.check()
    counts = queue.counts()
    return f"{counts.visible} waiting, {counts.in_flight} in flight, {counts.dead} dead"


def _bucket(settings: Settings, name: str) -> str:
    from gpuqueue.storage import open_bucket

    open_bucket(settings, name).check()
    return "can be used"


def _devices(settings: Settings) -> Iterator[Finding]:
    """Every device; needed are the configured one, or the CPU, which ``auto`` falls back to."""
    from gpuqueue.device import DEVICES, why_not

    wanted = settings.render.device
    for name in DEVICES:

        def check(name: str = name) -> str:
            reason = why_not(name, settings.render)
            if reason is not None:
                raise ConfigError(reason)
            return "can be used"

        found = _try(f"device {name}", check)
        is_needed = name == ("cpu" if wanted == "auto" else wanted)
        yield Finding(found.what, found.is_good, found.told, is_needed)


def _test_render(settings: Settings) -> str:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test.mi").write_text(SCENE)
        picture, description = _render(settings.render, Path(folder))
        black, _ = _render(settings.render.model_copy(update={"device": "null"}), Path(folder))
    if picture == black and settings.render.device != "null":
        raise JobFailed(f"the picture of a shining wall is black on {description}")
    return f"on {description}"


def _render(settings: RenderSettings, folder: Path) -> tuple[Binary, str]:
    from gpuqueue.render.renderer import Renderer
    from gpuqueue.render.request import RenderRequest

    renderer = Renderer(settings, folder)
    try:
        request = RenderRequest(scene_file="test.mi", samples=4)
        picture = renderer.render(request, lambda _fraction, _text: None)
        return picture, renderer.device.description
    finally:
        renderer.device.close()
