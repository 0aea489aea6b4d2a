"""A server with everything beside it, for tests that do it harm: one for all of them.

Front end and listener are real processes on an embedded queue. Whatever a test sends, the listener
that was there at the beginning must be there at the end.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gpuqueue.config import Settings, load_settings
from gpuqueue.queues import open_queue
from gpuqueue.queues.base import Findable

from .processes import Process

SCENES = Path(__file__).parents[2] / "examples" / "scenes"
COMMANDS = Path(__file__).parents[1] / "listener" / "commands"
SECRET_KEY = "hunter2/Secret+Key"
MAX_RECEIVES = 2

CONFIGURATION = f"""\
content_root root
command_folder {COMMANDS}
http_address 127.0.0.1:0
<user queue_manager>
    allow_command get_version
    allow_command rs_fancy_render
    allow_command probe
    allow_command nobody_has_this
    default_queue jobs
    listen_queue jobs
    visibility_timeout_s 30
    max_backoff_s 0
    stall_timeout_s 2
    <user http_post>
        allow_private_networks on
        total_timeout_s 1
    </user>
</user>
<user render>
    device cpu
    threads 1
</user>
<user aws>
    access_key AKIDEXAMPLE
    secret_key {SECRET_KEY}
</user>
<user local>
    <user queue>
        name jobs
        path queue.sqlite
        max_receives {MAX_RECEIVES}
    </user>
    <user bucket>
        name results
        path bucket
    </user>
</user>
"""


@dataclass
class Site:
    """The running server."""

    folder: Path
    address: str
    server: Process
    settings: Settings
    queue: Findable

    def post(self, body: bytes | str) -> httpx.Response:
        """POST a body as it is."""
        return httpx.post(self.address, content=body, timeout=30, trust_env=False)

    def call(self, method: str, params: Any) -> dict[str, Any]:
        """The reply to one call."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        reply: dict[str, Any] = self.post(json.dumps(call)).json()
        return reply

    def submit(self, command: str, parameters: dict[str, Any] | None = None, **more: Any) -> str:
        """Submit a job that must be accepted; its id."""
        params = {"command": command, "parameters": parameters or {}, **more}
        reply = self.call("queue_manager_submit_job", params)
        assert "result" in reply, reply
        return str(reply["result"])

    def refusal(self, command: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
        """Submit a job that must be refused; the error."""
        params = {"command": command, "parameters": parameters or {}, **more}
        reply = self.call("queue_manager_submit_job", params)
        assert "error" in reply, reply
        error: dict[str, Any] = reply["error"]
        return error

    def insert(self, body: str, job_id: str) -> None:
        """Put a message into the queue behind everybody's back, as it is."""
        with closing(sqlite3.connect(self.folder / "queue.sqlite", timeout=10)) as connection:
            connection.execute(
                "INSERT INTO messages (id, job_id, body, sent_at, visible_at) VALUES (?,?,?,?,?)",
                [job_id, job_id, body, time.time(), time.time()],
            )
            connection.commit()

    def messages(self) -> int:
        """How many there are in the queue, dead ones included."""
        with closing(sqlite3.connect(self.folder / "queue.sqlite", timeout=10)) as connection:
            [number] = connection.execute("SELECT count(*) FROM messages").fetchone()
        return int(number)

    def end_of(self, job_id: str, timeout_s: float = 60) -> str:
        """``done``, or why the job is dead."""
        deadline = time.monotonic() + timeout_s
        while (found := self.queue.find(job_id)) is not None:
            if found.dead_because is not None:
                return found.dead_because
            assert time.monotonic() < deadline, self.server.log
            time.sleep(0.02)
        return "done"

    def does_a_job(self) -> None:
        """The listener still works."""
        assert self.end_of(self.submit("get_version")) == "done"


@contextmanager
def running_site(folder: Path, outlives: bool = True) -> Iterator[Site]:
    """Start a server in `folder`; its first listener is its last, if it `outlives` all."""
    shutil.copytree(SCENES, folder / "root" / "scenes")
    configuration = folder / "site.conf"
    configuration.write_text(CONFIGURATION)
    settings = load_settings(configuration)
    queue = open_queue(settings, "jobs")
    assert isinstance(queue, Findable)
    with Process(folder / "serve.log", "serve", "-c", str(configuration)) as server:
        address = server.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        server.wait_for(r"Waiting for job\.")
        site = Site(folder, address, server, settings, queue)
        yield site
        site.does_a_job()
        assert not outlives or server.log.count("Waiting for job.") == 1, "it died of a job"
        assert SECRET_KEY not in server.log
    assert not list(folder.rglob("*.part")), "temporary files are left"
