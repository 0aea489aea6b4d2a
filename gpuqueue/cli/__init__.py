"""The command line: one file for each command.

``gpuqueue --help`` must answer at once, so the files import the rest of the package, and rich,
inside their functions.
"""

from __future__ import annotations

import typer

from gpuqueue.cli.convert import convert
from gpuqueue.cli.demo import demo
from gpuqueue.cli.dlq import dlq
from gpuqueue.cli.doctor import doctor
from gpuqueue.cli.health import health
from gpuqueue.cli.inspect import inspect
from gpuqueue.cli.jobs import jobs
from gpuqueue.cli.listen import listen
from gpuqueue.cli.render import render
from gpuqueue.cli.report import reporting_errors
from gpuqueue.cli.serve import serve
from gpuqueue.cli.submit import submit
from gpuqueue.cli.version import version

app = typer.Typer(
    name="gpuqueue",
    help="A render queue for GPU servers: JSON-RPC in, a queue between, path-traced pictures out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_COMMANDS = (demo, serve, listen, submit, render, inspect, convert, doctor, health, version)
for function in _COMMANDS:
    app.command()(reporting_errors(function))
app.add_typer(dlq)
app.add_typer(jobs)


def main() -> None:
    """Run the command line; its exit code is 0, 1 for a failure, 2 for wrong usage."""
    app()
