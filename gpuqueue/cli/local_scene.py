"""A scene file named on the command line: where it is, and the folder it may read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gpuqueue.scene import Scene

SceneArgument = Annotated[Path, typer.Argument(help="A scene file (.mi, .gltf, .glb).")]
RootOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The scene and all it includes must lie below; default: the current folder if the "
        "scene lies below it, else the scene's folder.",
    ),
]


def locate(scene: Path, root: Path | None) -> tuple[Path, Path]:
    """The scene's path below its root, and the root."""
    scene = scene.absolute()
    if root is None:
        root = Path.cwd() if scene.is_relative_to(Path.cwd()) else scene.parent
    root = root.absolute()
    return (scene.relative_to(root) if scene.is_relative_to(root) else scene), root


def load(scene: Path, root: Path | None) -> Scene:
    """Read the scene; a terminal is shown how far it is read. Raises SceneError."""
    from rich.console import Console
    from rich.text import Text

    from gpuqueue.scene import load_scene

    path, root = locate(scene, root)
    with Console(stderr=True).status(Text(f"Reading {path}")) as status:

        def report(what: str, share: float) -> None:
            status.update(Text(f"{what}: {share:.0%}"))

        return load_scene(path, root, report=report)
