"""Pictures of rows: what is drawn, and that the same rows give the same files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.plots import plot
from benchmarks.report import write
from benchmarks.rows import Row

pytest.importorskip("matplotlib")

ROWS = [
    *(
        Row("kernels", scene, kind, metric, (value, 1.1 * value))
        for scene in ("spheres", "grove")
        for kind in ("camera", "shadow")
        for metric, value in (("Mrays/s", 4.0), ("share of the roof", 0.2))
    ),
    *(
        Row("integrator", "room", "cpu", metric, (value,), "lower")
        for samples, seconds, error in ((1, 0.1, 0.9), (2, 0.2, 0.5), (4, 0.4, 0.2))
        for metric, value in (
            (f"relMSE at {samples} samples", error),
            (f"s to {samples} samples", seconds),
        )
    ),
    Row("peers", "room", "cycles", "our speed to its", (2.0, 2.5)),
    Row("peers", "room", "cycles", "its error time to ours", (0.5, 3.0)),
]


def test_a_run_is_drawn_as_png_and_svg(tmp_path: Path) -> None:
    drawn = list(plot(ROWS, tmp_path / "new"))
    names = {path.name for path in drawn}
    assert names == {f"{n}.{s}" for n in ("rays", "convergence", "peers") for s in ("png", "svg")}
    for path in drawn:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.width > 200
                assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 10, "not blank"
    svg = (tmp_path / "new" / "rays.svg").read_text()
    assert all(word in svg for word in ("grove", "spheres", "camera", "share of the roof"))


def test_the_same_rows_give_the_same_files(tmp_path: Path) -> None:
    first, second = (list(plot(ROWS, tmp_path / name)) for name in ("a", "b"))
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_what_was_not_measured_has_no_picture(tmp_path: Path) -> None:
    assert {path.stem for path in plot(ROWS[-2:], tmp_path)} == {"peers"}
    with pytest.raises(ValueError, match="nothing to draw"):
        list(plot([Row("jobs", "a", "b", "jobs a minute", (1.0,))], tmp_path))


def test_the_command_draws_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "run.json", {}, [], ROWS[-2:])
    assert main(["plot", str(tmp_path / "run.json"), "--output", str(tmp_path)]) == 0
    assert (tmp_path / "peers.png").exists()
    assert str(tmp_path / "peers.svg") in capsys.readouterr().out
