"""What is written reads back to the same entities, bit for bit."""

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gpuqueue.errors import SceneError
from gpuqueue.scene import Scene, load_document, load_scene, scene_pieces
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import (
    Camera,
    Connection,
    Flags,
    Geometry,
    Instance,
    NamedShader,
    Object,
    Options,
    ShaderCall,
    ShaderName,
)
from gpuqueue.scene.source import Library, Place, Source
from gpuqueue.scene.statements import read_statements
from gpuqueue.scene.tokens import Tokens
from tests.scene.describe import ROOT, describe
from tests.scene.plain import plain, plain_document

EXAMPLES = Path(__file__).parents[2] / "examples" / "scenes"
FILES = sorted((ROOT / "valid").glob("*.mi")) + sorted(EXAMPLES.glob("*.mi"))
NOWHERE = Place(Source("none", Path("none"), b""), 0)


def read(data: bytes) -> Document:
    document = Document(Path("/"))
    source = Source("written.mi", Path("/written.mi"), data)
    tokens = Tokens(Library(Path("/"), 1 << 30), source, document.warnings)
    read_statements(tokens, document)
    return document


def read_back(*entities: object, binary: bool = False) -> list[object]:
    document = Document(Path("/"))
    for entity in entities:
        document.define(entity)  # type: ignore[arg-type]
    return list(read(b"".join(scene_pieces(document, binary=binary))).entities.values())


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scene_reads_back_to_the_same_entities(path: Path, binary: bool) -> None:
    document = load_document(path, path.parents[1])
    again = read(b"".join(scene_pieces(document, binary=binary)))
    assert plain_document(again) == plain_document(document)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_written_scene_means_the_same(path: Path, tmp_path: Path) -> None:
    if (path.parent / "images").is_dir():
        shutil.copytree(path.parent / "images", tmp_path / "images")
    written = tmp_path / "written.mi"
    written.write_bytes(b"".join(scene_pieces(load_document(path, path.parents[1]))))
    assert meaning(load_scene(written, tmp_path)) == meaning(load_scene(path, path.parents[1]))


def meaning(scene: Scene) -> Any:
    """All that is told of a scene but its files; the slots of a mesh by name."""
    told = describe(scene)
    del told["warnings"], told["source_files"]
    for placed in told["placed"]:
        counts = placed.pop("triangles by slot")
        placed["materials"] = sorted(zip(placed["materials"], counts, strict=True))
    return told


finite = st.floats(allow_nan=False, allow_infinity=False)
strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(
    lambda text: "\\" not in text
)
integers = st.integers(-(1 << 53), 1 << 53)
atoms = st.one_of(st.booleans(), integers, finite, strings, st.none())
values = st.recursive(
    st.lists(atoms, min_size=1, max_size=4).map(tuple)
    | st.builds(Connection, strings, st.booleans()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
    max_leaves=8,
)
calls = st.builds(
    ShaderCall, strings, st.dictionaries(strings, values, max_size=3), st.just(NOWHERE)
)
shaders = st.lists(calls | st.builds(ShaderName, strings, st.just(NOWHERE)), min_size=1, max_size=3)


@given(strings, shaders.map(tuple))
def test_any_shader_reads_back(name: str, list_: tuple[ShaderCall | ShaderName, ...]) -> None:
    shader = NamedShader(name, NOWHERE, list_)
    assert plain(read_back(shader)) == plain([shader])


small = st.integers(-(1 << 31), (1 << 31) - 1)
option_values = st.lists(st.one_of(st.booleans(), small, finite), max_size=4).map(
    tuple
) | st.tuples(strings)


@given(st.dictionaries(strings, option_values, max_size=5))
def test_any_option_reads_back(
    given_options: dict[str, tuple[bool | int | float | str, ...]],
) -> None:
    options = Options("o", NOWHERE, strings=given_options)
    assert plain(read_back(options)) == plain([options])


@given(arrays.arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)))
def test_a_transform_keeps_every_bit(rows: np.ndarray) -> None:
    matrix = np.zeros((4, 4))
    matrix[:, :3] = rows.T
    matrix[:3, :3] += 4e6 * np.eye(3)
    matrix[3, 3] = 1
    instance = Instance("i", NOWHERE, "thing", matrix, flags=Flags(visible=False))
    assert plain(read_back(instance)) == plain([instance])


coordinates = st.floats(-(2.0**49), 2.0**49, width=32)


@st.composite
def geometries(draw: st.DrawFn, slots: tuple[str | int | None, ...]) -> Geometry:
    vertices, triangles = draw(st.integers(3, 9)), draw(st.integers(1, 9))

    def floats(width: int) -> np.ndarray:
        return draw(arrays.arrays(np.float32, (vertices, width), elements=coordinates))

    def integers(shape: int | tuple[int, int], end: int) -> np.ndarray:
        return draw(arrays.arrays(np.int32, shape, elements=st.integers(0, end - 1)))

    normals, uvs = (floats(n) if draw(st.booleans()) else None for n in (3, 2))
    corners = integers((triangles, 3), vertices)
    return Geometry(floats(3), normals, uvs, corners, integers(triangles, len(slots)), slots)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("slots", [(None,), ("a", None, 'quo"te'), (0, 3, 70)], ids=str)
@settings(max_examples=30)
@given(data=st.data())
def test_any_geometry_reads_back(
    slots: tuple[str | int | None, ...], binary: bool, data: st.DataObject
) -> None:
    tagged = isinstance(slots[0], int)
    flags = Flags(True, True, True)
    item = Object("o", NOWHERE, flags, tagged, data.draw(geometries(slots)))
    assert plain(read_back(item, binary=binary)) == plain([item])


def test_a_large_mesh_is_half_as_large_in_binary() -> None:
    points = np.random.default_rng(1).random((1000, 3), np.float32)
    geometry = Geometry(
        points, points, None, np.arange(999).reshape(-1, 3), np.zeros(333, np.int32), (None,)
    )
    document = Document(Path("/"))
    document.define(Object("o", NOWHERE, geometry=geometry))
    text, packed = (b"".join(scene_pieces(document, binary=b)) for b in (False, True))
    assert len(packed) < len(text) / 2


def test_a_name_that_the_format_cannot_hold_is_refused() -> None:
    with pytest.raises(SceneError, match="cannot be written: a backslash meets a quote"):
        read_back(NamedShader('a\\"b', NOWHERE, (ShaderName("c\\", NOWHERE),)))


def test_a_camera_keeps_every_bit() -> None:
    camera = Camera(
        "c", NOWHERE, math.pi, 1 / 3, 2 / 3, (3, 5), (0.1, -7.0), (0, 1, 2, 3), (0.1, 1e9)
    )
    assert plain(read_back(camera)) == plain([camera])
