"""``gpuqueue render``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpuqueue.cli.local_scene import RootOption, SceneArgument, locate
from gpuqueue.cli.whole_file import check_writable, write_whole
from gpuqueue.errors import InvalidJob

if TYPE_CHECKING:
    from gpuqueue.binary import Binary
    from gpuqueue.render.request import RenderRequest


class DeviceName(StrEnum):
    """What the device option takes; names of the device registry, without loading it."""

    AUTO = "auto"
    CPU = "cpu"
    CUPY = "cupy"
    PYCUDA = "pycuda"
    NULL = "null"


def render(
    scene: SceneArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="IMAGE", help="The picture: .png, .jpg, .exr or .hdr."
        ),
    ],
    width: Annotated[
        int | None, typer.Option(min=1, help="In pixels; default: the camera's.")
    ] = None,
    height: Annotated[
        int | None, typer.Option(min=1, help="In pixels; default: the camera's.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Samples for each pixel; default: the scene's.")
    ] = None,
    max_depth: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Longest path, in segments.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same picture.")] = 0,
    exposure: Annotated[float, typer.Option(help="Brightness in EV: each step doubles.")] = 0.0,
    time_limit: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Take no more samples after this.")
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="What renders.")] = DeviceName.AUTO,
    threads: Annotated[
        int, typer.Option(min=0, max=1024, help="Threads of the cpu device; 0: one for each core.")
    ] = 0,
    root: RootOption = None,
) -> None:
    """Render a scene here and now, without a queue."""
    from gpuqueue.config.settings import RenderSettings
    from gpuqueue.image import format_of

    image_format = format_of(output)
    check_writable(output)
    path, content_root = locate(scene, root)
    request = _request(
        scene_file=str(path),
        width=width,
        height=height,
        samples=samples,
        max_depth=max_depth,
        seed=seed,
        exposure=exposure,
        time_limit_s=time_limit,
        format=image_format,
        # Whoever asks for it here sees it.
        allow_black=True,
    )
    started = time.monotonic()
    binary = _render(RenderSettings(device=device.value, threads=threads), content_root, request)
    write_whole(output, [binary.data])
    seconds = time.monotonic() - started
    typer.echo(f"{output}: {len(binary.data)} bytes, {seconds:.1f} s")


def _request(**fields: Any) -> RenderRequest:
    """The request. Raises InvalidJob naming wrong fields."""
    from pydantic import ValidationError

    from gpuqueue.job import describe
    from gpuqueue.render.request import RenderRequest

    try:
        return RenderRequest(**fields)
    except ValidationError as error:
        raise InvalidJob(describe(error)) from error


def _render(settings: Any, content_root: Path, request: RenderRequest) -> Binary:
    from gpuqueue.log import configure_logging
    from gpuqueue.render.renderer import Renderer

    with _progress_bar() as report:
        configure_logging()  # to the standard error of now, which keeps the bar below the lines
        return Renderer(settings, content_root).render(request, report)


@contextmanager
def _progress_bar() -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error, and what tells it of progress."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("loading", total=1.0)
        yield lambda fraction, text: progress.update(bar, completed=fraction, description=text)
