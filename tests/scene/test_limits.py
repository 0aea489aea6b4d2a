"""What bounds a load in time, memory and number, and how whoever waits follows and ends it."""

import os
from pathlib import Path

import numpy as np
import pytest

from gpuqueue.errors import Cancelled, JobFailed, SceneError
from gpuqueue.scene import lexer, load_document, load_scene, watch
from gpuqueue.scene.entities import Object
from tests.scene.test_graph import PARTS

END = ' instgroup "world" "camera" end instgroup\n'
TRIANGLES = "trilist vertex 3 p triangle 2 [ 0 0 0 1 0 0 0 1 0 ] [ 0 1 2 0 2 1 ] end trilist"
GROUP = "group 0 0 0 1 0 0 0 1 0 v 0 v 1 v 2 p 0 1 2 p 0 2 1 end group"
CONCAVE = "group 0 0 0 4 0 0 1 1 0 0 4 0 v 0 v 1 v 2 v 3 " + "p 0 1 2 3\n" * 50 + "end group"


def write(folder: Path, *bodies: str) -> Path:
    objects = "".join(f'object "o{i}" {body} end object\n' for i, body in enumerate(bodies))
    (folder / "s.mi").write_text(PARTS + objects + END)
    return folder / "s.mi"


def large(folder: Path) -> Path:
    """Five steps of four megabytes, and a comment as long."""
    numbers = "1.25 0 0\n" * 2_500_000
    return write(folder, f"group {numbers} v 0 end group # {'x' * 5_000_000}\n")


@pytest.fixture
def reports_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)


def test_a_load_tells_how_far_it_is(tmp_path: Path, reports_all: None) -> None:
    told: list[tuple[str, float]] = []
    load_scene(large(tmp_path), tmp_path, report=lambda what, share: told.append((what, share)))
    shares = [share for what, share in told if what == "Reading s.mi"]
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.2
    assert 0.7 < shares[-1] <= 1


def test_reports_are_not_too_many(tmp_path: Path) -> None:
    told: list[str] = []
    load_scene(write(tmp_path, CONCAVE), tmp_path, report=lambda what, _: told.append(what))
    assert told == []


@pytest.mark.parametrize("step", ["Reading", "Cutting concave", "Placing"])
def test_a_load_ends_at_once_by_what_its_report_raises(
    tmp_path: Path, reports_all: None, step: str
) -> None:
    after: list[str] = []

    def report(what: str, share: float) -> None:
        after.append(what)
        if what.startswith(step):
            raise Cancelled("not wanted any more")

    with pytest.raises(Cancelled, match="not wanted"):
        load_scene(write(tmp_path, CONCAVE), tmp_path, report=report)
    assert [what for what in after if what.startswith(step)] == after[-1:]


def test_a_load_that_takes_too_long_is_ended_in_the_middle_of_a_run(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"Reading s\.mi: \d+% done after 0\.01 s, the limit"):
        load_scene(large(tmp_path), tmp_path, max_seconds=0.01)


@pytest.mark.parametrize("body", [TRIANGLES, GROUP])
def test_the_memory_of_meshes_is_bounded_where_it_would_be_used(tmp_path: Path, body: str) -> None:
    path = write(tmp_path, body, body)
    entities = load_document(path, tmp_path).entities.values()
    needed = sum(e.geometry.nbytes for e in entities if isinstance(e, Object) and e.geometry)
    load_scene(path, tmp_path, max_memory_bytes=needed)
    with pytest.raises(
        SceneError, match=rf"^s\.mi:\d+:\d+: .* more than {needed - 1} bytes of mem"
    ):
        load_scene(path, tmp_path, max_memory_bytes=needed - 1)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ("vertex 40000000 p triangle 1 [ 0 0 0", "120000000 numbers are announced"),
        ("vertex 1 p triangle 99999999 [ 0 0 0 ] [ 0 0 0", "299999997 numbers are announced"),
        ("vertex 40000000 p triangle 1 scalar `0000`", "not 480000000 bytes long"),
    ],
)
def test_announced_counts_are_held_against_the_file_before_memory_is_taken(
    tmp_path: Path, counts: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = np.empty

    def empty(shape: int | tuple[int, ...], dtype: object) -> object:
        asked.append(int(np.prod(shape)))
        return real(shape, dtype)  # type: ignore[call-overload]  # as it was called

    monkeypatch.setattr(np, "empty", empty)
    with pytest.raises(SceneError, match=expected):
        load_scene(write(tmp_path, f"trilist {counts}"), tmp_path)
    assert max(asked, default=0) < 100


def test_numbers_may_go_on_in_an_included_file(tmp_path: Path) -> None:
    (tmp_path / "rest.mi").write_text("1 0 0\n0 1 0 ] [ 0 1")
    body = 'trilist vertex 3 p triangle 1 [ 0 0 0 $include "rest.mi"\n 2 ] end trilist'
    scene = load_scene(write(tmp_path, f'{body} end object\nobject "p" {GROUP}'), tmp_path)
    assert scene.warnings == ()


def test_words_apart_from_meshes_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexer, "MAX_TOKENS", 1000)
    monkeypatch.setattr(lexer, "MAX_TOKEN", 100)
    with pytest.raises(SceneError, match="more than 1000 words"):
        load_scene(write(tmp_path, *["group end group"] * 300), tmp_path)


@pytest.mark.parametrize("body", ["x" * (1 << 20) + "y", '"' + "x" * (1 << 20) + 'y"', "9" * 2**21])
def test_a_word_is_bounded_in_length(tmp_path: Path, body: str) -> None:
    with pytest.raises(SceneError, match="of more than 1048576 bytes"):
        load_scene(write(tmp_path, body), tmp_path)


def test_a_file_that_is_written_to_meanwhile_is_refused(tmp_path: Path, reports_all: None) -> None:
    path = write(tmp_path, TRIANGLES)

    def append(*_: object) -> None:
        with path.open("a") as stream:
            stream.write("# more\n")

    with pytest.raises(JobFailed, match=r"s\.mi' was written to while it was read; try again"):
        load_scene(path, tmp_path, report=append)


def test_a_file_that_is_replaced_meanwhile_is_read_as_it_was(
    tmp_path: Path, reports_all: None
) -> None:
    path = write(tmp_path, TRIANGLES)
    size = path.stat().st_size

    def replace(*_: object) -> None:
        (tmp_path / "new.mi").write_text("nonsense")
        os.replace(tmp_path / "new.mi", path)  # noqa: PTH105 - the call that is meant

    assert load_scene(path, tmp_path, report=replace).sources[0].size == size
