"""What a storage module provides: objects under keys, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gpuqueue.binary import Binary


@dataclass(frozen=True)
class PutOptions:
    """How an object is stored. What a module has no use for, it ignores."""

    acl: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    storage_class: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """An object as it was read. The tag names this content: a later one has another."""

    data: bytes = field(repr=False)
    tag: str


class Storage(Protocol):
    """A named bucket.

    Every verb raises TransientError when the service cannot be reached, ConfigError when the
    bucket does not exist or may not be used, and InvalidJob for a key or option it refuses.
    Keys are relative, ``/``-separated and may not leave the bucket.
    """

    name: str

    def put(self, key: str, binary: Binary, options: PutOptions | None = None) -> str:
        """Store the bytes under `key`, atomically, replacing what was there; return its address."""

    def put_once(self, key: str, binary: Binary, options: PutOptions | None = None) -> str:
        """As `put`, under a key that is one job's own: what is there already is not sent again.

        So of a job that is delivered twice the second result, the same to the bit, changes nothing;
        another one replaces it.
        """

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises KeyError if there are none."""

    def fetch(self, key: str, max_bytes: int | None = None) -> Stored | None:
        """The object under `key` with its tag; None if there is none.

        Raises InvalidJob for one of more than `max_bytes`, and does not read it.
        """

    def swap(self, key: str, binary: Binary, expected: str | None) -> str | None:
        """Store the bytes only in place of the object with the tag `expected`; None: of no object.

        Return the new tag, or None if something else is stored by now: of several that swap the
        same object one wins.
        """

    def keys(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """The first `limit` keys that begin with `prefix` and sort behind `after`, sorted.

        Keys sort by their UTF-8 bytes. `prefix` follows the rules of a key, but may end in ``/``.
        """

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""

    def link(self, key: str, valid_s: int) -> str:
        """A URL at which whoever has it may read the object for so long, 7 days at most.

        Of a folder it is a ``file:`` URL, good on this machine alone and for ever.
        """

    def delete(self, key: str) -> None:
        """Remove the object under `key`, if there is one."""

    def check(self) -> None:
        """Return if the bucket can be reached and used; raise as every verb does if not."""
