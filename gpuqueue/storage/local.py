"""A folder used as a bucket: an object is a file, its key the path below the folder.

Every step from the folder to the file refuses symbolic links, so no key leads outside even if
somebody plants one while a job runs.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import heapq
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.config.settings import LocalBucketSettings
from gpuqueue.errors import ConfigError, InvalidJob, TransientError
from gpuqueue.storage.base import PutOptions, Stored
from gpuqueue.storage.rules import check_key, check_options, check_prefix, check_size

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
#: Names that are ours begin so, and are no objects.
_OURS = ".gpuqueue-"
_LOCK = f"{_OURS}lock"

#: What an error of the file system says about the key, not about the bucket.
_KEY_ERRORS = {
    errno.ELOOP: "leads through a symbolic link",
    errno.ENOTDIR: "leads through an object or a symbolic link, not a folder",
    errno.EISDIR: "is the folder of other objects",
    errno.EEXIST: "is the folder of other objects",
    errno.ENOTEMPTY: "is the folder of other objects",
    errno.ENAMETOOLONG: "has a part that is too long for a file name",
}
_BUCKET_ERRORS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT}


class LocalStorage:
    """The bucket `name` in the folder `root`, which is made if it does not exist."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root.absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise ConfigError(
                f"bucket '{name}' ({root}): it is a file, expected a folder"
            ) from None
        except OSError as error:
            raise ConfigError(f"bucket '{name}' ({root}): {error.strerror}") from error

    @classmethod
    def open(cls, settings: Settings, bucket: LocalBucketSettings) -> Self:  # noqa: ARG003 (every module's signature)
        """Open the bucket that `bucket` describes. Raises ConfigError."""
        return cls(bucket.name, bucket.path)

    def put(self, key: str, binary: Binary, options: PutOptions | None = None) -> str:
        """Write the file whole or not at all, onto the disk; return its path.

        A folder has no use for the options, but refuses those that no bucket takes.
        """
        check_options(options or PutOptions())
        with self._folder_of(key, make=True) as (folder, file):
            _write(folder, file, binary.data)
        return str(self.root / key)

    def put_once(self, key: str, binary: Binary, options: PutOptions | None = None) -> str:
        """Write the file unless it has these bytes; return its path."""
        there = self.fetch(key)
        if there is not None and there.data == binary.data:
            return str(self.root / key)
        return self.put(key, binary, options)

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises KeyError if there are none."""
        try:
            with self._folder_of(key) as (folder, file):
                return _read(folder, file)
        except FileNotFoundError:
            raise KeyError(key) from None

    def fetch(self, key: str, max_bytes: int | None = None) -> Stored | None:
        """The bytes under `key` with their SHA-256 as the tag; None if there are none."""
        try:
            data = self.get(key)
        except KeyError:
            return None
        check_size(key, len(data), max_bytes)
        return Stored(data, _tag(data))

    def swap(self, key: str, binary: Binary, expected: str | None) -> str | None:
        """Store the bytes if the file there is the expected one; see `Storage.swap`.

        One swap at a time in the whole bucket, of all processes; `put` does not wait for it.
        """
        with self._alone():
            there = self.fetch(key)
            if (None if there is None else there.tag) != expected:
                return None
            self.put(key, binary)
        return _tag(binary.data)

    def keys(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """The first keys that begin with `prefix`, behind `after`: all are looked at."""
        check_prefix(prefix)
        folder = prefix.rpartition("/")[0]
        found = (
            key
            for key in _files_below(self.root, folder)
            if key.startswith(prefix) and key.encode() > after.encode()
        )
        return heapq.nsmallest(limit, found, key=str.encode)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of the bucket, which goes with the process that holds it."""
        with self._explained(_LOCK), self._root() as root:
            descriptor = os.open(_LOCK, _LOCK_FLAGS, 0o600, dir_fd=root)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        try:
            with self._folder_of(key) as (folder, file):
                mode = os.stat(file, dir_fd=folder, follow_symlinks=False).st_mode
                return stat.S_ISREG(mode)
        except FileNotFoundError:
            return False

    def link(self, key: str, valid_s: int) -> str:  # noqa: ARG002 (a file has no such bound)
        """The file's own URL, for whoever may read it."""
        check_key(key)
        return (self.root / key).as_uri()

    def delete(self, key: str) -> None:
        """Remove the object under `key`, if there is one."""
        if self.exists(key):
            with suppress(FileNotFoundError), self._folder_of(key) as (folder, file):
                os.unlink(file, dir_fd=folder)

    def check(self) -> None:
        """Return if the folder can be written. Raises ConfigError, TransientError."""
        with self._explained("check"), self._root() as root:
            name = _temporary_name()
            os.close(os.open(name, _CREATE, 0o600, dir_fd=root))
            os.unlink(name, dir_fd=root)

    @contextmanager
    def _root(self) -> Iterator[int]:
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _folder_of(self, key: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """Descriptor of the folder that holds the object, and the file's name in it.

        Raises FileNotFoundError if there is no such folder and it is not to be made.
        """
        check_key(key)
        *parents, file = key.split("/")
        with self._explained(key, writes=make), self._root() as root:
            descriptor = os.dup(root)
            try:
                for part in parents:
                    if make:
                        _make_folder(descriptor, part)
                    below = os.open(part, _FOLDER, dir_fd=descriptor)
                    os.close(descriptor)
                    descriptor = below
                yield descriptor, file
            finally:
                os.close(descriptor)

    @contextmanager
    def _explained(self, key: str, writes: bool = True) -> Iterator[None]:
        """Turn an error of the file system into one of ours.

        A reader of what is not there gets FileNotFoundError.
        """
        try:
            yield
        except OSError as error:
            if not writes and error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise FileNotFoundError(key) from error
            what = f"bucket '{self.name}' ({self.root})"
            if error.errno in _KEY_ERRORS:
                reason = _KEY_ERRORS[error.errno]
                raise InvalidJob(f"{what}: key '{key}' {reason}") from error
            kind = ConfigError if error.errno in _BUCKET_ERRORS else TransientError
            raise kind(f"{what}: {error.strerror}") from error


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _files_below(root: Path, folder: str) -> Iterator[str]:
    """Keys of the objects in a folder of the bucket and in those below it, links left out."""
    if (root / folder).resolve() != root.resolve() / folder:
        return
    for path, _, names in os.walk(root / folder):
        below = Path(path).relative_to(root).as_posix().removeprefix(".")
        for name in names:
            if not name.startswith(_OURS) and not Path(path, name).is_symlink():
                yield f"{below}/{name}" if below else name


def _temporary_name() -> str:
    return f"{_OURS}{uuid.uuid4().hex}.part"


def _make_folder(parent: int, name: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        os.fsync(parent)


def _read(folder: int, file: str) -> bytes:
    """The bytes of a regular file; anything else counts as not there."""
    descriptor = os.open(file, _READ, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(descriptor)


def _write(folder: int, file: str, data: bytes) -> None:
    """Put `data` into `file` by way of a temporary file in the same folder."""
    temporary = _temporary_name()
    descriptor = os.open(temporary, _CREATE, 0o644, dir_fd=folder)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123 (a descriptor)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, file, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
