"""Payloads that SQS has no room for: kept in a bucket, with a pointer in the message's place.

The pointer has the form of Amazon's extended clients (amazon-sqs-extended-client, for Java and
Python), so that what they send can be read here and the other way round. Anybody who may send can
write one: only the bucket that is configured for the queue is looked at, and only so far.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from gpuqueue.binary import Binary
from gpuqueue.errors import ConfigError, InvalidJob, shown
from gpuqueue.storage import Storage

CLASS = "software.amazon.payloadoffloading.PayloadS3Pointer"
#: What older clients write.
LEGACY_CLASS = "com.amazon.sqs.javamessaging.MessageS3Pointer"
SIZE_ATTRIBUTE = "ExtendedPayloadSize"
PREFIX = "gpuqueue/payloads/"
#: A job is read and checked as a whole, and more than once.
MAX_PAYLOAD_BYTES = 16 << 20


@dataclass(frozen=True)
class Pointer:
    """Where a payload is, and how many bytes of UTF-8 it has, if somebody said so."""

    bucket: str
    key: str
    size: int | None = None

    def to_body(self) -> str:
        """The message's body."""
        return json.dumps([CLASS, {"s3BucketName": self.bucket, "s3Key": self.key}])

    @property
    def attributes(self) -> dict[str, Any]:
        """The message's attributes, which extended clients look at first."""
        if self.size is None:
            return {}
        return {SIZE_ATTRIBUTE: {"DataType": "Number", "StringValue": str(self.size)}}


def pointer_of(body: str, size: str | None = None) -> Pointer | None:
    """The pointer that a body is; None for any other body. `size` is the attribute's text."""
    if not body.lstrip().startswith("["):
        return None
    try:
        name, told = json.loads(body)
        if name not in (CLASS, LEGACY_CLASS):
            return None
        bucket, key = str(told["s3BucketName"]), str(told["s3Key"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Pointer(bucket, key, int(size) if size and size.isdecimal() and len(size) < 16 else None)


class Payloads:
    """The payloads of one queue in `bucket`, which Amazon calls `amazon_name`; without, none."""

    def __init__(self, bucket: Storage | None, amazon_name: str = "") -> None:
        self._bucket = bucket
        self._amazon_name = amazon_name

    @property
    def are_kept(self) -> bool:
        """Whether a bucket is configured."""
        return self._bucket is not None

    def store(self, body: str, what: str) -> Pointer:
        """Keep a body. Raises InvalidJob for one that is too large even so."""
        data = body.encode()
        if len(data) > MAX_PAYLOAD_BYTES:
            raise InvalidJob(
                f"{what}: the message has {len(data)} bytes, at most {MAX_PAYLOAD_BYTES} are kept; "
                "put large inputs into files and name them in the parameters"
            )
        key = f"{PREFIX}{uuid.uuid4()}"
        self._required(what).put(key, Binary(data, "text/plain; charset=utf-8"))
        return Pointer(self._amazon_name, key, len(data))

    def load(self, pointer: Pointer, what: str) -> str:
        """The body. Raises InvalidJob for a pointer that leads nowhere, or where it may not."""
        bucket = self._required(what)
        if pointer.bucket != self._amazon_name:
            raise InvalidJob(
                f"{what}: the payload is in bucket '{shown(pointer.bucket)}'; only its "
                f"payload_bucket, '{self._amazon_name}', is looked at"
            )
        stored = bucket.fetch(pointer.key, MAX_PAYLOAD_BYTES)
        if stored is None:
            raise InvalidJob(f"{what}: there is no payload under '{shown(pointer.key)}' (any more)")
        try:
            return stored.data.decode()
        except UnicodeDecodeError as error:
            raise InvalidJob(f"{what}: the payload is not UTF-8") from error

    def remove(self, pointer: Pointer) -> None:
        """Remove a payload whose message is gone, if it is ours."""
        if self._bucket is not None and pointer.bucket == self._amazon_name:
            self._bucket.delete(pointer.key)

    def _required(self, what: str) -> Storage:
        if self._bucket is None:
            raise ConfigError(
                f"{what}: the message points to a payload in S3; set payload_bucket to read it"
            )
        return self._bucket
