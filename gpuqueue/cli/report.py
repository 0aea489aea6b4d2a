"""How the command line tells of errors: what is wrong, without a traceback."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from gpuqueue.errors import GpuqueueError

P = ParamSpec("P")
R = TypeVar("R")

#: What a shell gives a command that Ctrl-C ended.
INTERRUPTED = 130


def reporting_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Turn an error that gpuqueue raises on purpose into its message and exit code 1."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except GpuqueueError as error:
            print_error(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            print_error("interrupted")
            raise typer.Exit(INTERRUPTED) from None

    return wrapper


def print_error(message: str) -> None:
    """One message to standard error; a scene's lines below it keep their columns."""
    typer.secho("error: ", fg=typer.colors.RED, bold=True, err=True, nl=False)
    typer.echo(message, err=True)


def printable(text: str) -> str:
    """Text from others without what a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def moment(seconds: float | None) -> str:
    """A time in seconds since 1970 as people read it; nothing for None."""
    if seconds is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
