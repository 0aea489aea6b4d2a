"""The pages of a front end: how it is, and what its commands do."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64encode
from importlib.resources import files
from typing import Any

from gpuqueue import __version__
from gpuqueue.api.html import Markup, element, fragment, page
from gpuqueue.api.state import BucketState, QueueState, State
from gpuqueue.commands import Command
from gpuqueue.commands.documentation import describe_command
from gpuqueue.config import Settings
from gpuqueue.tasks import TASKS

STYLE = files(__package__).joinpath("style.css").read_text()
#: For the Content-Security-Policy: this style sheet and no other.
STYLE_HASH = f"sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}"

REFRESH_S = 5

EXAMPLE = """\
curl -s {address} -d '{{"jsonrpc": "2.0", "id": 1, "method": "queue_manager_submit_job",
  "params": {{"command": "get_version", "tasks": [{{"name": "s3_upload", "config":
    {{"bucket": "{bucket}", "key": "tests/version-${{message_id}}.${{mime_ext}}"}}}}]}}}}'"""


def status_page(
    settings: Settings, state: State, commands: list[Command[Any]], address: str
) -> str:
    """Version, queues with their counts, buckets, commands, and how to submit a job."""
    bucket = next(iter(settings.buckets), "a bucket's name")
    return page(
        "gpuqueue",
        STYLE,
        _header(
            element("span", class_="dot" if state.is_ready else "dot bad"),
            "ready" if state.is_ready else "not ready",
        ),
        _section("Queues", _cards([_queue_card(settings, queue) for queue in state.queues])),
        _section("Buckets", _cards([_bucket_card(bucket) for bucket in state.buckets])),
        _section("Commands", _command_table(settings, commands)),
        _section("Submit a job", element("pre", EXAMPLE.format(address=address, bucket=bucket))),
        element(
            "footer",
            f"State of {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(state.asked_at))} UTC · "
            f"tasks: {', '.join(TASKS)} · ",
            element("a", "healthz", href="/healthz"),
        ),
        refresh_s=REFRESH_S,
    )


def index_page(settings: Settings, commands: list[Command[Any]], missing: str | None = None) -> str:
    """The list of commands, and which name was asked for in vain."""
    note = element("p", f"There is no command '{missing}'.", class_="problem") if missing else ""
    return page(
        "Commands",
        STYLE,
        _header("command documentation"),
        note,
        _command_table(settings, commands),
    )


def command_page(settings: Settings, command: Command[Any]) -> str:
    """One command: what it does, its arguments with type and default, what it returns."""
    told: Any = describe_command(command)
    arguments = [_argument(argument) for argument in told["arguments"]]
    head = ("Argument", "Type", "Default", "Description")
    return page(
        command.name,
        STYLE,
        _header("command documentation"),
        element("h2", "Command"),
        element(
            "div",
            element("h3", command.name, *_command_tags(settings, command)),
            *[element("p", _prose(part)) for part in told["description"].split("\n\n")],
            class_="card",
        ),
        _section("Arguments", _table(head, arguments) if arguments else _soft("None.")),
        _section("Returns", element("p", _prose(told["returns"]))),
        element("footer", element("a", "All commands", href="/?doc=")),
    )


def _argument(told: dict[str, Any]) -> Markup:
    """One argument; that it may be null goes without saying where null is the default."""
    if told["required"]:
        default: str = "required"
    elif told["default"] is None:
        default = element("span", "none", class_="soft")
    else:
        default = element("code", _json(told["default"]))
    return _row(
        element("code", told["name"]),
        element("code", told["type"].removesuffix("|null")),
        default,
        fragment(_prose(told["description"]), *_choices(told["choices"])),
    )


def _header(*status: str) -> Markup:
    return element(
        "header",
        element("h1", element("a", "gpuqueue", href="/")),
        element("span", f"version {__version__}", class_="soft"),
        element("span", *_spaced(status), class_="right soft"),
    )


def _section(title: str, *children: str) -> Markup:
    return fragment(element("h2", title), *children)


def _cards(cards: list[Markup]) -> Markup:
    return element("div", *cards, class_="cards") if cards else _soft("None is configured.")


def _prose(text: str) -> Markup:
    """A piece of a docstring; what stands between double back-quotes is code."""
    parts = text.split("``")
    return fragment(*[element("code", p) if i % 2 else p for i, p in enumerate(parts)])


def _soft(text: str) -> Markup:
    return element("p", text, class_="soft")


def _queue_card(settings: Settings, queue: QueueState) -> Markup:
    manager = settings.queue_manager
    roles = {
        "default": manager.default_queue,
        "listening": manager.listen_queue,
        "first": manager.priority_queue,
    }
    tags = [queue.module, *[role for role, name in roles.items() if name == queue.name]]
    if queue.counts is None:
        body = element("p", queue.problem or "", class_="problem")
    else:
        body = element(
            "div",
            _count("waiting", queue.counts.visible),
            _count("in flight", queue.counts.in_flight, "busy"),
            _count("dead", queue.counts.dead, "hot"),
            class_="counts",
        )
    return _card(queue.name, tags, queue.problem, body)


def _count(label: str, number: int, mark: str = "") -> Markup:
    return element(
        "div", element("b", str(number)), element("span", label), class_=mark * (number > 0)
    )


def _bucket_card(bucket: BucketState) -> Markup:
    body = element("p", bucket.problem, class_="problem") if bucket.problem else ""
    return _card(bucket.name, [bucket.module], bucket.problem, body)


def _card(name: str, tags: list[str], problem: str | None, body: str) -> Markup:
    dot = element("span", class_="dot bad" if problem else "dot")
    head = element("h3", dot, name, *map(_tag, tags))
    return element("div", head, body, class_="card")


def _tag(text: str) -> Markup:
    return element("span", text, class_="tag")


def _command_table(settings: Settings, commands: list[Command[Any]]) -> Markup:
    rows = [
        _row(
            element("a", command.name, href=f"/?doc={command.name}"),
            _prose(command.description.partition("\n\n")[0]),
            fragment(*_spaced(_command_tags(settings, command))),
        )
        for command in commands
    ]
    return _table(("Name", "What it does", ""), rows)


def _command_tags(settings: Settings, command: Command[Any]) -> list[Markup]:
    tags = {
        "direct": command.direct,
        "in jobs": command.queueable and command.name in settings.queue_manager.allow_command,
    }
    return [_tag(text) for text, is_so in tags.items() if is_so]


def _table(head: tuple[str, ...], rows: list[Markup]) -> Markup:
    titles = element("thead", element("tr", *[element("th", title) for title in head]))
    return element("table", titles, element("tbody", *rows))


def _row(*cells: str) -> Markup:
    return element("tr", *[element("td", cell) for cell in cells])


def _choices(values: list[Any] | None) -> list[str]:
    if not values:
        return []
    return [" One of: ", *_spaced([element("code", _json(value)) for value in values])]


def _spaced(pieces: tuple[str, ...] | list[Markup]) -> list[str]:
    return [part for piece in pieces for part in (piece, " ")]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
