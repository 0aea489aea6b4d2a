"""One try at a job as it is accounted for: record, log, spool, and the letter if the job dies."""

from __future__ import annotations

from collections.abc import Callable

from gpuqueue.config import Settings
from gpuqueue.errors import SceneError
from gpuqueue.job import Job
from gpuqueue.listener.failure_notice import tell_of_failure
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.last_lines import LastLines
from gpuqueue.listener.recorder import Recorder
from gpuqueue.listener.spool import SpoolPlace
from gpuqueue.queues import PostMortem
from gpuqueue.queues.body import readable
from gpuqueue.records import Attempt, State, forget_part, remove_checkpoint

#: Tries whose last lines somebody may want to read.
_WITH_LOG = {State.FAILED, State.DEAD}
#: A record is rewritten every few seconds.
MAX_REASON_BYTES = 4096


class Account:
    """The account of one try. `device` tells what the command runs on, as far as is known."""

    def __init__(
        self,
        settings: Settings,
        recorder: Recorder,
        log: JobLog,
        lines: LastLines,
        device: Callable[[], str | None],
    ) -> None:
        self.recorder = recorder
        self.log = log
        #: Both once the job is known.
        self.job: Job | None = None
        self.spooled: SpoolPlace | None = None
        self._settings = settings
        self._lines = lines
        self._device = device

    def succeeded(self) -> None:
        """The result is where it should be."""
        self.recorder.end(self.recorder.ended(State.SUCCEEDED, device=self._device()))

    def removed(self) -> None:
        """The message is gone: nobody will do the job again."""
        if self.spooled is not None:
            self.spooled.remove()

    def post_mortem(self, error: Exception, reason: str) -> PostMortem:
        """What is known of a job that is to be given up."""
        return self.recorder.post_mortem(self._last(State.DEAD, error, reason))

    def tell(self, outcome: State, error: Exception, reason: str) -> None:
        """The try ended so, by this error and its text."""
        last = self._last(outcome, error, reason)
        self.recorder.end(last)
        if outcome.is_final:
            remove_checkpoint(self._settings, self.log.job_id)
            self.removed()
        if outcome is State.CANCELLED:
            forget_part(self._settings, self.log.job_id)
        if outcome is State.DEAD and self.job is not None:
            tell_of_failure(self.job, self.recorder.post_mortem(last), self._settings, self.log)

    def _last(self, outcome: State, error: Exception, reason: str) -> Attempt:
        lines = self._lines.lines if outcome in _WITH_LOG else ()
        return self.recorder.ended(
            outcome,
            error=type(error).__name__,
            reason=readable(reason, MAX_REASON_BYTES),
            place=error.place if isinstance(error, SceneError) else None,
            device=self._device(),
            log=tuple(readable(line, MAX_REASON_BYTES) for line in lines),
        )
