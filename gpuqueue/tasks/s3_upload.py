"""The task ``s3_upload``: put the result into a bucket, Amazon's or the embedded one.

The key is a function of the job's id, so that a second run replaces the first one's object.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from pydantic import Field

from gpuqueue.binary import MIME_TYPE, Binary
from gpuqueue.config import Settings
from gpuqueue.errors import UnknownName
from gpuqueue.storage import PutOptions, open_bucket
from gpuqueue.storage.rules import check_key, check_options
from gpuqueue.tasks.base import Place, TaskConfig, TaskContext, check_placeholders

#: Making a client of a bucket costs more than a small upload.
_open_bucket = lru_cache(maxsize=8)(open_bucket)


class S3UploadConfig(TaskConfig):
    """Configuration of ``s3_upload``."""

    stores: ClassVar[bool] = True

    bucket: str = Field(description="Name of a configured bucket (not Amazon's name).")
    key: str = Field(description="Where to store; ${message_id} and ${mime_ext} are replaced.")
    acl: str | None = Field(
        None, description="Canned ACL such as public-read; new S3 buckets refuse all of them."
    )
    content_type: str | None = Field(
        None,
        pattern=f"^{MIME_TYPE}$",
        max_length=255,
        description="Content type of the object; default: the result's MIME type.",
    )
    cache_control: str | None = Field(None, description="Cache-Control of the object.")
    content_disposition: str | None = Field(None, description="Content-Disposition of the object.")
    storage_class: str | None = Field(None, description="S3 storage class such as STANDARD_IA.")
    metadata: dict[str, str] = Field({}, description="Further metadata of the object.")

    @property
    def options(self) -> PutOptions:
        """How the object is stored."""
        return PutOptions(
            self.acl,
            self.cache_control,
            self.content_disposition,
            self.storage_class,
            self.metadata,
        )


class S3Upload:
    """Stores the result."""

    name: ClassVar[str] = "s3_upload"
    Config: ClassVar[type[TaskConfig]] = S3UploadConfig

    @staticmethod
    def check(config: S3UploadConfig, settings: Settings) -> None:
        """Check bucket, key and options. Raises InvalidJob, UnknownName."""
        if config.bucket not in settings.buckets:
            raise UnknownName("bucket", config.bucket, settings.buckets)
        check_placeholders("key", config.key)
        check_key(config.key)
        check_options(config.options)

    @staticmethod
    def run(config: S3UploadConfig, result: Binary, context: TaskContext) -> Place:
        """Store the result under its key; return where.

        A key with the job's id is the job's own: what an earlier run left there is not sent again.
        """
        key = context.substitute(config.key, result)
        binary = Binary(result.data, config.content_type or result.mime_type)
        bucket = _open_bucket(context.settings, config.bucket)
        put = bucket.put_once if "${message_id}" in config.key else bucket.put
        address = put(key, binary, config.options)
        return Place(config.bucket, key, address)
