"""``gpuqueue submit``."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpuqueue.cli.options import ConfigOption

if TYPE_CHECKING:
    from gpuqueue.config import Settings
    from gpuqueue.job import Job, TaskCall

TIMED_OUT = 3


def submit(
    command: Annotated[str, typer.Argument(help="Name of the command to run.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            metavar="KEY=VALUE",
            help="A parameter of the command; its value is JSON where it reads as JSON, else text.",
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "-t",
            "--task",
            metavar="'NAME KEY=VALUE …'",
            help="A task for the result, in shell words: "
            "'s3_upload bucket=B key=renders/${message_id}.${mime_ext}'. May be repeated.",
        ),
    ] = None,
    queue: Annotated[
        str | None, typer.Option(help="Configured queue; default: default_queue.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Your own name for the job; its record tells it.")
    ] = None,
    parts: Annotated[
        int, typer.Option(min=1, help="How many listeners may share the work of a render.")
    ] = 1,
    frames: Annotated[
        str | None,
        typer.Option(
            metavar="1-100|1-100x5|3,7,12",
            help="A job for each frame; ${frame} or ${frame:4} in parameters and tasks is its "
            "number. Prints the group's id.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(help="Idempotency token: the same submit with the same one queues nothing."),
    ] = None,
    config: ConfigOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome.")] = False,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Longest wait.")
    ] = None,
) -> None:
    """Put a job into the queue and print its id.

    With --wait the exit code is the outcome: 0 done, 1 dead, 3 not known within the --timeout.
    Without a state_bucket only success of a job in SQS can be seen, as its objects appear; that
    needs a --timeout.

    \b
    gpuqueue submit rs_fancy_render -p scene_file=scenes/cornell.mi -p width=640 --wait \\
      --task 's3_upload bucket=local_bucket key=renders/${message_id}.${mime_ext}'
    """
    from gpuqueue.cli.outcome import check_watchable
    from gpuqueue.commands.frames import parse_frames
    from gpuqueue.commands.submit import Order, submit_order
    from gpuqueue.config import load_settings
    from gpuqueue.job import Job

    parameters = _pairs(parameter or [], "--parameter")
    tasks = tuple(_task(words) for words in task or [])
    settings = load_settings(config)
    job = Job.new(command, parameters, tasks, reference)
    numbers = parse_frames(frames) if frames is not None else ()
    if wait and numbers:
        raise typer.BadParameter(
            "cannot be waited for; see 'gpuqueue jobs group'", param_hint="--frames"
        )
    name = queue or settings.queue_manager.default_queue
    if wait and name is not None:
        check_watchable(settings, name, job, is_bounded=timeout is not None)
    receipt = submit_order(settings, Order(job, queue, parts, numbers, token))
    typer.echo(receipt.group or receipt.jobs[0])
    if wait and name is not None:
        _wait(settings, name, job.model_copy(update={"id": receipt.jobs[0]}), timeout)


def _wait(settings: Settings, queue_name: str, job: Job, timeout_s: float | None) -> None:
    from rich.console import Console

    from gpuqueue.cli.outcome import Fate, Outcome, results, watch
    from gpuqueue.cli.report import print_error

    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    outcome = Outcome(Fate.WAITING)
    with Console(stderr=True).status("waiting") as status:
        for outcome in watch(settings, queue_name, job):
            status.update(str(outcome.fate))
            if deadline is not None and time.monotonic() >= deadline:
                break
    if outcome.fate is Fate.DONE:
        for address in results(settings, job):
            typer.echo(address)
    elif outcome.fate is Fate.DEAD:
        print_error(f"job {job.id} failed: {outcome.reason}")
        raise typer.Exit(1)
    else:
        print_error(f"job {job.id} is still {outcome.fate} after {timeout_s:g} s")
        raise typer.Exit(TIMED_OUT)


def _pairs(words: list[str], option: str) -> dict[str, Any]:
    """``key=value`` words as a mapping. Raises typer.BadParameter."""
    pairs: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{word!r} is not KEY=VALUE", param_hint=option)
        if key in pairs:
            raise typer.BadParameter(f"{key!r} is given twice", param_hint=option)
        pairs[key] = _value(text)
    return pairs


def _value(text: str) -> Any:
    from gpuqueue.strict_json import MAX_DEPTH, NotJson, parse

    try:
        # Half of what a job may have, since the value stands inside others.
        return parse(text, MAX_DEPTH // 2)
    except NotJson:
        return text


def _task(text: str) -> TaskCall:
    """One task from its shell words. Raises typer.BadParameter."""
    from gpuqueue.job import TaskCall

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--task") from error
    if not words:
        raise typer.BadParameter("expected a task's name", param_hint="--task")
    return TaskCall(name=words[0], config=_pairs(words[1:], "--task"))
