"""``python -m benchmarks [SECTION …]`` measures; ``compare A B`` and ``plot A`` look at runs.

Results are checked before anything is timed: a wrong one ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks import report
from benchmarks.compare import compare, unlike
from benchmarks.device import open_device
from benchmarks.machine import describe
from benchmarks.options import PEERS, CheckFailed, Options
from benchmarks.peers.environments import ENVIRONMENTS, PeerMissing, install
from benchmarks.rows import Row
from benchmarks.sections import SECTIONS, section
from gpuqueue.errors import GpuqueueError

#: Kinds of errors that a user can do something about; others are bugs, and show where.
TOLD = (CheckFailed, GpuqueueError, ValueError, OSError)


def main(arguments: list[str] | None = None) -> int:
    """1 where results are wrong, or files or the device cannot be used."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given[:1] == ["compare"]:
            print_comparison(compare_parser().parse_args(given[1:]))
        elif given[:1] == ["plot"]:
            draw(plot_parser().parse_args(given[1:]))
        else:
            run(parser().parse_args(given), given)
    except TOLD as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be asked of a run."""
    defaults = Options()
    parsed = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parsed.add_argument
    add("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all by default")
    add("--device", default=defaults.device, choices=("auto", "cpu", "cupy", "pycuda"))
    add("--threads", type=int, default=defaults.threads, help="of the cpu device; 0: all cores")
    add("--scenes", nargs="+", default=defaults.scenes, choices=defaults.scenes)
    add("--peers", nargs="*", default=PEERS, choices=PEERS, help="other renderers in the race")
    add("--quick", action="store_true", help="small scenes, to see that it works: minutes")
    add("--rounds", type=int, default=defaults.rounds)
    add("--seconds", type=float, default=defaults.seconds, help="processor time of a picture")
    add("--size", type=int, default=defaults.size, help="pixels a side")
    add("--price-per-hour", type=float, help="of this machine, in any currency: prices an image")
    add("--install", action="store_true", help="install the other renderers (2 GB)")
    add("--cache", type=Path, default=defaults.cache, help="other renderers, references")
    add("--json", type=Path, help="write the rows to this file, section by section")
    return parsed


def compare_parser() -> argparse.ArgumentParser:
    """What ``compare`` takes."""
    parsed = argparse.ArgumentParser(prog="python -m benchmarks compare")
    parsed.add_argument("before", type=Path)
    parsed.add_argument("after", type=Path)
    return parsed


def plot_parser() -> argparse.ArgumentParser:
    """What ``plot`` takes."""
    parsed = argparse.ArgumentParser(prog="python -m benchmarks plot")
    parsed.add_argument("run", type=Path)
    parsed.add_argument("--output", type=Path, default=Path(), help="the folder for the pictures")
    return parsed


def run(asked: argparse.Namespace, command: list[str]) -> None:
    """Run section by section; print each row as it is there, keep the file up to date."""
    options, names = options_of(asked), sections_of(asked.sections)
    if asked.install:
        install_all(asked.cache)
    with open_device(options) as device:
        machine = {**describe(), "device": device.description}
    print(f"{machine['device']}; commit {machine['commit'] or 'unknown'}")
    rows: list[Row] = []
    if asked.json:  # a file that cannot be written is better known now
        report.write(asked.json, machine, command, rows)
    for name in names:
        print(f"\n{name}")
        for row in report.priced(section(name)(options), asked.price_per_hour):
            print(report.line(row), flush=True)
            rows.append(row)
        if asked.json:
            report.write(asked.json, machine, command, rows)


def options_of(asked: argparse.Namespace) -> Options:
    """The options. Raises ValueError for numbers that make no sense."""
    for name, least in (("rounds", 1), ("seconds", 0.01), ("size", 16), ("threads", 0)):
        if getattr(asked, name) < least:
            raise ValueError(f"--{name} is {getattr(asked, name)}; expected at least {least}")
    if asked.price_per_hour is not None and not 0 <= asked.price_per_hour < float("inf"):
        raise ValueError(f"--price-per-hour is {asked.price_per_hour}; expected 0 or more")
    return Options(
        device=asked.device,
        quick=asked.quick,
        rounds=asked.rounds,
        scenes=tuple(asked.scenes),
        peers=tuple(asked.peers),
        seconds=asked.seconds,
        size=asked.size,
        threads=asked.threads,
        cache=asked.cache,
    )


def sections_of(asked: list[str]) -> list[str]:
    """The sections to run, in their order. Raises ValueError for an unknown one."""
    if unknown := [name for name in asked if name not in (*SECTIONS, "all")]:
        raise ValueError(f"unknown section '{unknown[0]}'; known: {', '.join(SECTIONS)}, all")
    return [name for name in SECTIONS if not asked or "all" in asked or name in asked]


def install_all(cache: Path) -> None:
    """Install the other renderers; say which cannot be."""
    for name in ENVIRONMENTS:
        try:
            install(name, cache)
        except PeerMissing as missing:
            print(missing, file=sys.stderr)


def print_comparison(asked: argparse.Namespace) -> None:
    """The ratios; before them, what makes the machines unlike."""
    (machine, rows), (other, others) = report.read(asked.before), report.read(asked.after)
    print_lines(unlike(machine, other))
    print_lines(compare(rows, others))


def draw(asked: argparse.Namespace) -> None:
    """Draw a run's pictures, and say where they are. Raises ValueError without matplotlib."""
    from benchmarks.plots import plot

    _, rows = report.read(asked.run)
    print_lines(str(path) for path in plot(rows, asked.output))


def print_lines(lines: Iterable[str]) -> None:
    """Each as soon as it is there."""
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
