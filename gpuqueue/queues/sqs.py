"""Amazon SQS, or a server that speaks like it.

A dead letter keeps its body and gets the attributes ``error``, ``job_id`` and ``host``. In a FIFO
queue each job is a message group of its own, so that several listeners can work on it.
"""

from __future__ import annotations

import json
import logging
import math
import re
import socket
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from gpuqueue.aws import explained, sqs_client
from gpuqueue.config import Settings
from gpuqueue.config.settings import SqsQueueSettings
from gpuqueue.errors import ConfigError, InvalidJob, LeaseLost
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.queues.base import Message, QueueCounts
from gpuqueue.queues.body import ATTRIBUTE_BYTES, MAX_MESSAGE_BYTES, check_body, readable

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

log = EventLogger(Category.QUEUE)

MAX_WAIT_S = 20
#: SQS ends every lease 12 hours after the receive and refuses to extend beyond; 10 s to spare.
MAX_LEASE_S = 12 * 3600 - 10
#: A long poll is answered after `MAX_WAIT_S`; everything else at once.
POLL_TIMEOUT_S = MAX_WAIT_S + 10
CALL_TIMEOUT_S = 10
MAX_REASON_BYTES = 1024

_LEASE_CODES = dict.fromkeys(
    ("MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"), LeaseLost
)
_BODY_CODES = dict.fromkeys(("InvalidMessageContents", "InvalidParameterValue"), InvalidJob)


class SqsQueue:
    """The SQS queue that `queue` describes. Its methods may be called from several threads."""

    def __init__(self, settings: Settings, queue: SqsQueueSettings) -> None:
        self.name = queue.name
        self._url = queue.queue_url
        self._is_fifo = queue.queue_url.endswith(".fifo")
        self._visibility_timeout_s = settings.queue_manager.visibility_timeout_s
        self._what = f"queue '{queue.name}' ({queue.queue_url})"
        region, endpoint_url = place_of(queue.queue_url)
        region = queue.region or region
        endpoint_url = queue.endpoint_url or settings.aws.endpoint_url or endpoint_url
        self._polls = sqs_client(settings.aws, region, endpoint_url, POLL_TIMEOUT_S)
        #: Of its own, so that a renewal never waits for a poll's connection.
        self._calls = sqs_client(settings.aws, region, endpoint_url, CALL_TIMEOUT_S)

    @classmethod
    def open(cls, settings: Settings, queue: SqsQueueSettings) -> Self:
        """Open the queue that `queue` describes. Raises ConfigError."""
        return cls(settings, queue)

    def send(self, body: str, job_id: str) -> str:
        """Send a message; SQS has stored it when this returns. The result is its MessageId."""
        check_body(body)
        with explained(self._what, _BODY_CODES):
            return self._calls.send_message(
                QueueUrl=self._url, MessageBody=body, **self._fifo_fields(job_id, job_id)
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
            )
            for message in received.get("Messages", []):
                return Message(
                    id=message["MessageId"],
                    body=message["Body"],
                    receipt=message["ReceiptHandle"],
                    receives=int(message["Attributes"]["ApproximateReceiveCount"]),
                )
        return None

    def extend(self, message: Message, timeout_s: float) -> None:
        """Hide the message for `timeout_s` seconds from now, to 12 hours after its receive."""
        self._set_visibility(message, timeout_s)

    def release(self, message: Message, delay_s: float = 0, reason: str = "") -> None:  # noqa: ARG002 (SQS keeps no word beside a message)
        """Give the message back, visible after `delay_s` seconds. Raises LeaseLost."""
        self._set_visibility(message, delay_s)

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
        with explained(f"{self._what}: message {message.id}", _LEASE_CODES):
            self._calls.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def dead_letter(self, message: Message, reason: str) -> None:
        """Move the message to the dead-letter queue of the redrive policy, with its reason.

        Raises LeaseLost, and ConfigError without one or without the right to use it; the message
        is still held then.
        """
        # Proves that the message is still ours, and holds it while it is copied.
        self.extend(message, self._visibility_timeout_s)
        self._send_dead(message, reason)
        self.delete(message)

    def _send_dead(self, message: Message, reason: str) -> None:
        url = self._dead_letter_url()
        if url is None:
            raise ConfigError(f"{self._what}: it has no redrive policy")
        job_id = _job_id_of(message)
        values = {
            "error": readable(reason, MAX_REASON_BYTES),
            "job_id": job_id,
            "host": readable(socket.gethostname(), 255),
        }
        # A message inserted by hand may fill SQS's limit; then it goes without its reason.
        fits = len(message.body.encode()) <= MAX_MESSAGE_BYTES - ATTRIBUTE_BYTES
        attributes = {name: _string(value) for name, value in values.items()} if fits else {}
        with explained(f"{self._what}: dead-letter queue {url}"):
            self._calls.send_message(
                QueueUrl=url,
                MessageBody=message.body,
                MessageAttributes=attributes,
                **self._fifo_fields(job_id, message.id),
            )

    def counts(self) -> QueueCounts:
        """SQS's approximate counts; a dead-letter queue that may not be read counts as empty."""
        waiting, in_flight, delayed = self._numbers(self._url, *_COUNTS)
        try:
            url = self._dead_letter_url()
            [dead] = [0] if url is None else self._numbers(url, _COUNTS[0])
        except ConfigError:
            dead = 0
        return QueueCounts(visible=waiting + delayed, in_flight=in_flight, dead=dead)

    def check(self) -> None:
        """Return if the queue can be reached; warn if it has no dead-letter queue."""
        self._numbers(self._url, *_COUNTS)
        if self._dead_letter_policy() is None:
            log.event(
                Event.CONFIG_NOTE,
                f"{self._what} has no redrive policy: jobs that always fail come back forever; "
                "give it a dead-letter queue",
                level=logging.WARNING,
                queue=self.name,
            )

    def _numbers(self, url: str, *names: QueueAttributeNameType) -> list[int]:
        """Attributes that are counts, in the order of their names."""
        with explained(self._what):
            answer = self._calls.get_queue_attributes(QueueUrl=url, AttributeNames=names)
            return [int(answer["Attributes"][name]) for name in names]

    def _dead_letter_policy(self) -> str | None:
        """The redrive policy, in JSON. Asked for each time: an operator may change it."""
        with explained(self._what):
            answer = self._calls.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["RedrivePolicy"]
            )
            return answer.get("Attributes", {}).get("RedrivePolicy")

    def _dead_letter_url(self) -> str | None:
        policy = self._dead_letter_policy()
        if policy is None:
            return None
        with explained(f"{self._what}: dead-letter queue of {policy}"):
            account, name = json.loads(policy)["deadLetterTargetArn"].split(":")[-2:]
            return self._calls.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)[
                "QueueUrl"
            ]

    def _fifo_fields(self, group: str, deduplication: str) -> dict[str, Any]:
        if not self._is_fifo:
            return {}
        return {"MessageGroupId": group, "MessageDeduplicationId": deduplication}


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


def _string(value: str) -> Any:
    return {"DataType": "String", "StringValue": value}


def _job_id_of(message: Message) -> str:
    """The job's id if the body names one that SQS takes everywhere, else the message's."""
    try:
        job_id = json.loads(message.body)["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return message.id
    is_usable = isinstance(job_id, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,128}", job_id)
    return str(job_id) if is_usable else message.id
