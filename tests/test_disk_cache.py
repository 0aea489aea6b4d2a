"""Where what is dear to make is kept, and where it is not."""

import tempfile
from pathlib import Path

import pytest

from gpuqueue.disk_cache import cache_folder, write_whole


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_each_kind_has_a_folder_of_this_user_alone(base: Path) -> None:
    folder = cache_folder("kernels")
    assert folder == base / "cache" / "gpuqueue" / "kernels" == cache_folder("kernels")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_without_a_cache_home_it_lies_in_the_users_own(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(base))
    assert cache_folder("kernels") == base / ".cache" / "gpuqueue" / "kernels"


@pytest.mark.parametrize("trouble", ["no folder", "shared"])
def test_a_folder_that_is_not_ours_alone_is_not_used(base: Path, trouble: str) -> None:
    if trouble == "no folder":
        (base / "cache").write_text("")
    else:
        (base / "cache" / "gpuqueue" / "kernels").mkdir(parents=True)
        (base / "cache" / "gpuqueue" / "kernels").chmod(0o777)
    folder = cache_folder("kernels")
    assert folder.parent == base
    assert folder.name.startswith("gpuqueue-kernels-")


def test_what_is_written_replaces_what_was_there_and_leaves_nothing_else(base: Path) -> None:
    path = cache_folder("kernels") / "one"
    write_whole(path, b"before")
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"
    assert list(path.parent.iterdir()) == [path]
