"""``gpuqueue convert``."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gpuqueue.cli import app
from gpuqueue.scene import load_document
from tests.cli.test_cli import SCENE, assert_fails
from tests.scene.plain import plain_document


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.mi").write_text(SCENE)
    (tmp_path / "scene.mi").write_text('$include "parts.mi"\n')
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["convert", *arguments])


@pytest.mark.parametrize("options", [[], ["--binary"]], ids=["text", "binary"])
def test_a_scene_becomes_one_file(folder: Path, options: list[str]) -> None:
    result = run("scene.mi", "-o", "one.mi", *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"one.mi: {(folder / 'one.mi').stat().st_size} bytes, 9 entities\n"
    (folder / "parts.mi").unlink()
    whole = load_document(Path("one.mi"), folder)
    (folder / "parts.mi").write_text(SCENE)
    assert plain_document(whole) == plain_document(load_document(Path("scene.mi"), folder))


def test_a_wrong_scene_leaves_nothing_behind(folder: Path) -> None:
    (folder / "bad.mi").write_text("camera {")
    assert_fails(run("bad.mi", "-o", "one.mi"), "bad.mi:1:8")
    assert sorted(p.name for p in folder.iterdir()) == ["bad.mi", "parts.mi", "scene.mi"]


def test_the_new_scene_must_be_one_by_its_name() -> None:
    assert_fails(run("scene.mi", "-o", "one.obj"), "one.obj: expected a name that ends in .mi")
    assert_fails(run("scene.mi", "-o", "nowhere/one.mi"), "the folder", "does not exist")
