"""The listener: receive one message, handle it, repeat."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError, DeviceLost, GpuqueueError, TransientError
from gpuqueue.listener.fate import backoff_bound
from gpuqueue.listener.handler import Handler
from gpuqueue.listener.interruption import watching_interruptions
from gpuqueue.listener.lease import Lease
from gpuqueue.listener.priority import listening_queue
from gpuqueue.listener.protection import protecting
from gpuqueue.listener.render_process import RenderProcess
from gpuqueue.listener.settle import reason_of
from gpuqueue.listener.shutdown import Shutdown, StopNow
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues import Message, Queue

log = EventLogger(Category.QUEUE)

#: Longest open poll. A stopping listener waits for it, since it may still bring a message.
MAX_POLL_S = 5.0
#: A poll that brings nothing sooner, as that of a server which is none of SQS, is waited out.
MIN_POLL_S = 1.0
UNREACHABLE_BASE_S = 1.0
MAX_UNREACHABLE_S = 60.0


def run_listener(
    settings: Settings,
    shutdown: Shutdown | None = None,
    beat: Callable[[float], None] = lambda _next_s: None,
) -> None:
    """Do the jobs of ``listen_queue`` until `shutdown` is requested.

    `beat` is called while the queue answers, with the seconds until its next call is due.
    Run this in a thread that lives on: the render process dies with the thread that started it.
    Raises ConfigError if the listener cannot work as configured, and DeviceLost if this machine
    cannot run commands. Whatever ends it, the job in hand goes back to the queue.
    """
    name = settings.queue_manager.listen_queue
    if name is None:
        raise ConfigError("listen_queue is not set in block queue_manager: nothing to listen to")
    shutdown = shutdown or Shutdown(settings.queue_manager.stop_grace_s)
    process = RenderProcess(settings)
    try:
        with (
            listening_queue(settings, name, MAX_POLL_S) as queue,
            watching_interruptions(settings.queue_manager.watch_interruptions, shutdown),
            protecting(settings) as work,
        ):
            Listener(settings, queue, process, shutdown, beat, work).run()
    except StopNow:
        pass
    finally:
        process.close()
        log.event(Event.STOPPED, f"[{name}] Listener stopped.", queue=name)


class Listener:
    """One queue, one render process, one job at a time.

    `work` is told whether there is a job; between two that follow each other at once it hears
    nothing.
    """

    def __init__(
        self,
        settings: Settings,
        queue: Queue,
        process: RenderProcess,
        shutdown: Shutdown,
        beat: Callable[[float], None] = lambda _next_s: None,
        work: Callable[[bool], None] = lambda _is_working: None,
    ) -> None:
        self._limits = settings.queue_manager
        self._queue = queue
        self._process = process
        self._shutdown = shutdown
        self._beat = beat
        self._work = work
        self._handler = Handler(settings, queue, process)
        #: A lease counts from before its receive, so a poll must be short against it.
        self._poll_s = min(MAX_POLL_S, self._limits.visibility_timeout_s / 4)
        self._failures = 0
        self._lost_by: set[str] = set()

    def run(self) -> None:
        """Listen until a shutdown is requested. Raises ConfigError, DeviceLost."""
        self._start_process()
        self._check_queue()
        log.event(
            Event.LISTENING,
            f"[{self._queue.name}] Queue configured for listening. Waiting for job.",
            queue=self._queue.name,
        )
        while not self._shutdown.requested:
            self._start_process()
            received_at = time.monotonic()
            message = self._receive()
            if message is not None:
                self._take(message, received_at)
            else:
                self._work(False)

    def _start_process(self) -> None:
        """Nothing is held yet: who wants to stop at once may."""
        with self._shutdown.abandonable():
            self._process.start()

    def _check_queue(self) -> None:
        """A queue that cannot be used ends the listener; one that cannot be reached may return."""
        try:
            self._queue.check()
        except TransientError as error:
            self._log_unreachable(error, 0)

    def _receive(self) -> Message | None:
        """One poll; if it fails, for whatever reason, one wait."""
        asked_at = time.monotonic()
        try:
            with self._shutdown.abandonable():
                message = self._queue.receive(self._poll_s)
        except Exception as error:
            self._failures += 1
            bound = backoff_bound(self._failures, UNREACHABLE_BASE_S, MAX_UNREACHABLE_S)
            delay_s = random.uniform(bound / 2, bound)  # noqa: S311 (jitter)
            self._log_unreachable(error, delay_s)
            self._shutdown.wait(delay_s)
            return None
        self._failures = 0
        self._beat(self._poll_s)
        if message is None:
            self._shutdown.wait(asked_at + min(MIN_POLL_S, self._poll_s) - time.monotonic())
        return message

    def _log_unreachable(self, error: Exception, delay_s: float) -> None:
        log.event(
            Event.QUEUE_UNREACHABLE,
            f"[{self._queue.name}] Queue cannot be used: {reason_of(error)}; "
            f"next try in {delay_s:.1f} s.",
            level=logging.WARNING,
            exc_info=None if isinstance(error, GpuqueueError) else error,
            queue=self._queue.name,
        )

    def _take(self, message: Message, received_at: float) -> None:
        """Hold a message while it is handled."""
        lease = Lease(
            self._queue,
            message,
            visibility_timeout_s=self._limits.visibility_timeout_s,
            max_job_time_s=self._limits.max_job_time_s,
            received_at=received_at,
            beat=self._beat,
        )
        if not self._shutdown.requested:
            self._work(True)
        with self._shutdown.holding(lease):
            error = self._handler.handle(message, lease)
        self._judge_machine(message, error)

    def _judge_machine(self, message: Message, error: Exception | None) -> None:
        if isinstance(error, DeviceLost):
            self._lost_by.add(message.id)
        elif error is None:
            self._lost_by.clear()
        # One job alone, again and again, speaks against the job: the redrive limit ends it.
        if len(self._lost_by) >= self._limits.max_devices_lost:
            raise DeviceLost(
                f"stopping: {len(self._lost_by)} jobs lost the device, none was done in between; "
                f"this machine needs a look; the last: {error}"
            ) from error
