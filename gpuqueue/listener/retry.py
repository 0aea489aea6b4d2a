"""Trying again in place, while the job is held: an upload that fails must not cost the render."""

from __future__ import annotations

import random
from collections.abc import Callable

from gpuqueue.errors import TransientError
from gpuqueue.listener.fate import backoff_bound
from gpuqueue.listener.job_log import JobLog
from gpuqueue.listener.lease import Lease
from gpuqueue.log import Event

#: Longest wait after the first try; doubled by each further one.
RETRY_BASE_S = 2.0
MAX_RETRY_S = 60.0
#: The other side may ask for a longer wait, up to this.
MAX_RETRY_AFTER_S = 300.0


def retry(what: str, action: Callable[[], None], tries: int, lease: Lease, log: JobLog) -> None:
    """Do `action`, again after a TransientError, at most `tries` times in all.

    Raises the last TransientError, any other error at once, and what the lease raises.
    """
    for number in range(1, tries):
        lease.check()
        try:
            return action()
        except TransientError as error:
            delay_s = random.uniform(0, backoff_bound(number, RETRY_BASE_S, MAX_RETRY_S))  # noqa: S311 (jitter)
            if error.retry_after_s is not None:
                delay_s = min(error.retry_after_s, MAX_RETRY_AFTER_S) + delay_s
            log.warning(
                Event.TRY_FAILED,
                f"{what} failed: {error}; try {number + 1} of {tries} in {delay_s:.1f} s.",
            )
            lease.sleep(delay_s)
    lease.check()
    return action()
