"""``gpuqueue inspect``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gpuqueue.cli.local_scene import RootOption, SceneArgument, load

if TYPE_CHECKING:
    from rich.table import Table

    from gpuqueue.device.memory import Needs
    from gpuqueue.scene import Scene, SceneSummary


def inspect(scene: SceneArgument, root: RootOption = None) -> None:
    """Tell what a scene holds, and what of it is not supported.

    Counts, materials and what each became, textures found or missing, lights, memory that a GPU
    needs, warnings.
    """
    from rich.console import Console
    from rich.text import Text

    from gpuqueue.scene import summarise

    loaded = load(scene, root)
    summary = summarise(loaded)
    console = Console(highlight=False)
    console.print(_counts(summary))
    if summary.materials:
        console.print(_materials(summary))
    if summary.textures:
        console.print(_textures(summary))
    if summary.lights:
        console.print(_lights(summary))
    console.print(_memory(_needs(loaded)))
    for warning in summary.warnings:
        console.print(Text.assemble(("warning: ", "yellow bold"), warning), soft_wrap=True)


def _counts(summary: SceneSummary) -> Table:
    camera = summary.camera
    width, height = camera.resolution
    table = _table(summary.name, "", "")
    table.show_header = False
    rows = {
        "files": f"{summary.source_files}, {_size(summary.source_bytes)}",
        "meshes": f"{summary.meshes:,}",
        "vertices": f"{summary.vertices:,}",
        "triangles": f"{summary.triangles:,} stored, {summary.placed_triangles:,} placed",
        "instances": f"{summary.instances:,}, {summary.emissive_instances:,} of them emit light",
        "extent": f"{_vector(summary.lowest)} to {_vector(summary.highest)}",
        "camera": f"{camera.name}, {width} x {height} pixels, {camera.field_of_view:.1f}° across",
        "seen from": f"{_vector(camera.position)} towards {_vector(camera.direction)}",
        "environment": _vector(summary.environment),
        "textures": f"{len(summary.textures)}",
    }
    _fill(table, rows.items())
    return table


def _materials(summary: SceneSummary) -> Table:
    table = _table("Materials", "name", "shader", "became", "note")
    _fill(
        table,
        (
            (m.name, m.shader, f"{m.kind}, emits light" if m.emits else m.kind, m.note)
            for m in summary.materials
        ),
    )
    return table


def _textures(summary: SceneSummary) -> Table:
    table = _table("Textures", "name", "source", "state", "pixels", "memory")
    _fill(
        table,
        (
            (
                t.name,
                t.source,
                t.state,
                *(
                    (f"{t.size[0]} x {t.size[1]}", _size(t.texel_bytes))
                    if t.texel_bytes
                    else ("", "")
                ),
            )
            for t in summary.textures
        ),
    )
    return table


def _lights(summary: SceneSummary) -> Table:
    table = _table("Lights", "name", "kind", "falloff", "colour")
    _fill(table, ((x.name, x.kind, x.falloff, _vector(x.color)) for x in summary.lights))
    return table


def _needs(scene: Scene) -> Needs:
    """What the scene and a film of the camera's size take, reckoned without building anything."""
    from gpuqueue.device import native
    from gpuqueue.device.kernel_device import SCENE_FIELDS
    from gpuqueue.device.memory import estimated_needs, film_needs
    from gpuqueue.scene import pack

    buffers = pack(scene, native.layouts(), native.kernels().shaders())
    return (
        *estimated_needs(buffers, SCENE_FIELDS),
        *film_needs(buffers.width, buffers.height),
    )


def _memory(needs: Needs) -> Table:
    from gpuqueue.device.memory import sum_of

    table = _table("Memory of a GPU, about", "what", "size")
    rows = sorted(needs, key=lambda need: -need.nbytes)
    _fill(table, ((need.what, _size(need.nbytes)) for need in rows))
    _fill(table, [("all", _size(sum_of(needs)))])
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _fill(table: Table, rows: Iterable[tuple[str, ...]]) -> None:
    """Add rows; names of a scene are text, not markup."""
    from rich.text import Text

    for row in rows:
        table.add_row(*map(Text, row))


def _vector(values: tuple[float, float, float]) -> str:
    return f"({', '.join(f'{value:.4g}' for value in values)})"


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} GiB"
