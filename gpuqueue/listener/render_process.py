"""The listener's side of the render process: start it, run commands in it, replace it.

Commands run in a child process because a spoilt CUDA context, a crash in native code or an
out-of-memory kill ends the process it happens in, and must not end the listener.
"""

from __future__ import annotations

import signal
import time

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.errors import DeviceLost, Interrupted
from gpuqueue.job import Job
from gpuqueue.listener.child_process import Progress, RenderChild
from gpuqueue.listener.lease import Lease

#: From the wish to stop to SIGKILL: a command that reports progress ends itself in between, ...
KILL_GRACE_S = 2.0
#: ... and if it did report in the last seconds, so long for a checkpoint, out of the 120 s that a
#: spot instance is left.
CHECKPOINT_GRACE_S = 30.0
LIVELY_S = 2.0


class RenderProcess:
    """Runs commands, one at a time, in a child process that is replaced when it is spoilt.

    The thread that calls `start` or `run` must outlive the child: when it ends, the child does.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: RenderChild | None = None
        self._last_device: str | None = None

    @property
    def device(self) -> str | None:
        """What commands run on, once one has said so."""
        return (self._child.device if self._child else None) or self._last_device

    def start(self) -> None:
        """Have a child that is ready and, if the settings want it, whose device is tested.

        Raises ConfigError, or DeviceLost if it does not start or its device is bad.
        """
        child = self._ready_child()
        if self._settings.queue_manager.self_test and not child.is_tested:
            try:
                child.test()
            except BaseException:
                self.close()
                raise

    def _ready_child(self) -> RenderChild:
        if self._child is not None and self._child.is_alive:
            return self._child
        self.close()
        try:
            self._child = RenderChild(self._settings)
        except OSError as error:
            raise DeviceLost(f"the render process cannot be started: {error.strerror}") from error
        try:
            self._child.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self._child

    def run(self, job: Job, lease: Lease, on_progress: Progress) -> Binary:
        """Run a job's command and return its result.

        Raises what the command raised: InvalidJob, TransientError, DeviceLost, ConfigError, and
        JobFailed for everything else. Raises DeviceLost if the child was killed by a signal,
        JobFailed if it exited or was silent for too long, and what the lease raises when it ends.
        """
        child = self._ready_child()
        try:
            with lease.watched_by(child.wake):
                return child.run(job, lease, on_progress)
        except Interrupted:
            if not child.is_usable:
                is_lively = time.monotonic() - child.reported_at < LIVELY_S
                self.close(signal.SIGTERM, CHECKPOINT_GRACE_S if is_lively else KILL_GRACE_S)
            raise
        finally:
            if not child.is_usable:
                self.close()

    def close(self, signum: signal.Signals = signal.SIGUSR1, grace_s: float = KILL_GRACE_S) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.kill(signum, grace_s)
            self._last_device = self.device
            self._child = None
