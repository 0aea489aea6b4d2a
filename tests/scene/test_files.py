"""Every scene of tests/data/mi: what the valid ones mean, what is said of the invalid ones."""

import json
import re
from pathlib import Path

import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene.statements import STATEMENTS
from tests.scene.describe import ROOT, describe, load

VALID = sorted((ROOT / "valid").glob("*.mi"))
INVALID = sorted((ROOT / "invalid").glob("*.mi"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_means_what_is_written_beside_it(path: Path) -> None:
    assert describe(load(path)) == json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_file_is_refused_with_the_message_beside_it(path: Path) -> None:
    with pytest.raises(SceneError) as error:
        load(path)
    assert f"{error.value}\n" == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize("keyword", sorted(STATEMENTS))
def test_every_statement_stands_in_a_valid_file(keyword: str) -> None:
    pattern = re.compile(rf"^(incremental |private session depth \d )?{keyword}\b", re.MULTILINE)
    texts = [path.read_bytes().decode("latin-1") for path in ROOT.glob("*/*.mi")]
    assert any(pattern.search(text) for text in texts)


def test_there_are_files_to_test() -> None:
    assert len(VALID) > 15
    assert len(INVALID) > 60
