"""Storage modules: Amazon S3, and a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuqueue.errors import UnknownName
from gpuqueue.registry import Registry
from gpuqueue.storage.base import PutOptions, Storage, Stored

if TYPE_CHECKING:
    from gpuqueue.config import Settings
    from gpuqueue.config.settings import LocalBucketSettings, S3BucketSettings

__all__ = ["STORAGES", "PutOptions", "Storage", "Stored", "open_bucket"]

STORAGES: Registry[type[Storage]] = Registry(
    "storage module",
    local="gpuqueue.storage.local:LocalStorage",
    s3="gpuqueue.storage.s3:S3Storage",
)


def open_bucket(settings: Settings, name: str) -> Storage:
    """Open the bucket configured under `name`. Raises UnknownName."""
    buckets: dict[str, LocalBucketSettings | S3BucketSettings] = settings.buckets
    if name not in buckets:
        raise UnknownName("bucket", name, buckets)
    module = STORAGES.load(buckets[name].module)
    return module.open(settings, buckets[name])  # type: ignore[attr-defined,no-any-return]
