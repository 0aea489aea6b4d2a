"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        help="Configuration (realityserver.conf syntax); without one, the embedded queue and "
        "bucket under ./gpuqueue-data.",
    ),
]

#: For children of gpuqueue: end when the parent does, however it does.
WithParentOption = Annotated[bool, typer.Option("--with-parent", hidden=True)]
