"""Amazon SQS, or a server that speaks like it.

In a FIFO queue each job is a message group of its own, so that several listeners can work on it.
"""

from __future__ import annotations

import logging
import math
import re
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from gpuqueue.aws import explained, sqs_client
from gpuqueue.config import Settings
from gpuqueue.config.settings import S3BucketSettings, SqsQueueSettings
from gpuqueue.errors import ConfigError, GpuqueueError, InvalidJob, LeaseLost
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues.base import Message, QueueCounts
from gpuqueue.queues.body import check_body, is_large
from gpuqueue.queues.payloads import SIZE_ATTRIBUTE, Payloads, pointer_of
from gpuqueue.queues.post_mortem import PostMortem
from gpuqueue.queues.sqs_dead_letters import (
    RedrivePolicy,
    SqsDeadLetters,
    attribute,
    dead_attributes,
    fifo_fields,
    identity,
    named_id,
    own_id,
)
from gpuqueue.storage import open_bucket

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

log = EventLogger(Category.QUEUE)

MAX_WAIT_S = 20
#: SQS ends every lease 12 hours after the receive and refuses to extend beyond; 10 s to spare.
MAX_LEASE_S = 12 * 3600 - 10
#: A long poll is answered after `MAX_WAIT_S`; everything else at once.
POLL_TIMEOUT_S = MAX_WAIT_S + 10
CALL_TIMEOUT_S = 10

_LEASE_CODES = dict.fromkeys(
    ("MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"), LeaseLost
)
_BODY_CODES = dict.fromkeys(("InvalidMessageContents", "InvalidParameterValue"), InvalidJob)


