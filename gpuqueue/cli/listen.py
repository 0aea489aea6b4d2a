"""``gpuqueue listen``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuqueue.cli.options import ConfigOption, WithParentOption

if TYPE_CHECKING:
    from gpuqueue.listener import Shutdown


def listen(config: ConfigOption = None, with_parent: WithParentOption = False) -> None:
    """Run a listener: do the jobs of listen_queue.

    One job at a time, until SIGTERM or Ctrl-C; the job in hand then goes back to the queue.
    """
    from gpuqueue.cli.children import when_parent_ends
    from gpuqueue.config import load_settings
    from gpuqueue.errors import DeviceLost
    from gpuqueue.listener import Pulse, Shutdown, run_listener, tell_bad_machine
    from gpuqueue.log import configure_logging

    configure_logging()
    settings = load_settings(config)
    shutdown = Shutdown(settings.queue_manager.stop_grace_s)
    # Beside a front end, that speaks for both, and starts a listener that ends again.
    with shutdown.on_signals(), Pulse(is_kept=not with_parent) as pulse:
        if with_parent:
            when_parent_ends(lambda: _stop_once(shutdown))
        try:
            run_listener(settings, shutdown, pulse.beat)
        except DeviceLost as error:
            tell_bad_machine(str(error))
            raise


def _stop_once(shutdown: Shutdown) -> None:
    """Ask to stop, unless a signal did: a second wish would end the job in hand at once."""
    if not shutdown.asked:
        shutdown.request("the server stops")
