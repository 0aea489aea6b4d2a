"""Scenes on the device, kept while their files stay the same and there is room."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gpuqueue.device import Device
from gpuqueue.errors import OutOfMemory
from gpuqueue.scene.model import Camera, RenderOptions
from gpuqueue.scene.source import SourceFile

#: Scenes kept at most.
MAX_SCENES = 4


@dataclass(frozen=True)
class LoadedScene:
    """A scene on a device, and what of it a render still needs on the host."""

    handle: Any
    camera: Camera
    options: RenderOptions
    sources: tuple[SourceFile, ...]

    def is_current(self) -> bool:
        """Whether every file that the scene was read from holds the same bytes."""
        return all(_holds(source) for source in self.sources)


class SceneCache:
    """The scenes rendered last. At least half of the device's memory stays free for the next."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._scenes: OrderedDict[str, LoadedScene] = OrderedDict()

    def __len__(self) -> int:
        return len(self._scenes)

    def get(self, name: str, load: Callable[[], LoadedScene]) -> LoadedScene:
        """The scene called `name` as its files are now, loaded if need be."""
        scene = self._scenes.pop(name, None)
        if scene is None or not scene.is_current():
            scene = None  # gives its memory back before the next one takes some
            self._make_room()
            scene = self._load_alone_if_need_be(load)
        self._scenes[name] = scene
        return scene

    def keep_only(self, scene: LoadedScene) -> bool:
        """Give the memory of all other scenes back; false if there are none."""
        others = [name for name, other in self._scenes.items() if other is not scene]
        for name in others:
            del self._scenes[name]
        return bool(others)

    def _make_room(self) -> None:
        while self._scenes and (len(self._scenes) >= MAX_SCENES or self._is_half_full()):
            self._scenes.popitem(last=False)

    def _load_alone_if_need_be(self, load: Callable[[], LoadedScene]) -> LoadedScene:
        """Load; where memory does not suffice beside other scenes, once more without them."""
        if self._scenes:
            with suppress(OutOfMemory):
                return load()
            self._scenes.clear()
        return load()

    def _is_half_full(self) -> bool:
        memory = self._device.memory()
        return memory.free < memory.total / 2


def _holds(source: SourceFile) -> bool:
    try:
        if source.path.stat().st_size != source.size:
            return False
        with source.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == source.sha256
    except OSError:
        return False