class SqsQueue:
    """The SQS queue that `queue` describes. Its methods may be called from several threads."""

    def __init__(self, settings: Settings, queue: SqsQueueSettings) -> None:
        self.name = queue.name
        self._url = queue.queue_url
        self._visibility_timeout_s = settings.queue_manager.visibility_timeout_s
        self._what = f"queue '{queue.name}' ({queue.queue_url})"
        region, endpoint_url = place_of(queue.queue_url)
        region = queue.region or region
        endpoint_url = queue.endpoint_url or settings.aws.endpoint_url or endpoint_url
        self._polls = sqs_client(settings.aws, region, endpoint_url, POLL_TIMEOUT_S)
        #: Of its own, so that a renewal never waits for a poll's connection.
        self._calls = sqs_client(settings.aws, region, endpoint_url, CALL_TIMEOUT_S)
        self._payloads = payloads_of(settings, queue.payload_bucket)

    @classmethod
    def open(cls, settings: Settings, queue: SqsQueueSettings) -> Self:
        """Open the queue that `queue` describes. Raises ConfigError."""
        return cls(settings, queue)

    def send(self, body: str, job_id: str) -> str:
        """Send a message; SQS has stored it when this returns. The result is its MessageId.

        One that is too large goes to the ``payload_bucket``, if there is one, and a pointer to SQS.
        """
        if not (self._payloads.are_kept and is_large(body)):
            check_body(body)
            return self._send(body, job_id, {})
        pointer = self._payloads.store(body, self._what)
        try:
            return self._send(pointer.to_body(), job_id, pointer.attributes)
        except GpuqueueError:
            with suppress(GpuqueueError):
                self._payloads.remove(pointer)
            raise

    def _send(self, body: str, job_id: str, attributes: dict[str, Any]) -> str:
        with explained(self._what, _BODY_CODES):
            return self._calls.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes=attributes,
                **fifo_fields(self._url, job_id, job_id),
            )["MessageId"]

    def receive(self, wait_s: float) -> Message | None:
        """Take one message, waiting up to `wait_s` seconds, whole ones and 20 at most."""
        with explained(self._what):
            received = self._polls.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=min(MAX_WAIT_S, math.ceil(wait_s)),
                VisibilityTimeout=self._visibility_timeout_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=["job_id", SIZE_ATTRIBUTE],
            )
            found = [
                Message(
                    id=message["MessageId"],
                    body=message["Body"],
                    receipt=message["ReceiptHandle"],
                    receives=int(message["Attributes"]["ApproximateReceiveCount"]),
                    first_id=named_id(message),
                    pointer=pointer_of(message["Body"], attribute(message, SIZE_ATTRIBUTE)),
                )
                for message in received.get("Messages", [])
            ]
        return self._with_payload(found[0]) if found else None

    def _with_payload(self, message: Message) -> Message:
        """The message with the body that it points to, or with why there is none."""
        if message.pointer is None:
            return message
        try:
            return replace(message, body=self._payloads.load(message.pointer, self._what))
        except GpuqueueError as error:
            return replace(message, fault=error)

    def _remove_payload(self, message: Message) -> None:
        """The message is gone; a payload that stays costs room, nothing else."""
        if message.pointer is None:
            return
        try:
            self._payloads.remove(message.pointer)
        except GpuqueueError as error:
            log.event(
                Event.QUEUE_UNREACHABLE,
                f"[{self.name}] The payload of message {message.id} stays: {error}.",
                level=logging.WARNING,
                queue=self.name,
            )

    def extend(self, message: Message, timeout_s: float) -> None:
        """Hide the message for `timeout_s` seconds from now, to 12 hours after its receive."""
        self._set_visibility(message, timeout_s)

    def release(self, message: Message, delay_s: float = 0, reason: str = "") -> None:  # noqa: ARG002 (SQS keeps no word beside a message)
        """Give the message back, visible after `delay_s` seconds. Raises LeaseLost."""
        self._set_visibility(message, delay_s)

    def hand_back(self, message: Message, reason: str = "") -> None:
        """Put a copy in the message's place: SQS counts receives for ever. Raises LeaseLost.

        The copy is sent before the message is deleted: what happens in between doubles the job
        and does not lose it.
        """
        self.extend(message, self._visibility_timeout_s)
        attributes = identity(message.body, message.original_id)
        if attributes is None:
            self.release(message, 0, reason)
            return
        with explained(self._what):
            self._calls.send_message(
                QueueUrl=self._url,
                MessageBody=message.sent_body,
                MessageAttributes={**attributes, **_attributes_of(message)},
                # Not the job's id: within five minutes of its send SQS would drop the copy.
                **fifo_fields(self._url, own_id(message.body) or message.original_id, message.id),
            )
        self._delete(message)

    def max_receives(self) -> int | None:
        """What the redrive policy says; None if there is none, or it may not be read."""
        try:
            return RedrivePolicy.of(self._calls, self._url, self._what).max_receives
        except ConfigError:
            return None

    def _set_visibility(self, message: Message, timeout_s: float) -> None:
        left_s = MAX_LEASE_S - (time.monotonic() - message.received_at)
        if left_s < 0:
            raise LeaseLost(f"message {message.id} was held for 12 hours, the longest SQS allows")
        with explained(f"{self._what}: message {message.id}", _LEASE_CODES):
            self._calls.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=message.receipt,
                VisibilityTimeout=math.ceil(min(timeout_s, left_s)),
            )

    def delete(self, message: Message) -> None:
        """Remove the message for good; deleting it twice is harmless. Raises LeaseLost."""
        self._delete(message)
        self._remove_payload(message)

    def _delete(self, message: Message) -> None:
        with explained(f"{self._what}: message {message.id}", _LEASE_CODES):
            self._calls.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def dead_letter(
        self, message: Message, reason: str, post_mortem: PostMortem | None = None
    ) -> None:
        """Move the message to the dead-letter queue of the redrive policy, with its reason.

        Raises LeaseLost, and ConfigError without one or without the right to use it; the message
        is still held then.
        """
        # Proves that the message is still ours, and holds it while it is copied.
        self.extend(message, self._visibility_timeout_s)
        self._send_dead(message, reason, post_mortem or PostMortem())
        self._delete(message)

    def _send_dead(self, message: Message, reason: str, post_mortem: PostMortem) -> None:
        policy = RedrivePolicy.of(self._calls, self._url, self._what)
        url = policy.target_url(self._calls, self._what)
        job_id = own_id(message.body) or message.original_id
        with explained(f"{self._what}: dead-letter queue {url}"):
            self._calls.send_message(
                QueueUrl=url,
                MessageBody=message.sent_body,
                MessageAttributes={
                    **dead_attributes(message, reason, post_mortem, policy),
                    **_attributes_of(message),
                },
                **fifo_fields(self._url, job_id, message.id),
            )

    def dead_letters(self) -> SqsDeadLetters:
        """Look at the dead letters; the block hides them from others for at most two minutes."""
        return SqsDeadLetters(self._calls, self._url, self._what, self._payloads)

    def counts(self) -> QueueCounts:
        """SQS's approximate counts; a dead-letter queue that may not be read counts as empty."""
        waiting, in_flight, delayed = self._numbers(self._url, *_COUNTS)
        try:
            policy = RedrivePolicy.of(self._calls, self._url, self._what)
            [dead] = self._numbers(policy.target_url(self._calls, self._what), _COUNTS[0])
        except ConfigError:
            dead = 0
        return QueueCounts(visible=waiting + delayed, in_flight=in_flight, dead=dead)

    def check(self) -> None:
        """Return if the queue can be reached; warn if it has no dead-letter queue."""
        self._numbers(self._url, *_COUNTS)
        try:
            RedrivePolicy.of(self._calls, self._url, self._what)
        except ConfigError as error:
            log.event(
                Event.CONFIG_NOTE,
                f"{error}: jobs that always fail come back forever; give it a dead-letter queue",
                level=logging.WARNING,
                queue=self.name,
            )

    def _numbers(self, url: str, *names: QueueAttributeNameType) -> list[int]:
        """Attributes that are counts, in the order of their names."""
        with explained(self._what):
            answer = self._calls.get_queue_attributes(QueueUrl=url, AttributeNames=names)
            return [int(answer["Attributes"][name]) for name in names]


def _attributes_of(message: Message) -> dict[str, Any]:
    return {} if message.pointer is None else message.pointer.attributes


def payloads_of(settings: Settings, bucket_name: str | None) -> Payloads:
    """The payloads in a configured S3 bucket. Raises ConfigError."""
    if bucket_name is None:
        return Payloads(None)
    bucket = settings.buckets[bucket_name]
    if not isinstance(bucket, S3BucketSettings):
        raise ConfigError(f"payload_bucket '{bucket_name}' is no aws/s3/bucket")
    return Payloads(open_bucket(settings, bucket_name), bucket.bucket)


_COUNTS: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def place_of(queue_url: str) -> tuple[str | None, str]:
    """Region, where the address names one, and endpoint of a queue's address.

    ``https://sqs.us-east-1.amazonaws.com/…`` and its FIPS, VPC and China forms name the region.
    """
    url = urlsplit(queue_url)
    region = re.search(r"(?:^|\.)sqs(?:-fips)?\.([a-z]+-[a-z0-9-]+)\.", url.hostname or "")
    return region and region[1], f"{url.scheme}://{url.netloc}"
