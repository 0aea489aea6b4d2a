"""The listener: takes jobs from a queue, one at a time, and sees each of them through."""

from gpuqueue.listener.loop import run_listener
from gpuqueue.listener.pulse import Pulse, tell_bad_machine
from gpuqueue.listener.shutdown import Shutdown

__all__ = ["Pulse", "Shutdown", "run_listener", "tell_bad_machine"]
