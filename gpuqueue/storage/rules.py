"""What may be stored: one rule for every bucket, so that a job that fits one fits all."""

from __future__ import annotations

import re

from gpuqueue.errors import InvalidJob
from gpuqueue.storage.base import PutOptions

MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048

#: Amazon S3's canned ACLs for objects.
ACLS = frozenset(
    {
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    }
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_METADATA_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def check_key(key: str) -> None:
    """Raise InvalidJob unless `key` is relative, ``/``-separated and stays in its bucket."""
    if _CONTROL.search(key):
        raise InvalidJob(f"key {key!r}: control characters are not allowed")
    size = len(key.encode())
    if not 1 <= size <= MAX_KEY_BYTES:
        raise InvalidJob(f"key '{key[:80]}' has {size} bytes; allowed are 1 to {MAX_KEY_BYTES}")
    if key.startswith("/"):
        raise InvalidJob(f"key '{key}' must be relative: leave out the leading '/'")
    for part in key.split("/"):
        if part in ("", ".", ".."):
            raise InvalidJob(f"key '{key}' must not contain the part '{part}' between its '/'")


def check_prefix(prefix: str) -> None:
    """Raise InvalidJob unless `prefix` begins keys that stay in their bucket."""
    check_key(prefix.removesuffix("/"))


def check_size(key: str, size: int, max_bytes: int | None) -> None:
    """Raise InvalidJob for an object that is larger than its reader takes."""
    if max_bytes is not None and size > max_bytes:
        raise InvalidJob(f"key '{key}' has {size} bytes; at most {max_bytes} are read")


def check_options(options: PutOptions) -> None:
    """Raise InvalidJob for an option that no bucket takes."""
    if options.acl is not None and options.acl not in ACLS:
        raise InvalidJob(f"unknown acl '{options.acl}'; known: {', '.join(sorted(ACLS))}")
    for label, text in [
        ("cache_control", options.cache_control),
        ("content_disposition", options.content_disposition),
        ("storage_class", options.storage_class),
        *((f"metadata '{name}'", value) for name, value in options.metadata.items()),
    ]:
        if text is not None and not (text.isascii() and text.isprintable()):
            raise InvalidJob(f"{label} must be printable ASCII, as it travels in an HTTP header")
    for name in options.metadata:
        if not _METADATA_NAME.fullmatch(name):
            raise InvalidJob(f"metadata name '{name}': allowed are letters, digits, '_', '.', '-'")
    size = sum(len(name) + len(value) for name, value in options.metadata.items())
    if size > MAX_METADATA_BYTES:
        raise InvalidJob(f"metadata has {size} bytes, at most {MAX_METADATA_BYTES} are stored")
