"""``gpuqueue convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gpuqueue.cli.local_scene import RootOption, locate
from gpuqueue.cli.whole_file import check_writable, write_whole
from gpuqueue.errors import ConfigError


def convert(
    scene: Annotated[
        Path, typer.Argument(help="A scene (.mi, .gltf, .glb) or meshes (.obj, .ply, .stl).")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="SCENE", help="The new scene: .mi.")
    ],
    binary: Annotated[
        bool, typer.Option("--binary", help="Triangles as 32-bit numbers: smaller and quicker.")
    ] = False,
    root: RootOption = None,
) -> None:
    """Write a scene, or a file of meshes, anew as one .mi file.

    Of a .mi scene, includes are followed and curved surfaces have become triangles. Meshes get a
    camera before them and white surroundings.
    """
    from gpuqueue.scene import load_document, scene_pieces

    if output.suffix.lower() != ".mi":
        raise ConfigError(f"{output}: expected a name that ends in .mi")
    check_writable(output)
    document = load_document(*locate(scene, root))
    size = write_whole(output, scene_pieces(document, binary=binary))
    for warning in document.warnings.all():
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"{output}: {size} bytes, {len(document.entities)} entities")
