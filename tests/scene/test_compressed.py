"""Scenes that gzip has compressed."""

import gzip
from pathlib import Path

import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene import load_scene
from tests.scene.describe import ROOT, describe, load

PLAIN = ROOT / "valid" / "instances.mi"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The scene and its includes, all compressed under their plain names."""
    for path in (PLAIN, *(ROOT / "parts").glob("*.mi")):
        place = tmp_path / path.relative_to(ROOT)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(gzip.compress(path.read_bytes()))
    return tmp_path


def test_a_compressed_scene_means_what_the_plain_one_does(folder: Path) -> None:
    found = describe(load_scene(Path("valid/instances.mi"), folder))
    assert found == describe(load(PLAIN))


def test_a_name_may_tell_that_it_is_compressed(folder: Path) -> None:
    packed = folder / "valid" / "instances.mi"
    packed.rename(packed.with_suffix(".mi.gz"))
    assert len(load_scene(Path("valid/instances.mi.gz"), folder).instances)


def test_an_error_shows_the_line_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "bad.mi").write_bytes(gzip.compress(b"\n\n  nonsense"))
    with pytest.raises(SceneError, match=r"^bad.mi:3:3: unknown statement 'nonsense'"):
        load_scene(Path("bad.mi"), tmp_path)


def test_what_is_unpacked_counts(tmp_path: Path) -> None:
    (tmp_path / "bomb.mi").write_bytes(gzip.compress(b" " * 10_000_000))
    with pytest.raises(SceneError, match="the scene files exceed the limit of 1000000 bytes"):
        load_scene(Path("bomb.mi"), tmp_path, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("cut", "message"), [(slice(0, 60), "cut short"), (slice(0, 2), "cut short")]
)
def test_a_file_cut_short_is_refused(tmp_path: Path, cut: slice, message: str) -> None:
    (tmp_path / "cut.mi").write_bytes(gzip.compress(PLAIN.read_bytes())[cut])
    with pytest.raises(SceneError, match=f"'cut.mi' is compressed, and {message}"):
        load_scene(Path("cut.mi"), tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(PLAIN.read_bytes()))
    data[40] ^= 0xFF
    (tmp_path / "bad.mi").write_bytes(data)
    with pytest.raises(SceneError, match=r"'bad.mi' is compressed, and damaged"):
        load_scene(Path("bad.mi"), tmp_path)


def test_a_compressed_file_of_another_name_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.gz").write_bytes(gzip.compress(b"secret"))
    with pytest.raises(SceneError, match=r"its name must end in \.mi or \.mi\.gz"):
        load_scene(Path("secret.gz"), tmp_path)
