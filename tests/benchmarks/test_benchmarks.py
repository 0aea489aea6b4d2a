"""The benchmarks' own arithmetic, and that a wrong picture is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import compare, main, read, table
from benchmarks.options import CheckFailed
from benchmarks.peers.race import Course, check, race
from benchmarks.pictures import Bounds, differences, noise, relative_error
from benchmarks.rows import Row, from_json, ratio, to_json


def row(values: tuple[float, ...], **fields: str) -> Row:
    named = {"section": "peers", "scene": "room", "case": "gpuqueue", "metric": "Msamples/s"}
    return Row(values=values, **{**named, **fields})  # type: ignore[arg-type]


def noisy(seed: int, mean: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(50, mean / 50, (32, 32, 3)).astype(np.float32)


def write(path: Path, *rows: Row) -> Path:
    told = {"version": 1, "machine": {}, "rows": [to_json(r) for r in rows]}
    path.write_text(json.dumps(told))
    return path


def test_a_row_comes_back_from_its_file() -> None:
    assert from_json(json.loads(json.dumps(to_json(row((1.0, 2.0)))))) == row((1.0, 2.0))
    with pytest.raises(ValueError, match="not a row"):
        from_json({"scene": "room"})
    with pytest.raises(ValueError, match="finite"):
        row((float("nan"),))


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio([2, 9], [1, 3]) == (2, 3)


def test_the_noise_of_pictures_is_the_error_of_one_of_them() -> None:
    pictures = [noisy(seed) for seed in range(40)]
    error = relative_error(pictures[0], np.ones_like(pictures[0]))
    assert noise(pictures) == pytest.approx(error, rel=0.1)


def test_pictures_of_the_same_agree_whatever_their_noise() -> None:
    assert differences([noisy(1), noisy(2)], [noisy(3), noisy(4)], Bounds()) == []


def test_a_brighter_picture_is_refused() -> None:
    told = differences([noisy(1, 1.1), noisy(2, 1.1)], [noisy(3), noisy(4)], Bounds())
    assert any("the mean is" in line for line in told)


def test_a_picture_of_something_else_is_refused() -> None:
    step = np.where(np.arange(32) < 16, 0.5, 1.5).astype(np.float32)[:, None, None]
    with pytest.raises(CheckFailed, match=r"pictures of other and gpuqueue differ: .*blocks"):
        check(
            "room",
            {"gpuqueue": [noisy(1), noisy(2)], "other": [noisy(3) * step, noisy(4) * step]},
        )


def test_our_renderer_races_alone_where_no_other_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = Course("cornell", detail=0.01, size=16, rounds=2, seconds=0.01)
    rows = list(race(course, ["luxcore"], tmp_path))
    assert {r.case for r in rows} == {"gpuqueue"}
    assert {r.metric for r in rows} >= {"Msamples/s", "relMSE x s"}
    assert "without luxcore: luxcore is not installed" in capsys.readouterr().out
    assert all("gpuqueue" in line for line in table(rows))


def test_two_runs_are_compared_by_their_medians(tmp_path: Path) -> None:
    error = {"metric": "relMSE x s"}
    before = [row((1.0, 1.01)), Row("peers", "room", "gpuqueue", "relMSE x s", (2.0,), "lower")]
    after = [row((2.0, 2.02)), Row("peers", "room", "gpuqueue", "relMSE x s", (2.02,), "lower")]
    lines = list(compare(read(write(tmp_path / "a", *before)), read(write(tmp_path / "b", *after))))
    [rate] = [line for line in lines if "Msamples/s" in line]
    [cost] = [line for line in lines if error["metric"] in line]
    assert rate.split()[-2:] == ["2.000", "better"]
    assert cost.split()[-1] == "1.010", "within noise"


def test_a_file_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    other.write_text("[]")
    assert main(["compare", str(other), str(other)]) == 1
    assert "is no file of benchmarks" in capsys.readouterr().err
