"""What every bucket promises: objects written whole, under keys that stay inside it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from gpuqueue.binary import Binary
from gpuqueue.errors import InvalidJob
from gpuqueue.storage import PutOptions, Storage
from gpuqueue.storage.rules import ACLS

HOSTILE_KEYS = [
    "",
    "/etc/passwd",
    "../outside.png",
    "renders/../../outside.png",
    "renders/./image.png",
    "renders//image.png",
    "renders/",
    "..",
    ".",
    "nul\x00.png",
    "line\n.png",
    "delete\x7f.png",
    "lone \ud800.png",
    "x" * 1025,
    "ü" * 513,
]


def png(data: bytes = b"\x89PNG") -> Binary:
    return Binary(data, "image/png")


def test_an_object_comes_back_as_it_was_put(storage: Storage) -> None:
    data = bytes(range(256)) * 1000
    address = storage.put("renders/meyemII-1.png", png(data))
    assert storage.get("renders/meyemII-1.png") == data
    assert address.endswith("/renders/meyemII-1.png")


def test_an_empty_object_is_an_object(storage: Storage) -> None:
    storage.put("empty.bin", Binary(b"", "application/octet-stream"))
    assert storage.exists("empty.bin")
    assert storage.get("empty.bin") == b""


def test_putting_twice_leaves_the_second(storage: Storage) -> None:
    storage.put("image.png", png(b"first, and longer"))
    storage.put("image.png", png(b"second"))
    assert storage.get("image.png") == b"second"


@pytest.mark.parametrize(
    "key", ["a/b/c/d.png", "mit Leerzeichen/Zürich 東京.png", "..hidden/..png"]
)
def test_unusual_keys_that_stay_inside_are_fine(storage: Storage, key: str) -> None:
    assert not storage.exists(key)
    storage.put(key, png())
    assert storage.exists(key)
    assert storage.get(key) == b"\x89PNG"


def test_a_missing_object_is_a_key_error(storage: Storage) -> None:
    storage.put("folder/image.png", png())
    for key in ("nothing.png", "nowhere/image.png", "folder", "folder/image.png/below"):
        assert not storage.exists(key)
        with pytest.raises(KeyError, match=key):
            storage.get(key)


def test_a_deleted_object_is_gone_and_deleting_it_again_is_harmless(storage: Storage) -> None:
    storage.put("folder/image.png", png())
    for key in ("folder/image.png", "folder/image.png", "folder", "nowhere/image.png"):
        storage.delete(key)
    assert not storage.exists("folder/image.png")


def test_what_is_fetched_carries_a_tag_of_its_content(storage: Storage) -> None:
    assert storage.fetch("record.json") is None
    storage.put("record.json", png(b"one"))
    first = storage.fetch("record.json")
    assert first is not None
    assert first.data == b"one"
    assert storage.fetch("record.json") == first
    storage.put("record.json", png(b"two"))
    second = storage.fetch("record.json")
    assert second is not None
    assert second.tag != first.tag


def test_a_swap_succeeds_only_in_place_of_what_was_expected(storage: Storage) -> None:
    tag = storage.swap("jobs/1.json", png(b"one"), None)
    assert tag is not None
    assert storage.swap("jobs/1.json", png(b"late"), None) is None
    assert storage.get("jobs/1.json") == b"one"
    newer = storage.swap("jobs/1.json", png(b"two"), tag)
    assert newer is not None
    assert storage.swap("jobs/1.json", png(b"late"), tag) is None
    fetched = storage.fetch("jobs/1.json")
    assert fetched is not None
    assert (fetched.data, fetched.tag) == (b"two", newer)


def test_a_swap_of_what_was_deleted_does_not_bring_it_back(storage: Storage) -> None:
    tag = storage.swap("jobs/1.json", png(b"one"), None)
    storage.delete("jobs/1.json")
    assert storage.swap("jobs/1.json", png(b"two"), tag) is None
    assert not storage.exists("jobs/1.json")


def test_of_many_swaps_at_once_each_sees_the_one_before(storage: Storage) -> None:
    def count_up(_: int) -> None:
        while True:
            there = storage.fetch("count")
            number = int(there.data) if there else 0
            new = png(str(number + 1).encode())
            if storage.swap("count", new, there.tag if there else None):
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(20)))
    assert storage.get("count") == b"20"


def test_keys_are_listed_by_prefix_in_order_of_their_bytes(storage: Storage) -> None:
    keys = ["jobs/10.json", "jobs/2/a.json", "jobs/2.json", "jobs/ü.json", "jobs2.json", "other"]
    for key in reversed(keys):
        storage.put(key, png())
    wanted = ["jobs/10.json", "jobs/2.json", "jobs/2/a.json", "jobs/ü.json"]
    assert storage.keys("jobs/", 10) == wanted
    assert storage.keys("jobs/", 2) == wanted[:2]
    assert storage.keys("jobs/", 10, after="jobs/2.json") == wanted[2:]
    assert storage.keys("jobs/2", 10) == wanted[1:3]
    assert storage.keys("nothing/", 10) == []


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_a_hostile_key_is_refused_by_every_verb(storage: Storage, key: str) -> None:
    for call in (
        lambda: storage.put(key, png()),
        lambda: storage.get(key),
        lambda: storage.exists(key),
        lambda: storage.delete(key),
        lambda: storage.fetch(key),
        lambda: storage.swap(key, png(), None),
    ):
        with pytest.raises(InvalidJob, match="key"):
            call()


@pytest.mark.parametrize("acl", sorted(ACLS))
def test_every_known_acl_is_accepted(storage: Storage, acl: str) -> None:
    storage.put("image.png", png(), PutOptions(acl=acl))
    assert storage.exists("image.png")


def test_options_are_accepted(storage: Storage) -> None:
    options = PutOptions(
        cache_control="max-age=60",
        content_disposition='attachment; filename="image.png"',
        storage_class="STANDARD_IA",
        metadata={"job-id": "1", "samples": "64"},
    )
    storage.put("image.png", png(), options)
    assert storage.get("image.png") == b"\x89PNG"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (PutOptions(acl="public"), "unknown acl 'public'; known: .*public-read"),
        (PutOptions(cache_control="a\nSet-Cookie: b"), "cache_control must be printable"),
        (PutOptions(content_disposition="Zürich"), "content_disposition must be printable"),
        (PutOptions(storage_class="\x00"), "storage_class must be printable"),
        (PutOptions(metadata={"a b": "c"}), "metadata name 'a b'"),
        (PutOptions(metadata={"a": "ü"}), "metadata 'a' must be printable"),
        (PutOptions(metadata={"a": "b" * 2048}), "at most 2048"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_option_that_no_bucket_takes_is_refused(
    storage: Storage, options: PutOptions, complaint: str
) -> None:
    with pytest.raises(InvalidJob, match=complaint):
        storage.put("image.png", png(), options)
    assert not storage.exists("image.png")


def test_of_several_writers_at_once_one_wins_whole(storage: Storage) -> None:
    candidates = [os.urandom(100_000) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for _ in pool.map(lambda data: storage.put("a/b/image.png", png(data)), candidates):
            assert storage.get("a/b/image.png") in candidates


def test_a_usable_bucket_passes_its_check(storage: Storage) -> None:
    storage.check()


def test_a_link_leads_to_the_object_without_a_word_of_who_one_is(storage: Storage) -> None:
    storage.put("a/b c.txt", Binary(b"content", "text/plain"))
    link = storage.link("a/b c.txt", 3600)
    with urlopen(link) as answer:
        assert answer.read() == b"content"
    with pytest.raises(InvalidJob):
        storage.link("../x", 3600)


def test_what_is_there_already_is_not_stored_again_and_something_else_replaces_it(
    storage: Storage,
) -> None:
    first, other = Binary(b"first", "text/plain"), Binary(b"other", "text/plain")
    where = storage.put_once("jobs/1.txt", first)
    assert storage.put_once("jobs/1.txt", first) == where
    assert storage.get("jobs/1.txt") == b"first"
    assert storage.put_once("jobs/1.txt", other) == where
    assert storage.get("jobs/1.txt") == b"other"
    with pytest.raises(InvalidJob):
        storage.put_once("../x", first)
