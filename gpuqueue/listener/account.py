"""What is told of a try that did not end well: in the job's record, and in its dead letter."""

from __future__ import annotations

from gpuqueue.config import Settings
from gpuqueue.errors import SceneError
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.last_lines import LastLines
from gpuqueue.listener.recorder import Recorder
from gpuqueue.queues import PostMortem
from gpuqueue.records import Attempt, State, remove_checkpoint

#: Tries whose last lines somebody may want to read.
_WITH_LOG = {State.FAILED, State.DEAD}


class Account:
    """The account of one try, given by what was watched while it went on."""

    def __init__(
        self,
        settings: Settings,
        recorder: Recorder,
        log: JobLog,
        lines: LastLines,
        device: str | None,
    ) -> None:
        self._settings = settings
        self._recorder = recorder
        self._log = log
        self._lines = lines
        self._device = device

    def post_mortem(self, error: Exception, reason: str) -> PostMortem:
        """What is known of a job that is to be given up."""
        return self._recorder.post_mortem(self._last(State.DEAD, error, reason))

    def tell(self, outcome: State, error: Exception, reason: str) -> None:
        """The try ended so, by this error and its text."""
        self._recorder.end(self._last(outcome, error, reason))
        if outcome.is_final:
            remove_checkpoint(self._settings, self._log.job_id)

    def _last(self, outcome: State, error: Exception, reason: str) -> Attempt:
        return self._recorder.ended(
            outcome,
            error=type(error).__name__,
            reason=reason,
            place=error.place if isinstance(error, SceneError) else None,
            device=self._device,
            log=self._lines.lines if outcome in _WITH_LOG else (),
        )
