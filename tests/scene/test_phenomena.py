"""Phenomena beyond what tests/data/mi tells."""

from pathlib import Path

import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene import load_scene
from gpuqueue.scene.entities import Material, NamedShader, ShaderCall, ShaderName
from gpuqueue.scene.load import read_document
from gpuqueue.scene.source import Library
from tests.scene.describe import ROOT, load


def test_a_member_of_the_interface_reaches_its_shader() -> None:
    opacity = {m.name: m.opacity for m in load(ROOT / "valid" / "phenomenon.mi").materials}
    assert opacity == {"a": 1, "b": 1, "c": 0.25, "d": 1, "e": 1}


def test_each_call_has_shaders_of_its_own() -> None:
    document = read_document(Library(ROOT, 1 << 20), ROOT / "valid" / "phenomenon.mi")
    surfaces = [name for name in document.entities if name.endswith("/surface")]
    assert len(surfaces) == len(set(surfaces)) == 4
    material = document.entities["a"]
    assert isinstance(material, Material)
    (root,) = material.shaders
    assert isinstance(root, ShaderName)
    inner = document.entities[root.name]
    assert isinstance(inner, NamedShader)
    (call,) = inner.shaders
    assert isinstance(call, ShaderCall)
    assert call.arguments["lights"] == [], "the interface gives none"
    assert "refl_color" not in call.arguments


def test_phenomena_that_double_again_and_again_are_bounded(tmp_path: Path) -> None:
    """Each calls the one before it twice, so that the last holds 2^14 calls of the first."""
    wide = " ".join(["1"] * 400)
    first = f'shader "s" "one_color" ("color" {wide}) root = "s"'
    text = f'declare phenomenon "p0" () {first} end declare\n'
    for n in range(1, 15):
        calls = "".join(f' shader "s{k}" "p{n - 1}" ()' for k in (1, 2))
        text += f'declare phenomenon "p{n}" (){calls} root = "s1" end declare\n'
    (tmp_path / "wide.mi").write_text(text + 'material "m" "p14" () end material\n')
    with pytest.raises(SceneError, match="phenomena expand to more than"):
        load_scene(tmp_path / "wide.mi", tmp_path)
