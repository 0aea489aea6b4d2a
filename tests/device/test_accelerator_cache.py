"""Acceleration structures on disk: used again, never believed when damaged, never too many."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuqueue.config.settings import RenderSettings
from gpuqueue.device import accelerator_cache
from gpuqueue.device.accelerator_cache import AcceleratorCache, cache_of, key_of
from gpuqueue.device.cpu import CpuDriver
from gpuqueue.device.kernel_device import KernelDevice
from gpuqueue.device.native import kernels, layouts
from gpuqueue.errors import Interrupted
from gpuqueue.log import Event
from gpuqueue.scene import SceneBuffers
from tests.kernels.ray_scenes import placed_once, soup

KEY = "0" * 64


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    return placed_once(*soup(300, seed=1)).build()


@pytest.fixture
def cache(tmp_path: Path) -> AcceleratorCache:
    return AcceleratorCache(tmp_path, 1 << 30)


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []

    def note(event: Event, message: str, **_: object) -> None:
        assert event is Event.BVH_CACHE_UNUSABLE
        told.append(message)

    monkeypatch.setattr(accelerator_cache.log, "event", note)
    return told


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


def test_what_was_kept_is_found_again(cache: AcceleratorCache, built: dict[str, Any]) -> None:
    assert cache.load(KEY) is None
    cache.keep(KEY, built)
    found = cache.load(KEY)
    assert found is not None
    assert same(found, built)
    assert all(found[name].ctypes.data % 64 == 0 for name in ("nodes", "blocks", "placements"))
    assert cache.load("1" * 64) is None


def test_the_key_tells_all_that_a_structure_is_made_of_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = np.arange(12, dtype=np.float32)
    keys = {key_of("float8", [numbers, numbers], None)}
    keys.add(key_of("compressed8", [numbers, numbers], None))
    keys.add(key_of("float8", [numbers, numbers[:11]], None))
    keys.add(key_of("float8", [numbers.reshape(3, 4), numbers], None))
    keys.add(key_of("float8", [numbers + 1, numbers], None))
    monkeypatch.setattr(accelerator_cache, "sources_hash", lambda: "other kernels")
    keys.add(key_of("float8", [numbers, numbers], None))
    assert len(keys) == 6
    assert key_of("float8", [numbers], None) == key_of("float8", [numbers.copy()], None)


def header_of(**fields: object) -> bytes:
    text = json.dumps(fields).encode()
    return accelerator_cache._MAGIC + struct.pack("<II", len(text), zlib.crc32(text)) + text


HUGE = {name: [1 << 62, 0] for name in ("nodes", "blocks", "placements", "keys")}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "another file": lambda data: b"GIF89a" + data,
    "truncated header": lambda data: data[:40],
    "truncated arrays": lambda data: data[:-1],
    "too long": lambda data: data + b"\0",
    "one bit of the header": lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
    "one bit of the arrays": lambda data: data[:-9] + bytes([data[-9] ^ 16]) + data[-8:],
    "zeros at the end": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "of another scene": lambda data: header_of(key="1", numbers={}, arrays={}),
    "no fields": lambda data: header_of(key=KEY, numbers={}, arrays={}),
    "no header": lambda data: header_of(),
    "absurd sizes": lambda data: header_of(
        key=KEY, numbers={"root": 0, "placement_count": 0}, arrays=HUGE
    ),
    "a deep header": lambda data: (
        accelerator_cache._MAGIC + struct.pack("<II", 4096, zlib.crc32(b"[" * 4096)) + b"[" * 4096
    ),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_a_damaged_file_is_not_used_and_is_replaced(
    cache: AcceleratorCache,
    built: dict[str, Any],
    tmp_path: Path,
    warnings: list[str],
    damage: str,
) -> None:
    cache.keep(KEY, built)
    (path,) = tmp_path.iterdir()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert cache.load(KEY) is None
    assert len(warnings) == 1
    assert "is damaged" in warnings[0]
    cache.keep(KEY, built)
    assert cache.load(KEY) is not None


def test_those_longest_not_used_make_room(tmp_path: Path, built: dict[str, Any]) -> None:
    one = AcceleratorCache(tmp_path, 1 << 30)
    for i, key in enumerate("abc"):
        one.keep(key, built)
        os.utime(tmp_path / f"{key}.bvh", (i, i))
    size = (tmp_path / "a.bvh").stat().st_size
    assert one.load("a") is not None  # now b is the oldest
    AcceleratorCache(tmp_path, 3 * size + 10_000).keep("d", built)
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "c", "d"}
    AcceleratorCache(tmp_path, size - 1).keep("e", built)
    assert not (tmp_path / "e.bvh").exists()


KILLED = """
import sys
from pathlib import Path
from gpuqueue.device.accelerator_cache import AcceleratorCache
from tests.kernels.ray_scenes import placed_once, soup

