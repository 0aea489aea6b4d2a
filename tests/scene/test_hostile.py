"""Whatever a file holds, the reader answers with a scene or a SceneError, and soon."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpuqueue.errors import SceneError
from gpuqueue.scene import load_scene, pack, summarise
from gpuqueue.scene.statements import STATEMENTS
from gpuqueue.scene.statements.options import PHRASES
from tests.scene.describe import ROOT
from tests.scene.test_buffers import LAYOUTS, SHADERS
from tests.scene.test_graph import PARTS

VALID = sorted((ROOT / "valid").glob("*.mi"))
quietly = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)


def read(folder: Path, data: bytes) -> None:
    """Load, summarise and pack; only SceneError may come out."""
    (folder / "s.mi").write_bytes(data)
    try:
        scene = load_scene(Path("s.mi"), folder, max_bytes=1 << 20)
    except SceneError:
        return
    summarise(scene)
    buffers = pack(scene, LAYOUTS, SHADERS, 8, 8)
    assert all(np.isfinite(buffers.camera[name]).all() for name in buffers.camera.dtype.names or ())
    assert np.isfinite(buffers.keys).all()
    for records in (buffers.instances, buffers.lights, buffers.materials):
        plain = [n for n in records.dtype.names or () if records.dtype[n].names is None]
        assert all(np.isfinite(records[name]).all() for name in plain)


def standalone(path: Path) -> bytes:
    """A scene with its includes from tests/data/mi/parts put in."""
    data = path.read_bytes()
    for part in (ROOT / "parts").glob("*.mi"):
        data = data.replace(f'$include "../parts/{part.name}"'.encode(), part.read_bytes())
    return data


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_file_that_is_cut_off_anywhere_is_at_most_an_error(tmp_path: Path, path: Path) -> None:
    data = standalone(path)
    for end in range(0, len(data), max(1, len(data) // 40)):
        read(tmp_path, data[:end])


@quietly
@given(st.data())
def test_a_file_with_changed_bytes_is_at_most_an_error(tmp_path: Path, data: st.DataObject) -> None:
    text = bytearray(standalone(data.draw(st.sampled_from(VALID))))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 12))
        text[start : start + length] = data.draw(st.binary(max_size=12))
    read(tmp_path, bytes(text))


@quietly
@given(st.data())
def test_a_file_with_moved_words_is_at_most_an_error(tmp_path: Path, data: st.DataObject) -> None:
    words = standalone(data.draw(st.sampled_from(VALID))).split()
    for _ in range(data.draw(st.integers(1, 4))):
        here, there = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
        words[here], words[there] = words[there], words[here]
    read(tmp_path, b" ".join(words))


EXTREME = [
    "1e999",
    "-1e308",
    "1e-320",
    "99999999999999999999",
    "-1",
    "0",
    "nan",
    "inf",
    '""',
    "null",
]


@quietly
@given(st.data())
def test_numbers_at_the_edge_of_their_range_are_at_most_an_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    words = standalone(data.draw(st.sampled_from(VALID))).split()
    numeric = [i for i, word in enumerate(words) if word.replace(b".", b"").isdigit()]
    for _ in range(data.draw(st.integers(1, 3))):
        if numeric:
            words[data.draw(st.sampled_from(numeric))] = data.draw(
                st.sampled_from(EXTREME)
            ).encode()
    read(tmp_path, b" ".join(words))


KEYWORDS = sorted(
    {*STATEMENTS, *" ".join(PHRASES).split(), "end", "group", "trilist", "v", "p", "["}
)


@quietly
@given(
    st.lists(
        st.sampled_from([*KEYWORDS, '"x"', "(", ")", "[", "]", "{", "}", ",", "=", "1", "1.5"])
    )
)
def test_any_row_of_keywords_is_at_most_an_error(tmp_path: Path, words: list[str]) -> None:
    read(tmp_path, " ".join(words).encode())


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        'shader "s" "x" (' + '"a" [' * 100_000,
        'shader "s" "x" ("a" ' + "{" * 100_000,
        'shader "s" ' + '= shader "a" ' * 10_000,
        'declare shader color "x" (' + 'struct "a" {' * 10_000,
        "$include " * 1000,
        "#" * 100_000,
        "\n" * 100_000,
        '"' * 100_001,
        "- " * 100_000,
        'object "o" group ' + "1 " * 100_000,
        'object "o" trilist vertex 268435456 p triangle 268435456 [ 1 2 3',
        'object "o" trilist vertex 268435456 p triangle 1 scalar `',
        'object "o" trilist vertex 1 p u 256 256 256 256 256 triangle 1',
        'instgroup "g" ' + '"i" ' * 100_000 + "end instgroup",
        'hair_ object "h" hair scalar [ 1073741824 ] binary `',
    ],
    ids=lambda text: text[:24],
)
def test_long_and_deep_files_end_soon(tmp_path: Path, text: str) -> None:
    start = time.process_time()
    read(tmp_path, text.encode())
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "arguments",
    [
        '"diffuse" 1e300 1 1',
        '"diffuse" -5 2 1',
        '"diffuse" on off on',
        '"diffuse" "a" "b" "c"',
        '"diffuse" [1, 2, 3]',
        '"diffuse" {"r" 1}',
        '"diffuse" null',
        '"diffuse" = "diffuse"',
        '"specular" 1 1 1, "exponent" -3',
        '"exponent" 1e300',
    ],
)
@pytest.mark.parametrize(
    "shader", ["mib_illum_phong", "mia_material", "one_color", "dielectric_material"]
)
def test_odd_arguments_of_shaders_give_finite_parameters_or_an_error(
    tmp_path: Path, shader: str, arguments: str
) -> None:
    text = f"""{PARTS} material "m" "{shader}" ({arguments}) end material
    instance "i" "square" material "m" end instance
    instgroup "world" "camera" "i" end instgroup render "world" "camera" "o" """
    (tmp_path / "s.mi").write_text(text)
    try:
        scene = load_scene(Path("s.mi"), tmp_path)
    except SceneError:
        return
    buffers = pack(scene, LAYOUTS, SHADERS)
    assert np.isfinite(buffers.parameters.view(np.float32)).all()
    assert np.isfinite(buffers.materials["emission"]).all()


def test_shaders_that_name_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "s.mi").write_text(
        PARTS
        + """shader "a" = "b" shader "b" = "a"
        shader "c" "mib_twosided" ("front" = "c")
        material "m" = "a" end material material "n" = "c" end material
        instance "i" "square" material "m" end instance
        instance "j" "square" material "n" end instance
        instgroup "world" "camera" "i" "j" end instgroup render "world" "camera" "o" """
    )
    scene = load_scene(Path("s.mi"), tmp_path)
    assert all("no surface shader" in warning for warning in scene.warnings)
    assert len(scene.warnings) == 1


def test_warnings_are_bounded(tmp_path: Path) -> None:
    lines = "".join(f'material "m" "x" () end material # {i}\n' for i in range(500))
    (tmp_path / "s.mi").write_text(PARTS + lines + 'instgroup "world" "camera" end instgroup')
    warnings = load_scene(Path("s.mi"), tmp_path).warnings
    assert len(warnings) <= 101


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "s.mi").write_text(
        f'system "touch {mark}"\nlink "{mark}.so"\ncode "touch {mark}"\necho "$(touch {mark})"\n'
        + PARTS
        + 'instgroup "world" "camera" end instgroup'
    )
    load_scene(Path("s.mi"), tmp_path)
    assert not mark.exists()
