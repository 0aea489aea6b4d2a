"""``gpuqueue render``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpuqueue.cli.local_scene import RootOption, SceneArgument, locate
from gpuqueue.errors import ConfigError, InvalidJob

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
    _check_writable(output)
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
    )
    started = time.monotonic()
    binary = _render(RenderSettings(device=device.value, threads=threads), content_root, request)
    _write(output, binary.data)
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


def _check_writable(output: Path) -> None:
    """Raise ConfigError now rather than after the render."""
    folder = output.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"{output}: the folder {folder} does not exist")
    if output.is_dir():
        raise ConfigError(f"{output} is a folder; name a file")
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{output}: the folder {folder} may not be written to")


def _write(output: Path, data: bytes) -> None:
    """Write the whole file or none."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{output}: {error.strerror or error}") from error
