"""Keeps Auto Scaling from choosing this instance for a scale-in while it works on a job.

Protection does not stop a spot interruption or a termination by hand. Jobs do not wait for it: a
thread of its own makes the calls, and whatever fails costs a warning.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from gpuqueue.aws import autoscaling_client, explained
from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError, GpuqueueError
from gpuqueue.listener.metadata import MetadataService
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

#: A call that failed is made again after this long; Amazon throttles what is called often.
RETRY_S = 60.0
#: How long the end of a listener waits for the last call.
LAST_CALL_S = 15.0

#: Says to Amazon whether this instance is protected. Raises GpuqueueError.
Protect = Callable[[bool], None]


class Protection:
    """Follows, while a ``with`` block runs, whether this instance works; at its end it does not.

    What an earlier listener left is not known, so that the first word is passed on in any case.
    """

    def __init__(self, protect: Protect) -> None:
        self._protect = protect
        self._changed = threading.Condition()
        self._wanted: bool | None = None
        self._is_on: bool | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._follow, name="protection", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closing = True
            self._wanted = False
            self._changed.notify()
        self._thread.join(LAST_CALL_S)

    def work(self, is_working: bool) -> None:
        """From now on this instance works, or waits for work."""
        with self._changed:
            self._wanted = is_working
            self._changed.notify()

    def _follow(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._wanted is not self._is_on)
                wanted, is_last = self._wanted, self._closing
            if wanted is not None and wanted is not self._is_on and not self._call(wanted):
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, 0 if is_last else RETRY_S)
            if is_last:
                return

    def _call(self, wanted: bool) -> bool:
        """Whether Amazon knows it now."""
        try:
            self._protect(wanted)
        except GpuqueueError as error:
            log.event(
                Event.SCALE_IN_PROTECTION,
                f"Protection from scale-in cannot be set {'on' if wanted else 'off'}: {error}.",
                level=logging.WARNING,
                protected=None,
            )
            return False
        self._is_on = wanted
        text = f"Protection from scale-in is {'on' if wanted else 'off'}."
        log.event(Event.SCALE_IN_PROTECTION, text, protected=wanted)
        return True


def _ignore(is_working: bool) -> None:
    """Nobody asked for protection."""


@contextmanager
def protecting(settings: Settings) -> Iterator[Callable[[bool], None]]:
    """Yield what is to be told whether this instance works; without a group it does nothing."""
    group = settings.queue_manager.auto_scaling_group
    if group is None:
        yield _ignore
        return
    with Protection(lambda wanted: protect_instance(settings, group, wanted)) as protection:
        yield protection.work


def protect_instance(settings: Settings, group: str, is_protected: bool) -> None:
    """Set the protection of this instance in its group. Raises TransientError, ConfigError."""
    service = MetadataService.from_environment(os.environ)
    if service is None:
        raise ConfigError("AWS_EC2_METADATA_DISABLED is true: this instance has no name")
    instance, region = service.ask("instance-id", "placement/region")
    if instance is None:
        raise ConfigError(f"{service.endpoint} does not name this instance")
    client = autoscaling_client(settings.aws, settings.aws.region or region)
    with explained(f"Auto Scaling group '{group}', instance {instance}"):
        client.set_instance_protection(
            AutoScalingGroupName=group, InstanceIds=[instance], ProtectedFromScaleIn=is_protected
        )
