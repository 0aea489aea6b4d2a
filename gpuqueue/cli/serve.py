"""``gpuqueue serve``."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import Annotated

import typer

from gpuqueue.cli.options import ConfigOption, WithParentOption


def serve(
    config: ConfigOption = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; default: http_address.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port to listen on, 0 for a free one; default: http_address."
        ),
    ] = None,
    listen: Annotated[
        bool,
        typer.Option(help="Run a listener beside the front end if listen_queue is set."),
    ] = True,
    with_parent: WithParentOption = False,
) -> None:
    """Run the HTTP front end, and a listener beside it.

    The listener runs if the configuration has a listen_queue; one that ends is started again.
    """
    from gpuqueue.api import server
    from gpuqueue.cli.children import (
        STOP_S,
        Keeper,
        config_arguments,
        start_child,
        when_parent_ends,
    )
    from gpuqueue.config import load_settings
    from gpuqueue.log import configure_logging

    configure_logging()
    settings = load_settings(config)
    given = {"http_address": host, "http_port": port}
    settings = settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    if with_parent:
        when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
    with ExitStack() as stack:
        if listen and settings.queue_manager.listen_queue is not None:
            patience_s = settings.queue_manager.stop_grace_s + STOP_S
            arguments = ["listen", *config_arguments(config)]
            stack.enter_context(Keeper(lambda: start_child(*arguments), patience_s))
        server.serve(settings)
