"""Pictures of a run's rows, PNG and SVG, by matplotlib; what was not measured has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours that people who see few of them can tell apart (Okabe and Ito 2008).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "savefig.dpi": 110,
    # The same rows give the same file.
    "svg.hashsalt": "gpuqueue",
    "svg.fonttype": "none",
}
RELATIVE_ERROR, SECONDS = "relMSE at ", "s to "


def plot(rows: Sequence[Row], folder: Path) -> Iterator[Path]:
    """Draw what `rows` tell into `folder`, which is made; the files. Raises ValueError where
    matplotlib is missing, or where there is nothing to draw."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as missing:
        raise ValueError("matplotlib is not installed: pip install -e '.[bench]'") from missing
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    drawn = 0
    with plt.rc_context(STYLE):
        for name, draw in PICTURES.items():
            figure = draw(rows)
            if figure is None:
                continue
            drawn += 1
            for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
                path = folder / f"{name}{suffix}"
                figure.savefig(path, metadata=metadata, bbox_inches="tight")
                yield path
            plt.close(figure)
    if not drawn:
        raise ValueError("the run holds no rows of kernels, integrator or peers: nothing to draw")


def rates(rows: Sequence[Row]) -> Figure | None:
    """Rays a second, and the share of the roof, by scene and kind."""
    own = [row for row in rows if row.section == "kernels"]
    measured = [row for row in own if row.metric == "Mrays/s"]
    if not measured:
        return None
    shares = [row for row in own if row.metric == "share of the roof"]
    figure, axes = _panels(2 if shares else 1, width=7.5, height=3.0)
    _bars(axes[0], measured, "million rays a second")
    if shares:
        _bars(axes[1], shares, "share of the roof (1: the roof)")
    _legend_below(figure, axes[0])
    return figure


def convergence(rows: Sequence[Row]) -> Figure | None:
    """Error over time, a panel for each scene."""
    own = [row for row in rows if row.section == "integrator"]
    scenes = list(dict.fromkeys(row.scene for row in own))
    if not scenes:
        return None
    figure, axes = _panels(len(scenes), width=2.0 * len(scenes) + 0.5, height=2.4, share=True)
    for panel, scene in zip(axes, scenes, strict=True):
        of_scene = [row for row in own if row.scene == scene]
        for colour, case in zip(COLOURS, dict.fromkeys(row.case for row in of_scene), strict=False):
            seconds, errors = _curve([row for row in of_scene if row.case == case])
            panel.loglog(seconds, errors, "o-", ms=3, lw=1.2, color=colour, label=case)
        panel.set_title(scene)
        panel.set_xlabel("seconds")
        panel.xaxis.set_minor_formatter(lambda *_: "")
        panel.grid(True)
    axes[0].set_ylabel("relMSE")
    _legend_below(figure, axes[0])
    return figure


def peers(rows: Sequence[Row]) -> Figure | None:
    """Our speed, and what others take to our error, as ratios; above one we are ahead."""
    own = [row for row in rows if row.section == "peers"]
    speed = [row for row in own if row.metric == "our speed to its"]
    error = [row for row in own if row.metric == "its error time to ours"]
    if not speed:
        return None
    figure, axes = _panels(2, width=7.5, height=3.0)
    for panel, shown, title in zip(axes, (speed, error), ("speed", "error x time"), strict=True):
        _bars(panel, shown, f"gpuqueue ahead by, {title}")
        panel.set_yscale("log")
        panel.axhline(1, color="black", lw=1)
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _legend_below(figure, axes[0])
    return figure


PICTURES: dict[str, Callable[[Sequence[Row]], Figure | None]] = {
    "rays": rates,
    "convergence": convergence,
    "peers": peers,
}


def _panels(
    count: int, width: float, height: float, share: bool = False
) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, count, figsize=(width, height), squeeze=False, sharey=share, layout="constrained"
    )
    return figure, list(axes[0])


def _legend_below(figure: Figure, panel: Axes) -> None:
    """One for all panels, where no bar is hidden."""
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)


def _bars(panel: Axes, rows: Sequence[Row], label: str) -> None:
    """A group for each scene, a bar for each case; lines from the lowest to the highest round."""
    scenes = list(dict.fromkeys(row.scene for row in rows))
    cases = list(dict.fromkeys(row.case for row in rows))
    width = 0.8 / len(cases)
    for index, case in enumerate(cases):
        own = {row.scene: row for row in rows if row.case == case}
        place = [scenes.index(scene) + (index - (len(cases) - 1) / 2) * width for scene in own]
        middle = np.array([row.median for row in own.values()])
        ends = np.abs(np.array([row.spread for row in own.values()]).T - middle)
        colour = COLOURS[index % len(COLOURS)]
        panel.bar(place, middle, width * 0.92, color=colour, label=case)
        panel.errorbar(place, middle, ends, fmt="none", ecolor="#333333", elinewidth=0.8)
    panel.set_xticks(range(len(scenes)), [scene.replace("-", "\n") for scene in scenes])
    panel.set_ylabel(label)
    panel.grid(True, axis="y")


def _curve(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Seconds and errors after so many samples."""
    median = {row.metric: row.median for row in rows}
    samples = [m.removeprefix(RELATIVE_ERROR) for m in median if m.startswith(RELATIVE_ERROR)]
    return [median[SECONDS + s] for s in samples], [median[RELATIVE_ERROR + s] for s in samples]
