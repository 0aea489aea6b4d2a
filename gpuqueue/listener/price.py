"""What an hour of this machine costs: as configured, or as EC2 says of a spot instance.

A price is only told, nothing waits for it: it is read beside the jobs, and one that cannot be read
costs a line of the log.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from gpuqueue.aws import ec2_client, explained
from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError, GpuqueueError, TransientError
from gpuqueue.listener.metadata import MetadataService
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.QUEUE)

#: Spot prices change slowly, a few times a day.
RENEW_S = 3600.0
#: How long the first job waits for the first answer at most.
FIRST_S = 2.0


class Price:
    """The price of an hour; `read` asks for it, None: it is `configured`, or not known."""

    def __init__(self, configured: float | None, read: Callable[[], float | None] | None) -> None:
        self._configured = configured
        self._read = read
        self._found: float | None = None
        self._read_at = -math.inf
        self._thread: threading.Thread | None = None

    def per_hour(self) -> float | None:
        """The price as it is known by now."""
        is_first = self._thread is None
        if self._read is not None and time.monotonic() - self._read_at >= RENEW_S:
            self._read_at = time.monotonic()
            self._thread = threading.Thread(target=self._renew, name="price", daemon=True)
            self._thread.start()
            if is_first:
                self._thread.join(FIRST_S)
        return self._configured if self._found is None else self._found

    def _renew(self) -> None:
        assert self._read is not None  # noqa: S101 (the thread is started for it)
        try:
            self._found = self._read()
        except GpuqueueError as error:
            self._say(f"The spot price cannot be read: {error}.", logging.WARNING)
        else:
            told = "none: this is no spot instance" if self._found is None else f"{self._found:g}"
            self._say(f"Spot price of this instance, in US dollars an hour: {told}.", logging.INFO)

    def _say(self, text: str, level: int) -> None:
        log.event(Event.SPOT_PRICE, text, level=level, per_hour=self._found)


@lru_cache(maxsize=2)
def price_of(settings: Settings) -> Price:
    """The price of this machine, one for all that tell it."""
    manager = settings.queue_manager
    read = (lambda: spot_price(settings)) if manager.read_spot_price else None
    return Price(manager.price_per_hour, read)


def spot_price(settings: Settings) -> float | None:
    """US dollars an hour of this spot instance; None if it is none.

    Raises TransientError, ConfigError.
    """
    service = MetadataService.from_environment(os.environ)
    if service is None:
        raise ConfigError("AWS_EC2_METADATA_DISABLED is true: nobody says what this instance is")
    life_cycle, kind, zone, region = service.ask(
        "instance-life-cycle", "instance-type", "placement/availability-zone", "placement/region"
    )
    if life_cycle != "spot":
        return None
    if kind is None or zone is None:
        raise TransientError(f"{service.endpoint} does not name this instance's type and zone")
    client = ec2_client(settings.aws, settings.aws.region or region)
    with explained(f"spot price of {kind} in {zone}"):
        # A page may be empty and have a next one.
        pages = client.get_paginator("describe_spot_price_history").paginate(
            AvailabilityZone=zone,
            Filters=[{"Name": "instance-type", "Values": [kind]}],
            ProductDescriptions=["Linux/UNIX"],
            StartTime=datetime.now(UTC),
            PaginationConfig={"MaxItems": 1},
        )
        prices = [float(item["SpotPrice"]) for page in pages for item in page["SpotPriceHistory"]]
    if not prices or not 0 <= prices[0] < math.inf:
        raise TransientError(f"EC2 tells no spot price of {kind} in {zone}")
    return prices[0]
