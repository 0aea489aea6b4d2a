"""``gpuqueue jobs``: what became of jobs, from their records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpuqueue.cli.options import ConfigOption
from gpuqueue.cli.report import moment, printable, reporting_errors

if TYPE_CHECKING:
    from rich.table import Table

    from gpuqueue.records import Attempt, JobRecord

jobs = typer.Typer(
    name="jobs",
    help="Jobs and what became of them: list, show, cancel.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]


@jobs.command("list")
@reporting_errors
def list_jobs(
    state: Annotated[
        str | None, typer.Option(help="Only jobs in this state, such as running or dead.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Only jobs submitted with this reference.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most jobs to list.")] = 20,
    config: ConfigOption = None,
) -> None:
    """List the newest jobs."""
    from rich.console import Console

    from gpuqueue.commands.jobs import find_jobs
    from gpuqueue.config import load_settings
    from gpuqueue.records import State

    if state is not None and state not in set(State):
        raise typer.BadParameter(f"expected one of {', '.join(State)}", param_hint="--state")
    found = find_jobs(load_settings(config), limit, State(state) if state else None, reference)
    if not found:
        typer.echo("no such jobs", err=True)
        return
    Console(highlight=False).print(_table(found))


@jobs.command()
@reporting_errors
def show(job_id: IdArgument, config: ConfigOption = None) -> None:
    """Show one job: its state, its attempts, its results."""
    from gpuqueue.commands.jobs import find_job
    from gpuqueue.config import load_settings

    record = find_job(load_settings(config), job_id)
    for name, text in _facts(record):
        typer.secho(f"{name + ':':<11}", bold=True, nl=False)
        typer.echo(printable(text))


@jobs.command()
@reporting_errors
def cancel(job_id: IdArgument, config: ConfigOption = None) -> None:
    """Cancel a job and print its state; a running one is stopped within seconds."""
    from gpuqueue.commands.jobs import cancel_job
    from gpuqueue.config import load_settings

    typer.echo(cancel_job(load_settings(config), job_id).state)


@jobs.command()
@reporting_errors
def group(
    group_id: Annotated[str, typer.Argument(metavar="ID", help="The group's id.")],
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel what has not ended first.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show how far the frames of one submit are."""
    from rich.console import Console

    from gpuqueue.commands.groups import (
        cancel_group,
        find_group,
        jobs_of,
        progress_of,
        states_of,
    )
    from gpuqueue.config import load_settings

    settings = load_settings(config)
    if cancel:
        cancel_group(settings, group_id)
    records = jobs_of(settings, find_group(settings, group_id))
    states = ", ".join(f"{count} {state}" for state, count in sorted(states_of(records).items()))
    typer.echo(f"{progress_of(records):.0%} done: {states}")
    Console(highlight=False).print(_table(records))


def _facts(record: JobRecord) -> list[tuple[str, str]]:
    facts = [
        ("job", record.id),
        ("reference", record.reference or ""),
        ("command", record.command),
        ("queue", record.queue),
        ("state", _state(record)),
        ("submitted", moment(record.submitted_at)),
        ("updated", moment(record.updated_at)),
        *(("result", place) for place in record.results),
        ("sha256", record.result_sha256 or ""),
        ("cost", "" if record.cost is None else f"{record.cost:.4g}"),
    ]
    first = record.earlier_attempts + 1
    facts += [(f"attempt {n}", _told(a)) for n, a in enumerate(record.attempts, first)]
    facts += [("log", line) for attempt in record.attempts for line in attempt.log]
    return [(name, text) for name, text in facts if text]


def _state(record: JobRecord) -> str:
    if record.progress is None or record.state.is_final or not record.attempts:
        return record.state
    left = "" if record.eta_at is None else f", done at {moment(record.eta_at)} at this pace"
    return f"{record.state}, {record.progress.fraction:.0%}: {record.progress.message}{left}"


def _told(attempt: Attempt) -> str:
    until = f" to {moment(attempt.ended_at)}" if attempt.ended_at else ""
    why = f": {attempt.reason}" if attempt.reason else ""
    when = f"{moment(attempt.started_at)}{until}"
    device = f" on {attempt.device}" if attempt.device else ""
    return f"{attempt.outcome} on {attempt.host}{device}, {when}{why}"


def _table(records: list[JobRecord]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE)
    for column in ("job", "frame", "submitted", "command", "reference", "tries", "state"):
        table.add_column(column, overflow="fold")
    for record in records:
        cells = (
            record.id,
            "" if record.frame is None else str(record.frame),
            moment(record.submitted_at),
            record.command,
            record.reference or "",
            str(record.attempt_count),
            _state(record),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table
