"""``gpuqueue listen``."""

from __future__ import annotations

from gpuqueue.cli.options import ConfigOption, WithParentOption


def listen(config: ConfigOption = None, with_parent: WithParentOption = False) -> None:
    """Run a listener: take jobs from listen_queue, one at a time, until SIGTERM or Ctrl-C."""
    from gpuqueue.cli.children import end_with_parent
    from gpuqueue.config import load_settings
    from gpuqueue.listener import Shutdown, run_listener
    from gpuqueue.log import configure_logging

    configure_logging()
    settings = load_settings(config)
    shutdown = Shutdown(settings.queue_manager.stop_grace_s)
    with shutdown.on_signals():
        if with_parent:
            end_with_parent()
        run_listener(settings, shutdown)
