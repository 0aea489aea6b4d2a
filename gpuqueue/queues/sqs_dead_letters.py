"""The dead letters of an SQS queue: messages of the queue that its redrive policy names.

A listener sends them there with the attributes ``error``, ``job_id``, ``host``, ``receives``,
``source``, ``error_class``, ``place``, ``attempts`` and ``log``, nine of the ten that SQS allows;
the policy moves them as they are. SQS can only receive: what is looked at is hidden
for a while, and given back at the end. One dead-letter queue may serve several queues; what came
from another one is left alone.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from gpuqueue.aws import explained
from gpuqueue.errors import ConfigError, GpuqueueError, LeaseLost
from gpuqueue.queues.base import Message
from gpuqueue.queues.body import ATTRIBUTE_BYTES, MAX_MESSAGE_BYTES, readable
from gpuqueue.queues.dead_letters import DeadLetter
from gpuqueue.queues.payloads import SIZE_ATTRIBUTE, Payloads, pointer_of
from gpuqueue.queues.post_mortem import PostMortem

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MAX_REASON_BYTES = 1024
#: How long a looked-at letter stays hidden if the one who looks dies.
HOLD_S = 120
#: A long poll asks all of SQS's servers, a short one only some.
WAIT_S = 1
BATCH = 10


@dataclass(frozen=True)
class RedrivePolicy:
    """Where a queue's dead letters go: its own name at Amazon (ARN), theirs, and the limit."""

    source: str
    target: str
    max_receives: int

    @classmethod
    def of(cls, client: SQSClient, url: str, what: str) -> RedrivePolicy:
        """Ask the queue, each time: an operator may change it. Raises ConfigError if it has none.

        Amazon needs a right to tell, ``sqs:GetQueueAttributes``.
        """
        with explained(what):
            answer = client.get_queue_attributes(
                QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"]
            )
            attributes = answer.get("Attributes", {})
            if "RedrivePolicy" not in attributes:
                raise ConfigError(f"{what}: it has no redrive policy, so no dead-letter queue")
            policy = json.loads(attributes["RedrivePolicy"])
            return cls(
                attributes["QueueArn"],
                policy["deadLetterTargetArn"],
                int(policy["maxReceiveCount"]),
            )

    def target_url(self, client: SQSClient, what: str) -> str:
        """The address of the dead-letter queue."""
        with explained(f"{what}: dead-letter queue {self.target}"):
            account, name = self.target.split(":")[-2:]
            return client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]


def dead_attributes(
    message: Message, reason: str, post_mortem: PostMortem, policy: RedrivePolicy
) -> dict[str, Any]:
    """The attributes of a new dead letter: why, which job, where, how often tried, whose."""
    # A message inserted by hand may fill SQS's limit; then it goes without its reason.
    if len(message.sent_body.encode()) > MAX_MESSAGE_BYTES - ATTRIBUTE_BYTES:
        return {}
    values = {
        "error": readable(reason, MAX_REASON_BYTES),
        "job_id": own_id(message.body) or message.original_id,
        "host": readable(socket.gethostname(), 255),
        "receives": str(message.receives),
        "source": policy.source,
    }
    known = post_mortem.bounded()
    values |= {
        "error_class": known.error or "",
        "place": known.place or "",
        "attempts": json.dumps(known.attempts) if known.attempts else "",
        "log": "\n".join(known.log),
    }
    # SQS refuses empty ones.
    return {name: _string(value) for name, value in values.items() if value}


