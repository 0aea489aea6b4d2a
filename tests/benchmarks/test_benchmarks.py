"""The benchmarks' own arithmetic, and that a wrong picture is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.compare import compare, unlike
from benchmarks.machine import ROOT
from benchmarks.options import CheckFailed, Options
from benchmarks.peers.race import Course, check, race
from benchmarks.pictures import Bounds, differences, noise, relative_error
from benchmarks.report import line, priced, read, write
from benchmarks.rows import Row, from_json, ratio, to_json
from benchmarks.sections import SECTIONS, section


def row(values: tuple[float, ...], **fields: str) -> Row:
    named = {"section": "peers", "scene": "room", "case": "gpuqueue", "metric": "Msamples/s"}
    return Row(values=values, **{**named, **fields})  # type: ignore[arg-type]


def noisy(seed: int, mean: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(50, mean / 50, (32, 32, 3)).astype(np.float32)


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
    assert all("gpuqueue" in line(r) for r in rows)


def test_two_runs_are_compared_by_their_medians(tmp_path: Path) -> None:
    cost = Row("peers", "room", "gpuqueue", "relMSE x s", (2.0,), "lower")
    write(tmp_path / "a", {"cpu": "one"}, [], [row((1.0, 1.01)), cost, row((1.0,), case="old")])
    write(tmp_path / "b", {"cpu": "two"}, [], [replace(cost, values=(2.02,)), row((2.0, 2.02))])
    (before, rows), (after, others) = read(tmp_path / "a"), read(tmp_path / "b")
    rate_line, cost_line = compare(rows, others)
    assert rate_line.split()[-2:] == ["2.000", "better"]
    assert cost_line.split()[-1] == "1.010", "within noise"
    assert list(unlike(before, after)) == ["other cpu: one and two"]


def test_rounds_that_overlap_are_neither_better_nor_worse() -> None:
    [told] = compare([row((1.0, 1.2, 1.9))], [row((1.1, 1.8, 2.0))])
    assert told.split()[-1] == "1.500"
    [told] = compare([row((1.0, 1.2))], [row((0.5, 0.6))])
    assert told.split()[-1] == "worse"


def test_seconds_of_an_image_have_a_price_and_nothing_else_has() -> None:
    image = row((36.0, 72.0), metric="s an image")
    assert list(priced([row((1.0,)), image], None)) == [row((1.0,)), image]
    [_, _, price] = priced([row((1.0,)), image], 2.5)
    assert price.metric == "price an image"
    assert price.values == pytest.approx((0.025, 0.05))
    assert "0.0375" in line(price)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "is no file of benchmarks"),
        ('{"version": 2}', "is no file of benchmarks"),
        ('{"version": 1, "machine": {}}', "expected an object 'machine' and an array 'rows'"),
        ('{"version": 1, "machine": {}, "rows": [1]}', "not a row"),
        ("{", "Expecting"),
    ],
)
def test_a_file_of_something_else_is_refused(
    content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    other.write_text(content)
    assert main(["compare", str(other), str(other)]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["attic"], "unknown section 'attic'; known: "),
        (["jobs", "--rounds", "0"], "--rounds is 0; expected at least 1"),
        (["jobs", "--price-per-hour", "-1"], "--price-per-hour is -1.0; expected 0 or more"),
        (["jobs", "--price-per-hour", "nan"], "--price-per-hour is nan; expected 0 or more"),
        (["jobs", "--device", "pycuda"], "PyCUDA"),
        (["jobs", "--device", "cpu", "--json", "/nowhere/run.json"], "/nowhere/run.json"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert told in printed.err
    assert "s an image" not in printed.out


def test_a_run_writes_its_machine_its_command_and_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(options: Options) -> Iterator[Row]:
        yield row((1.0, 2.0), section=options.device)

    monkeypatch.setattr("benchmarks.__main__.section", lambda name: measured)
    file = tmp_path / "run.json"
    assert main(["jobs", "--device", "cpu", "--json", str(file)]) == 0
    machine, rows = read(file)
    assert rows == [row((1.0, 2.0), section="cpu")]
    assert machine["device"].startswith("the CPU")
    assert {"cpu", "cores", "gpus", "commit", "versions", "system"} <= machine.keys()
    assert json.loads(file.read_text())["command"][:3] == ["jobs", "--device", "cpu"]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_is_there_and_documented(name: str) -> None:
    assert callable(section(name))
    for page in ("docs/benchmarks.md", "benchmarks/README.md"):
        assert f"`{name}`" in (ROOT / page).read_text(), page