calls = 0
def wait(share):
    global calls
    calls += 1
    if calls > 4:  # three checksums, then the first array is on its way
        print("writing", flush=True)
        sys.stdin.read()

built = placed_once(*soup(300, seed=1)).build()
AcceleratorCache(Path(sys.argv[1]), 1 << 30).keep("k", built, wait)
"""


def test_a_process_killed_while_it_writes_leaves_no_file_that_is_used(
    cache: AcceleratorCache, built: dict[str, Any], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        writer.send_signal(signal.SIGKILL)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".part-")
    assert cache.load("k") is None
    os.utime(left, (0, 0))
    cache.keep("k", built)
    assert [path.name for path in tmp_path.iterdir()] == ["k.bvh"]


def test_an_interrupted_write_leaves_nothing(
    cache: AcceleratorCache, built: dict[str, Any], tmp_path: Path
) -> None:
    calls: list[float] = []

    def stop(share: float) -> None:
        calls.append(share)
        if len(calls) > 4:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        cache.keep(KEY, built, stop)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_costs_a_warning(
    built: dict[str, Any], tmp_path: Path, warnings: list[str]
) -> None:
    AcceleratorCache(tmp_path / "missing", 1 << 30).keep(KEY, built)
    assert len(warnings) == 1
    assert "cannot be kept" in warnings[0]


def test_a_folder_of_others_is_not_used(tmp_path: Path, warnings: list[str]) -> None:
    tmp_path.chmod(0o777)
    assert cache_of(RenderSettings(bvh_cache_folder=tmp_path)) is None
    assert len(warnings) == 1
    assert cache_of(RenderSettings(bvh_cache_folder=tmp_path, bvh_cache_bytes=0)) is None


@pytest.mark.parametrize("layout", ["float8", "compressed8"])
def test_a_device_renders_the_same_from_the_cache(
    scene: SceneBuffers,
    cache: AcceleratorCache,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
) -> None:
    monkeypatch.setattr("gpuqueue.device.kernel_device.MIN_TRIANGLES", 1)
    jobs = []
    for _ in range(2):
        device = KernelDevice(CpuDriver(1, layout), cache)
        jobs.append(device._accelerator(scene, None))
        monkeypatch.setattr(device, "_build_accelerator", lambda *_: pytest.fail("built again"))
        device.upload(scene)
    assert same(*jobs)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_builders_version_is_raised_when_it_builds_other_trees() -> None:
    """A digest for each layout; set them anew together with BUILDER_VERSION."""
    digests = []
    for layout in ("float8", "compressed8"):
        built = placed_once(*soup(5000, seed=3)).build(layout)
        content = b"".join(built[name].tobytes() for name in ("nodes", "blocks"))
        digests.append(f"{zlib.crc32(content):08x}")
    assert set(built) == set(layouts()["Accelerator"].names or ())
    assert (kernels().BUILDER_VERSION, *digests) == (3, "4a7a6846", "84f33aa9")