class SqsDeadLetters:
    """Looks at the dead letters of the queue at `url`; `what` names it in errors."""

    def __init__(self, client: SQSClient, url: str, what: str, payloads: Payloads) -> None:
        self._client = client
        self._payloads = payloads
        self._url = url
        self._policy = RedrivePolicy.of(client, url, what)
        self._dead_url = self._policy.target_url(client, what)
        self._what = f"{what}: dead-letter queue {self._dead_url}"
        #: Receipts of what is hidden now, by the queue's own ids.
        self._held: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Show again what was looked at; if that fails, it shows by itself after a while."""
        receipts = iter(self._held.values())
        with contextlib.suppress(GpuqueueError), explained(self._what):
            while batch := list(islice(receipts, BATCH)):
                self._client.change_message_visibility_batch(
                    QueueUrl=self._dead_url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                        for number, receipt in enumerate(batch)
                    ],
                )

    def __iter__(self) -> Iterator[DeadLetter]:
        seen: set[str] = set()
        # In a long look the first ones show again: a batch of nothing new is the end.
        while new := {m["MessageId"]: m for m in self._receive() if m["MessageId"] not in seen}:
            seen |= set(new)
            for message in new.values():
                if source_of(message) in (None, self._policy.source):
                    yield self._letter(message)

    def _receive(self) -> list[MessageTypeDef]:
        with explained(self._what):
            received = self._client.receive_message(
                QueueUrl=self._dead_url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=WAIT_S,
                VisibilityTimeout=HOLD_S,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=[
                    "ApproximateReceiveCount",
                    "SentTimestamp",
                    "DeadLetterQueueSourceArn",
                ],
            ).get("Messages", [])
            self._held.update({m["MessageId"]: m["ReceiptHandle"] for m in received})
            return received

    def _letter(self, message: MessageTypeDef) -> DeadLetter:
        reason = attribute(message, "error")
        sent_at = int(message["Attributes"]["SentTimestamp"]) / 1000
        told = attribute(message, "receives") or ""
        # Each look counts as a receive, so the policy's limit is all that is known.
        counted = min(
            int(message["Attributes"]["ApproximateReceiveCount"]) - 1, self._policy.max_receives
        )
        return DeadLetter(
            id=message["MessageId"],
            job_id=own_id(message["Body"]) or named_id(message) or message["MessageId"],
            body=message["Body"],
            reason=reason,
            receives=int(told) if re.fullmatch("[0-9]{1,9}", told) else counted,
            # The policy keeps the time of the send; a listener sends anew.
            sent_at=sent_at if reason is None else None,
            died_at=None if reason is None else sent_at,
            pointer=pointer_of(message["Body"], attribute(message, SIZE_ATTRIBUTE)),
            post_mortem=_post_mortem(message),
        )

    def redrive(self, letter: DeadLetter) -> None:
        """Send the body to the queue, then delete the letter."""
        with explained(self._what):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=letter.body,
                MessageAttributes={
                    **(identity(letter.body, letter.job_id) or {}),
                    **(letter.pointer.attributes if letter.pointer else {}),
                },
                # Not the job's id: within five minutes of its send SQS would drop the copy.
                **fifo_fields(self._url, letter.job_id, letter.id),
            )
        self._delete(letter)

    def discard(self, letter: DeadLetter) -> None:
        """Delete the letter, and the payload that it points to."""
        self._delete(letter)
        if letter.pointer is not None:
            with contextlib.suppress(GpuqueueError):
                self._payloads.remove(letter.pointer)

    def _delete(self, letter: DeadLetter) -> None:
        receipt = self._held.pop(letter.id)
        codes = dict.fromkeys(("ReceiptHandleIsInvalid", "InvalidParameterValue"), LeaseLost)
        with explained(f"{self._what}: message {letter.id}", codes):
            self._client.delete_message(QueueUrl=self._dead_url, ReceiptHandle=receipt)


def identity(body: str, job_id: str) -> dict[str, Any] | None:
    """Attributes of a copy, which Amazon gives a new id, that keep the job's.

    None if the body names no id and leaves no room for one.
    """
    if own_id(body) is not None:
        return {}
    if len(body.encode()) > MAX_MESSAGE_BYTES - 256:
        return None
    return {"job_id": _string(job_id)}


def fifo_fields(url: str, group: str, deduplication: str) -> dict[str, Any]:
    """What a FIFO queue needs besides, so that jobs do not wait for each other."""
    if not url.endswith(".fifo"):
        return {}
    return {"MessageGroupId": group, "MessageDeduplicationId": deduplication}


def source_of(message: MessageTypeDef) -> str | None:
    """The queue that a dead letter came from, if anybody says."""
    by_policy = message["Attributes"].get("DeadLetterQueueSourceArn")
    return by_policy or attribute(message, "source")


def attribute(message: MessageTypeDef, name: str) -> str | None:
    """A message's attribute, if it has it as text."""
    attributes = message.get("MessageAttributes", {})
    return attributes[name].get("StringValue") if name in attributes else None


def _post_mortem(message: MessageTypeDef) -> PostMortem:
    return PostMortem.told(
        error=attribute(message, "error_class"),
        place=attribute(message, "place"),
        attempts=attribute(message, "attempts"),
        log=(attribute(message, "log") or "").splitlines(),
    )


def named_id(message: MessageTypeDef) -> str | None:
    """The job's id that the attribute ``job_id`` gives, if it can be one."""
    return _usable(attribute(message, "job_id"))


def own_id(body: str) -> str | None:
    """The id of the job in a body, if that names one that SQS takes everywhere."""
    try:
        return _usable(json.loads(body)["id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _usable(job_id: object) -> str | None:
    is_usable = isinstance(job_id, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,128}", job_id)
    return str(job_id) if is_usable else None


def _string(value: str) -> Any:
    return {"DataType": "String", "StringValue": value}
