"""A front end and a listener as processes, with the embedded queue and a bucket in a folder."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.options import CheckFailed, Options
from gpuqueue.config import Settings, load_settings
from gpuqueue.records import JobRecord, State, open_records
from gpuqueue.storage import open_bucket
from tests.acceptance.processes import Process

SCENES = Path(__file__).parents[2] / "examples" / "scenes"
POLL_S = 0.05
JOBS_S = 600.0

CONFIGURATION = """\
content_root root
http_address 127.0.0.1:0
<user queue_manager>
    allow_command rs_fancy_render
    default_queue jobs
    listen_queue jobs
    state_bucket results
</user>
<user render>
    device {device}
    threads {threads}
</user>
<user local>
    <user queue>
        name jobs
        path queue.sqlite
        max_receives 1
    </user>
    <user bucket>
        name results
        path bucket
    </user>
</user>
"""


@dataclass(frozen=True)
class Site:
    """The running server. `client` keeps its connection."""

    settings: Settings
    client: httpx.Client

    def submit(self, parameters: dict[str, Any]) -> str:
        """Submit a render whose result goes to the bucket; the job's id."""
        upload = {"bucket": "results", "key": "${message_id}.${mime_ext}"}
        params = {
            "command": "rs_fancy_render",
            "parameters": parameters,
            "tasks": [{"name": "s3_upload", "config": upload}],
        }
        call = {"jsonrpc": "2.0", "id": 1, "method": "queue_manager_submit_job", "params": params}
        reply = self.client.post("/", json=call).json()
        if "result" not in reply:
            raise CheckFailed(f"a job was refused: {reply}")
        return str(reply["result"])

    def ends(self, job_ids: Sequence[str]) -> list[JobRecord]:
        """Wait until all jobs have succeeded; their records. Raises CheckFailed where one does
        not, or not within `JOBS_S`."""
        records = open_records(self.settings)
        assert records is not None
        deadline, found = time.monotonic() + JOBS_S, list[JobRecord]()
        for job_id in job_ids:
            while (record := records.get(job_id)) is None or not record.state.is_final:
                if time.monotonic() > deadline:
                    raise CheckFailed(f"job {job_id} is not done after {JOBS_S:g} s")
                time.sleep(POLL_S)
            if record.state is not State.SUCCEEDED:
                raise CheckFailed(f"job {job_id}: {record.state}, {record.attempts[-1].reason}")
            found.append(record)
        return found

    def result(self, job_id: str, extension: str) -> bytes:
        """The bytes that a job's task left in the bucket."""
        return open_bucket(self.settings, "results").get(f"{job_id}.{extension}")


@contextmanager
def running_site(options: Options) -> Iterator[Site]:
    """A server in a folder of its own, while the block runs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copytree(SCENES, folder / "root" / "scenes")
        file = folder / "site.conf"
        file.write_text(CONFIGURATION.format(device=options.device, threads=options.threads))
        arguments = ("-c", str(file))
        front = stack.enter_context(
            Process(folder / "serve.log", "serve", "--no-listen", *arguments)
        )
        listener = stack.enter_context(Process(folder / "listen.log", "listen", *arguments))
        address = front.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        listener.wait_for(r"Waiting for job\.")
        # No proxy of the environment: the server is on this machine.
        client = stack.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=30))
        yield Site(load_settings(file), client)
