"""Amazon S3, or a server that speaks like it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Self

from botocore.exceptions import ClientError

from gpuqueue.aws import code_of, explained, s3_client
from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.config.settings import S3BucketSettings
from gpuqueue.errors import InvalidJob, TransientError
from gpuqueue.storage.base import PutOptions
from gpuqueue.storage.rules import check_key, check_options

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
        options = options or PutOptions()
        check_key(key)
        check_options(options)
        if len(binary.data) > MAX_OBJECT_BYTES:
            raise InvalidJob(f"key '{key}': {len(binary.data)} bytes; S3 takes {MAX_OBJECT_BYTES}")
        with explained(f"{self._what}, key '{key}'", _OBJECT_CODES):
            try:
                answer = self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=binary.data,
                    ContentType=binary.mime_type,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(binary.data).digest()).decode(),
                    **_fields(options),
                )
            except ClientError as error:
                advice = _ACL_ADVICE.get(code_of(error)) if options.acl else None
                if advice is None:
                    raise
                raise InvalidJob(
                    f"{self._what}, key '{key}': acl '{options.acl}' is refused: {advice}"
                ) from error
            if not answer.get("ETag"):
                raise TransientError(
                    f"{self._what}, key '{key}': the answer does not confirm the object; "
                    "check endpoint_url"
                )
        return f"s3://{self._bucket}/{key}"

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises KeyError if there are none."""
        check_key(key)
        with explained(f"{self._what}, key '{key}'"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if code_of(error) != "NoSuchKey":
                    raise
        raise KeyError(key)

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

    def delete(self, key: str) -> None:
        """Remove the object under `key`, if there is one."""
        check_key(key)
        with explained(f"{self._what}, key '{key}'"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def check(self) -> None:
        """Return if the bucket exists and may be used."""
        with explained(self._what):
            self._client.head_bucket(Bucket=self._bucket)


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
