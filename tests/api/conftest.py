"""Settings of an embedded server with some commands of its own, and a front end on a socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from gpuqueue.api.app import DEFAULT_LIMITS, HttpLimits, create_app
from gpuqueue.api.server import bounded
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.queues import Queue, open_queue

COMMANDS = '''\
"""Commands that do what a front end must survive."""

import time

from pydantic import Field

from gpuqueue.binary import Binary
from gpuqueue.commands import CommandContext, NoParameters, Parameters, command


class EchoParameters(Parameters):
    text: str = Field(description="What to say, <b>as it is</b>.")
    times: int = Field(1, ge=1, le=3, description="How often.")


@command("echo", parameters=EchoParameters, returns="the text", direct=True)
def echo(parameters: EchoParameters, context: CommandContext) -> str:
    """Say <script>alert(1)</script> & ``text``."""
    return " ".join([parameters.text] * parameters.times)


@command("picture", parameters=NoParameters, returns="an image", direct=True)
def picture(parameters: NoParameters, context: CommandContext) -> Binary:
    """Return an image."""
    return Binary(b"\\x89PNG and so on", "image/png")


@command("bug", parameters=NoParameters, returns="nothing", direct=True)
def bug(parameters: NoParameters, context: CommandContext) -> None:
    """Fail in a way that nobody foresaw."""
    raise ZeroDivisionError("secret internals")


@command("sleep", parameters=NoParameters, returns="nothing", direct=True)
def sleep(parameters: NoParameters, context: CommandContext) -> None:
    """Take longer than a client may wait."""
    time.sleep(1.5)


@command("call_render", parameters=NoParameters, returns="an image", direct=True)
def call_render(parameters: NoParameters, context: CommandContext) -> Binary:
    """Try to render in the front end."""
    return context.call("rs_fancy_render", {"scene_file": "scenes/a.mi"})


@command("call_echo", parameters=NoParameters, returns="a text", direct=True)
def call_echo(parameters: NoParameters, context: CommandContext) -> str:
    """Call another command."""
    context.progress(0.5, "half")
    return context.call("echo", {"text": "called"})


@command("not_allowed", parameters=NoParameters, returns="nothing")
def not_allowed(parameters: NoParameters, context: CommandContext) -> None:
    """Stand in no allow_command."""
'''


@pytest.fixture(scope="session")
def command_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "api_test_commands.py").write_text(COMMANDS)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, command_folder: Path) -> Settings:
    root = tmp_path_factory.mktemp("root")
    return embedded_settings(root / "data", content_root=root).model_copy(
        update={"command_folders": (command_folder,), "http_post_body_limit": 2048}
    )


@pytest.fixture
def queue(settings: Settings) -> Queue:
    """The server's queue, empty."""
    queue = open_queue(settings, "local_queue")
    while message := queue.receive(0):
        queue.delete(message)
    return queue


@contextmanager
def running(settings: Settings, limits: HttpLimits = DEFAULT_LIMITS) -> Iterator[httpx.Client]:
    """A client of a front end that runs in a thread."""
    server = uvicorn.Server(bounded(create_app(settings, limits)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            # Requests wait in the socket until the server is up.
            with httpx.Client(base_url=address, trust_env=False, timeout=20) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[httpx.Client]:
    with running(settings) as client:
        yield client
