"""A few of the files of tests/scene/fuzz.py, which runs for as long as it is told to."""

from pathlib import Path

import pytest

from gpuqueue.scene import tokens
from tests.scene.fuzz import Failed, run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hostile_files_are_scenes_or_scene_errors(tmp_path: Path, seed: int) -> None:
    done, scenes = run(250, 100.0, seed, tmp_path / "failure.mi")
    assert done > 50
    assert scenes > 0


def test_an_error_of_another_kind_is_told_and_its_file_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise IndexError("planted")

    monkeypatch.setattr(tokens.Tokens, "vertex_rows", fail)
    with pytest.raises(Failed, match=r"run \d+ of seed 1: IndexError\('planted'\)"):
        run(5000, 100.0, 1, tmp_path / "failure.mi")
    assert b"v " in (tmp_path / "failure.mi").read_bytes()
