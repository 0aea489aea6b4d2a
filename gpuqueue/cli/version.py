"""``gpuqueue version``."""

from __future__ import annotations

import typer


def version() -> None:
    """Print the version, in RealityServer's form."""
    from gpuqueue.commands.context import RunContext
    from gpuqueue.commands.get_version import get_version
    from gpuqueue.config import Settings

    typer.echo(get_version.run({}, RunContext(Settings())))
