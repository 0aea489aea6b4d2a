"""Which scenes stay on a device."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from gpuqueue.device import Device, Memory
from gpuqueue.errors import OutOfMemory, SceneError
from gpuqueue.render.scene_cache import MAX_SCENES, LoadedScene, SceneCache
from gpuqueue.scene.source import SourceFile


@dataclass
class SmallDevice:
    """A device whose memory holds `total` units."""

    total: int = 100
    used: int = 0

    def memory(self) -> Memory:
        return Memory(self.total, self.total - self.used)


class Handle:
    """Takes memory while it lives."""

    def __init__(self, device: SmallDevice, size: int) -> None:
        self.device, self.size = device, size
        if device.used + size > device.total:
            raise OutOfMemory("does not fit")
        device.used += size

    def __del__(self) -> None:
        if hasattr(self, "size") and self.size <= self.device.used:
            self.device.used -= self.size


class Shelf:
    """A cache on a small device, and what was loaded into it."""

    def __init__(self, folder: Path, total: int = 100) -> None:
        self.folder = folder
        self.device = SmallDevice(total)
        self.cache = SceneCache(cast("Device", self.device))
        self.loaded: list[str] = []

    def get(self, name: str, size: int = 1) -> Any:
        path = self.folder / name
        if not path.exists():
            path.write_text(name)

        def load() -> LoadedScene:
            self.loaded.append(name)
            data = path.read_bytes()
            source = SourceFile(path, len(data), hashlib.sha256(data).hexdigest())
            none = cast("Any", None)
            return LoadedScene(Handle(self.device, size), none, none, (source,))

        return self.cache.get(name, load)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_scene_is_kept(shelf: Shelf) -> None:
    assert shelf.get("a") is shelf.get("a")
    assert shelf.loaded == ["a"]


def test_the_scene_used_longest_ago_goes_first(shelf: Shelf) -> None:
    names = [f"s{i}" for i in range(MAX_SCENES)]
    for name in [*names, names[0], "one more", names[0]]:
        shelf.get(name)
    assert shelf.loaded == [*names, "one more"]
    shelf.get(names[1])
    assert shelf.loaded[-1] == names[1]
    assert len(shelf.cache) == MAX_SCENES


def test_half_of_the_memory_is_free_for_the_next_scene(shelf: Shelf) -> None:
    shelf.get("a", size=30)
    shelf.get("b", size=30)
    assert shelf.device.used == 60
    shelf.get("c", size=50)
    assert shelf.device.used == 80
    assert len(shelf.cache) == 2


def test_a_scene_that_fits_only_alone_is_loaded_alone(shelf: Shelf) -> None:
    shelf.get("a", size=40)
    shelf.get("b", size=90)
    assert shelf.loaded == ["a", "b", "b"]
    assert shelf.device.used == 90


def test_a_scene_that_does_not_fit_at_all_is_an_error(shelf: Shelf) -> None:
    shelf.get("a", size=40)
    with pytest.raises(OutOfMemory, match="does not fit"):
        shelf.get("b", size=101)
    assert shelf.device.used == 0


def test_a_changed_or_missing_file_is_read_again(shelf: Shelf) -> None:
    first = shelf.get("a")
    (shelf.folder / "a").write_text("b")
    assert shelf.get("a") is not first
    (shelf.folder / "a").unlink()
    shelf.get("a")
    assert shelf.loaded == ["a", "a", "a"]


def test_an_old_version_gives_its_memory_back_before_the_new_one_takes_some(shelf: Shelf) -> None:
    shelf.get("a", size=70)
    (shelf.folder / "a").write_text("b")
    shelf.get("a", size=80)
    assert shelf.loaded == ["a", "a"]
    assert shelf.device.used == 80


def test_a_scene_that_cannot_be_read_leaves_the_others(shelf: Shelf) -> None:
    kept = shelf.get("a")

    def fail() -> LoadedScene:
        raise SceneError("broken.mi:1:1: broken")

    with pytest.raises(SceneError):
        shelf.cache.get("broken.mi", fail)
    assert shelf.get("a") is kept


def test_all_scenes_but_one_give_their_memory_back(shelf: Shelf) -> None:
    for name in "abc":
        shelf.get(name, size=10)
    assert shelf.cache.keep_only(shelf.get("b"))
    assert shelf.device.used == 10
    assert not shelf.cache.keep_only(shelf.get("b"))
    assert shelf.loaded == ["a", "b", "c"]
