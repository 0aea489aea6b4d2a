"""Amazon S3, or a server that speaks like it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from gpuqueue.aws import code_of, explained, s3_client
from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.config.settings import S3BucketSettings
from gpuqueue.errors import InvalidJob, TransientError
from gpuqueue.storage.base import PutOptions, Stored
from gpuqueue.storage.rules import check_key, check_options, check_prefix, check_size

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, PutObjectOutputTypeDef

#: PutObject's limit; larger objects need a multipart upload.
MAX_OBJECT_BYTES = 5 << 30

#: Refusals that say something about the object; all others are about the bucket or our rights.
_OBJECT_CODES = dict.fromkeys(
    [
        "AccessControlListNotSupported",
        "EntityTooLarge",
        "InvalidArgument",
        "InvalidRequest",
        "InvalidStorageClass",
        "InvalidURI",
        "KeyTooLongError",
        "MalformedACLError",
        "MetadataTooLarge",
    ],
    InvalidJob,
)
#: The answers of a conditional PutObject whose condition does not hold (any more).
_NOT_AS_EXPECTED = {"ConditionalRequestConflict", "NoSuchKey", "PreconditionFailed"}
_ACL_ADVICE = {
    "AccessControlListNotSupported": (
        "the bucket has access control lists switched off, as new buckets have; leave 'acl' out "
        "of the task, and open the objects by a bucket policy, a CloudFront distribution or "
        "presigned URLs (or set the bucket's object ownership to BucketOwnerPreferred)"
    ),
    "AccessDenied": (
        "an 'acl' needs the permission s3:PutObjectAcl, and the bucket's public access block must "
        "allow public ones; leave 'acl' out of the task, or change the bucket"
    ),
}


class S3Storage:
    """The bucket that `bucket` describes. Its methods may be called from several threads."""

    def __init__(self, settings: Settings, bucket: S3BucketSettings) -> None:
        self.name = bucket.name
        self._bucket = bucket.bucket
        self._what = f"bucket '{bucket.name}' (s3://{bucket.bucket})"
        self._client = s3_client(
            settings.aws,
            bucket.region,
            bucket.endpoint_url or settings.aws.endpoint_url,
            path_style=bucket.path_style,
        )

    @classmethod
    def open(cls, settings: Settings, bucket: S3BucketSettings) -> Self:
        """Open the bucket that `bucket` describes. Raises ConfigError."""
        return cls(settings, bucket)

    def put(self, key: str, binary: Binary, options: PutOptions | None = None) -> str:
        """Store the bytes, checked on arrival by their SHA-256; return ``s3://bucket/key``.

        An `acl` that the bucket refuses is an InvalidJob that says what to do instead.
        """
        self._put_unless(key, binary, options or PutOptions(), {})
        return f"s3://{self._bucket}/{key}"

    def put_once(self, key: str, binary: Binary, options: PutOptions | None = None) -> str:
        """As `put`, by a conditional PutObject; where the store knows none, by a plain one."""
        is_new = self._put_unless(key, binary, options or PutOptions(), {"IfNoneMatch": "*"})
        if not is_new and not self._holds(key, binary):
            return self.put(key, binary, options)
        return f"s3://{self._bucket}/{key}"

    def _put_unless(
        self, key: str, binary: Binary, options: PutOptions, condition: dict[str, str]
    ) -> bool:
        """Whether the object was stored; not if the condition does not hold, or is not known."""
        check_key(key)
        check_options(options)
        where = f"{self._what}, key '{key}'"
        if len(binary.data) > MAX_OBJECT_BYTES:
            raise InvalidJob(f"key '{key}': {len(binary.data)} bytes; S3 takes {MAX_OBJECT_BYTES}")
        try:
            answer = self._put(key, binary, {**_fields(options), **condition})
        except ClientError as error:
            if condition and code_of(error) in {*_NOT_AS_EXPECTED, "NotImplemented"}:
                return False
            advice = _ACL_ADVICE.get(code_of(error)) if options.acl else None
            if advice is not None:
                raise InvalidJob(f"{where}: acl '{options.acl}' is refused: {advice}") from error
            with explained(where, _OBJECT_CODES):
                raise
        if not self._is_as_sent(key, binary, answer):
            raise TransientError(f"{where}: the store does not have the bytes that were sent")
        return True

    def _is_as_sent(self, key: str, binary: Binary, answer: PutObjectOutputTypeDef) -> bool:
        """Whether the store has what was put, by what it says; what it does not say is believed."""
        if "ChecksumSHA256" in answer:
            return answer["ChecksumSHA256"] == _sha256(binary)
        told = self._head(key)
        if told is None or told.get("ETag") != answer["ETag"]:
            return True  # it does not say, or somebody has put another object there since
        checksum = told.get("ChecksumSHA256", _sha256(binary))
        return (told["ContentLength"], checksum) == (len(binary.data), _sha256(binary))

    def _holds(self, key: str, binary: Binary) -> bool:
        """Whether the object there is known to have this size, type and SHA-256."""
        told = self._head(key)
        return told is not None and (
            told["ContentLength"],
            told["ContentType"],
            told.get("ChecksumSHA256"),
        ) == (len(binary.data), binary.mime_type, _sha256(binary))

    def _head(self, key: str) -> HeadObjectOutputTypeDef | None:
        """What the store says of an object; None if it does not, as where we may not ask."""
        with explained(f"{self._what}, key '{key}'", _OBJECT_CODES):
            try:
                return self._client.head_object(
                    Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
                )
            except ClientError as error:
                if error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= 500:
                    raise
        return None

    def _put(self, key: str, binary: Binary, fields: Mapping[str, Any]) -> PutObjectOutputTypeDef:
        """The answer, with the new object's tag.

        Raises ClientError as it comes, any other error as one of ours.
        """
        refused: ClientError | None = None
        with explained(f"{self._what}, key '{key}'", _OBJECT_CODES):
            try:
                answer = self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=binary.data,
                    ContentType=binary.mime_type,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=_sha256(binary),
                    **fields,
                )
            except ClientError as error:
                refused = error
            else:
                if answer.get("ETag"):
                    return answer
                raise TransientError(
                    f"{self._what}, key '{key}': the answer does not confirm the object; "
                    "check endpoint_url"
                )
        raise refused

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises KeyError if there are none."""
        stored = self.fetch(key)
        if stored is None:
            raise KeyError(key)
        return stored.data

    def fetch(self, key: str, max_bytes: int | None = None) -> Stored | None:
        """The object under `key` with its ETag; None if there is none."""
        check_key(key)
        with explained(f"{self._what}, key '{key}'"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                with closing(answer["Body"]) as body:
                    check_size(key, answer["ContentLength"], max_bytes)
                    return Stored(body.read(), answer["ETag"])
            except ClientError as error:
                if code_of(error) != "NoSuchKey":
                    raise
        return None

    def swap(self, key: str, binary: Binary, expected: str | None) -> str | None:
        """Store the bytes by a conditional PutObject; see `Storage.swap`."""
        check_key(key)
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        try:
            return self._put(key, binary, condition)["ETag"]
        except ClientError as error:
            if code_of(error) in _NOT_AS_EXPECTED:
                return None
            with explained(f"{self._what}, key '{key}'", _OBJECT_CODES):
                raise

    def keys(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """The first keys that begin with `prefix`, behind `after`."""
        check_prefix(prefix)
        found: list[str] = []
        with explained(f"{self._what}, keys of '{prefix}'"):
            while len(found) < limit:
                answer = self._client.list_objects_v2(
                    Bucket=self._bucket,
                    Prefix=prefix,
                    StartAfter=found[-1] if found else after,
                    MaxKeys=min(1000, limit - len(found)),
                )
                found += [item["Key"] for item in answer.get("Contents", [])]
                if not answer.get("IsTruncated"):
                    break
        return found

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        check_key(key)
        with explained(f"{self._what}, key '{key}'"):
            try:
                self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) not in ("404", "NoSuchKey", "NotFound"):
                    raise
            else:
                return True
        self.check()  # a bucket that is not there answers as a key that is not there
        return False

    def link(self, key: str, valid_s: int) -> str:
        """A presigned URL: made here, without a call; it ends early if our credentials do."""
        check_key(key)
        with explained(f"{self._what}, key '{key}'"):
            return self._client.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=valid_s
            )

    def delete(self, key: str) -> None:
        """Remove the object under `key`, if there is one."""
        check_key(key)
        with explained(f"{self._what}, key '{key}'"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def check(self) -> None:
        """Return if the bucket exists and may be used."""
        with explained(self._what):
            self._client.head_bucket(Bucket=self._bucket)


def _sha256(binary: Binary) -> str:
    return base64.b64encode(hashlib.sha256(binary.data).digest()).decode()


def _fields(options: PutOptions) -> dict[str, Any]:
    """The options as PutObject names them, without those that are not given."""
    fields = {
        "ACL": options.acl,
        "CacheControl": options.cache_control,
        "ContentDisposition": options.content_disposition,
        "StorageClass": options.storage_class,
        "Metadata": dict(options.metadata),
    }
    return {name: value for name, value in fields.items() if value}
