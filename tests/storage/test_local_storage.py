"""The folder bucket: nothing leaves it, nothing half-written is seen in it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest

from gpuqueue.binary import Binary
from gpuqueue.errors import ConfigError, InvalidJob, TransientError
from gpuqueue.storage.local import LocalStorage

IMAGE = Binary(b"image", "image/png")


@pytest.fixture
def bucket(tmp_path: Path) -> LocalStorage:
    return LocalStorage("results", tmp_path / "bucket")


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_address_is_the_path_of_the_file(bucket: LocalStorage) -> None:
    address = bucket.put("renders/image.png", IMAGE)
    assert Path(address).read_bytes() == b"image"
    assert files_below(bucket.root) == ["renders", "renders/image.png"]


def test_a_linked_folder_is_no_way_out(bucket: LocalStorage, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"secret")
    (bucket.root / "link").symlink_to(outside)
    with pytest.raises(InvalidJob, match=r"'link/image\.png' leads through"):
        bucket.put("link/image.png", IMAGE)
    with pytest.raises(KeyError):
        bucket.get("link/secret.png")
    assert not bucket.exists("link/secret.png")
    bucket.delete("link/secret.png")
    assert files_below(outside) == ["secret.png"]


def test_a_linked_file_is_no_way_out(bucket: LocalStorage, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    (bucket.root / "link.png").symlink_to(secret)
    with pytest.raises(InvalidJob, match="symbolic link"):
        bucket.get("link.png")
    assert not bucket.exists("link.png")
    bucket.put("link.png", IMAGE)
    assert secret.read_bytes() == b"secret"
    assert bucket.get("link.png") == b"image"


@pytest.mark.timeout(20)
def test_a_pipe_is_no_object(bucket: LocalStorage) -> None:
    os.mkfifo(bucket.root / "pipe")
    assert not bucket.exists("pipe")
    with pytest.raises(KeyError):
        bucket.get("pipe")


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ("a", "a/b", "not a folder"),
        ("a/b", "a", "is the folder of other objects"),
        ("a", "b/" + "x" * 256, "too long"),
    ],
)
def test_keys_that_a_folder_cannot_hold_are_explained(
    bucket: LocalStorage, first: str, second: str, complaint: str
) -> None:
    bucket.put(first, IMAGE)
    with pytest.raises(InvalidJob, match=complaint):
        bucket.put(second, IMAGE)
    assert bucket.get(first) == b"image"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, TransientError),
        (errno.EIO, TransientError),
        (errno.EROFS, ConfigError),
        (errno.EACCES, ConfigError),
    ],
    ids=errno.errorcode.get,
)
def test_a_failed_write_keeps_the_old_object_and_leaves_nothing(
    bucket: LocalStorage, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    bucket.put("image.png", IMAGE)

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(kind, match=f"'results'.*{os.strerror(number)}"):
            bucket.put("image.png", Binary(b"new", "image/png"))
    assert bucket.get("image.png") == b"image"
    assert files_below(bucket.root) == ["image.png"]


def test_a_bucket_on_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="'results'"):
        LocalStorage("results", tmp_path / "file")


def test_a_bucket_that_went_away_is_a_configuration_error(bucket: LocalStorage) -> None:
    bucket.root.rmdir()
    for call in (bucket.check, lambda: bucket.put("image.png", IMAGE)):
        with pytest.raises(ConfigError, match="No such file"):
            call()


def test_a_check_leaves_nothing_behind(bucket: LocalStorage) -> None:
    bucket.check()
    assert files_below(bucket.root) == []


def test_no_descriptor_stays_open(bucket: LocalStorage) -> None:
    bucket.put("a/b/image.png", IMAGE)
    before = len(list(Path("/dev/fd").iterdir()))
    for key in ("a/b/image.png", "a", "a/b/image.png/c", "nowhere/image.png"):
        bucket.exists(key)
        with suppress(KeyError):
            bucket.get(key)
    bucket.put("a/b/image.png", IMAGE)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_file_that_has_the_bytes_is_not_touched(tmp_path: Path) -> None:
    storage = LocalStorage("results", tmp_path)
    path = Path(storage.put_once("a/b", IMAGE))
    before = path.stat()
    storage.put_once("a/b", IMAGE)
    assert path.stat().st_ino == before.st_ino
