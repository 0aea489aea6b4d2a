"""``gpuqueue dlq``: the dead letters of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpuqueue.cli.options import ConfigOption
from gpuqueue.cli.report import moment, print_error, printable, reporting_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from gpuqueue.config import Settings
    from gpuqueue.queues import Queue
    from gpuqueue.queues.dead_letters import DeadLetter

dlq = typer.Typer(
    name="dlq",
    help="The dead letters of a queue: list, show, redrive, purge.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

QueueOption = Annotated[
    str | None,
    typer.Option(help="Configured queue; default: default_queue, else listen_queue."),
]


@dlq.command("list")
@reporting_errors
def list_letters(
    queue: QueueOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Most letters to list.")] = 100,
    config: ConfigOption = None,
) -> None:
    """List the jobs that the queue gave up, and why."""
    from rich.console import Console

    from gpuqueue.commands.dead_letters import list_letters
    from gpuqueue.config import load_settings

    settings = load_settings(config)
    opened = _open(settings, queue)
    letters = list_letters(settings, opened, limit + 1)
    if not letters:
        _note(f"queue '{opened.name}' has no dead letters")
        return
    Console(highlight=False).print(_table(letters[:limit]))
    if len(letters) > limit:
        _note(f"there are more than {limit}; see --limit")


@dlq.command()
@reporting_errors
def show(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's id.")],
    queue: QueueOption = None,
    config: ConfigOption = None,
) -> None:
    """Show one dead letter: why, how each try ended, the last lines of the log, the body."""
    from gpuqueue.commands.dead_letters import find_letter
    from gpuqueue.config import load_settings

    settings = load_settings(config)
    letter = find_letter(settings, _open(settings, queue), job_id)
    known = letter.post_mortem
    for name, text in (
        ("job", letter.job_id),
        ("reason", letter.why),
        ("error", known.error),
        ("place", known.place),
        ("received", f"{letter.receives} times"),
        ("sent", moment(letter.sent_at)),
        ("died", moment(letter.died_at)),
        *(("attempt", _told(attempt)) for attempt in known.attempts),
        *(("log", line) for line in known.log),
    ):
        if text:
            typer.secho(f"{name + ':':<10}", bold=True, nl=False)
            typer.echo(printable(text))
    typer.echo(printable(letter.body))


@dlq.command()
@reporting_errors
def redrive(
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of the jobs.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    queue: QueueOption = None,
    config: ConfigOption = None,
) -> None:
    """Send jobs back to the queue, unchanged, and print the id of each.

    They keep their ids. If this is interrupted no job is lost; do it again for the rest.
    """
    from gpuqueue.commands.dead_letters import redrive as redrive_letters
    from gpuqueue.config import load_settings

    if every == bool(job_ids):
        raise typer.BadParameter("give either the ids of jobs or --all", param_hint="ID")
    settings = load_settings(config)
    opened = _open(settings, queue)
    _print_each(redrive_letters(settings, opened, job_ids or None), opened)


@dlq.command()
@reporting_errors
def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do remove them.")] = False,
    queue: QueueOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove all dead letters for good, and print the job's id of each."""
    from gpuqueue.commands.dead_letters import purge as purge_letters
    from gpuqueue.config import load_settings

    settings = load_settings(config)
    opened = _open(settings, queue)
    if not yes:
        count = opened.counts().dead
        print_error(f"this removes about {count} jobs of queue '{opened.name}': add --yes")
        raise typer.Exit(2)
    _print_each(purge_letters(settings, opened), opened)


def _open(settings: Settings, name: str | None) -> Queue:
    from gpuqueue.commands.dead_letters import queue_for

    return queue_for(settings, name)


def _told(attempt: dict[str, Any]) -> str:
    """One attempt as a line; what it holds may come from strangers."""
    times = (attempt.get("started_at"), attempt.get("ended_at"))
    when = " to ".join(moment(at) if isinstance(at, float) else "?" for at in times)
    where = " ".join(f"on {attempt[key]}" for key in ("host", "device") if attempt.get(key))
    return f"{attempt.get('outcome')} {where}, {when}: {attempt.get('reason')}"


def _print_each(job_ids: Iterator[str], queue: Queue) -> None:
    """Print ids as they come, so that an interruption shows how far it got."""
    count = 0
    for count, job_id in enumerate(job_ids, 1):  # noqa: B007 (counted)
        typer.echo(printable(job_id))
    if not count:
        _note(f"queue '{queue.name}' has no dead letters")


def _table(letters: list[DeadLetter]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE)
    for column in ("job", "died", "received", "reason"):
        table.add_column(column, overflow="fold")
    for letter in letters:
        died = moment(letter.died_at) or f"sent {moment(letter.sent_at)}"
        cells = (letter.job_id, died, str(letter.receives), letter.why)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _note(text: str) -> None:
    typer.echo(text, err=True)
