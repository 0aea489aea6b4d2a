"""``gpuqueue demo``: the main job from end to end, with no configuration and no cloud."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpuqueue.errors import ConfigError, JobFailed

if TYPE_CHECKING:
    from rich.console import Console

    from gpuqueue.cli.child_log import ChildLog
    from gpuqueue.config import Settings
    from gpuqueue.job import Job

DATA = Path("gpuqueue-data")
JOB_S = 600.0

CONFIGURATION = """\
# Written by gpuqueue demo. To go on with it: gpuqueue serve -c {path}
content_root {content_root}
http_address 127.0.0.1:0
<user queue_manager>
    allow_command get_version
    allow_command rs_fancy_render
    default_queue local_queue
    listen_queue local_queue
</user>
<user local>
    <user queue>
        name local_queue
        path queue.sqlite
        max_receives 1
    </user>
    <user bucket>
        name local_bucket
        path bucket
    </user>
</user>
"""

#: The two jobs of the Queue Manager article; the picture is small, so that any machine has it soon.
JOBS: list[dict[str, Any]] = [
    {
        "command": "get_version",
        "parameters": {},
        "tasks": [
            {
                "name": "s3_upload",
                "config": {
                    "bucket": "local_bucket",
                    "key": "tests/version-${message_id}.${mime_ext}",
                },
            }
        ],
    },
    {
        "command": "rs_fancy_render",
        "parameters": {
            "scene_file": "scenes/meyemII.mi",
            "width": 400,
            "height": 300,
            "samples": 32,
        },
        "tasks": [
            {
                "name": "s3_upload",
                "config": {
                    "bucket": "local_bucket",
                    "key": "renders/meyemII-${message_id}.${mime_ext}",
                },
            }
        ],
    },
]


def demo() -> None:
    """Run the main job from end to end, here and now.

    Starts a front end and a listener, submits two jobs and tells where their results are.
    Everything is kept in ./gpuqueue-data; no configuration, cloud or GPU is needed.
    """
    from rich.console import Console

    from gpuqueue.config import load_settings
    from gpuqueue.job import Job

    console = Console(highlight=False)
    configuration = _write_configuration()
    settings = load_settings(configuration)
    _say(console, "Configuration, queue, bucket: ", str(DATA.absolute()))
    with ExitStack() as stack:
        log: ChildLog = stack.enter_context(_children(configuration, console))
        address = log.wait_for(r"listening on (http://\S+)")[1]
        log.wait_for(r"Waiting for job\.")
        _say(console, "Front end, a listener beside it: ", address)
        jobs = [
            Job(id=_submit(address, number, call), **call) for number, call in enumerate(JOBS, 1)
        ]
        paths = [path for job in jobs for path in _follow(settings, job, log, console)]
    for path in paths:
        _say(console, "✓ ", path)


def _say(console: Console, text: str, what: str) -> None:
    """One line; a path is text, whatever brackets it holds."""
    console.print(text, style="green", end="")
    console.print(what, style="bold", markup=False, soft_wrap=True)


def content_root() -> Path:
    """The folder with the example scenes: beside the compiled kernels, where they are installed.

    Raises ConfigError if they are not there.
    """
    spec = find_spec("gpuqueue._kernels_baseline")
    root = Path(spec.origin).parent if spec and spec.origin else Path(__file__).parents[1]
    if not (root / "scenes" / "meyemII.mi").exists():
        raise ConfigError(f"{root / 'scenes'} has no meyemII.mi; install gpuqueue again")
    return root


def _write_configuration() -> Path:
    path = DATA.absolute() / "demo.conf"
    try:
        DATA.mkdir(exist_ok=True)
        path.write_text(CONFIGURATION.format(path=path, content_root=content_root()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; run the demo in another folder") from error
    return path


@contextmanager
def _children(configuration: Path, console: Console) -> Iterator[ChildLog]:
    """A front end and a listener as processes of their own, while the block runs."""
    from gpuqueue.cli.child_log import ChildLog
    from gpuqueue.cli.children import ask_to_stop, config_arguments, start_child, stop_child

    children = []
    log = ChildLog(lambda line: console.print(line, style="dim", markup=False, soft_wrap=True))
    try:
        for arguments in (["serve", "--no-listen"], ["listen"]):
            child = start_child(
                *arguments, *config_arguments(configuration), output=subprocess.PIPE
            )
            children.append(child)
            log.read(child)
        yield log
    finally:
        for child in children:
            ask_to_stop(child)
        for child in children:
            stop_child(child)
        log.close()


def _submit(address: str, number: int, call: dict[str, Any]) -> str:
    """Submit a job as any client would, and return its id."""
    import httpx

    request = {
        "jsonrpc": "2.0",
        "id": number,
        "method": "queue_manager_submit_job",
        "params": call,
    }
    # No proxy of the environment: the server is on this machine.
    with httpx.Client(trust_env=False, timeout=30) as client:
        reply = client.post(address, json=request).json()
    if "error" in reply:
        raise JobFailed(f"{call['command']} was refused: {reply['error']['message']}")
    return str(reply["result"])


def _follow(settings: Settings, job: Job, log: ChildLog, console: Console) -> list[str]:
    """Show the job's way until its end; return where its results are."""
    from gpuqueue.cli.outcome import Fate, results, watch

    started = time.monotonic()
    with console.status(f"{job.command}: waiting") as status:
        for outcome in watch(settings, "local_queue", job):
            log.check()
            elapsed_s = time.monotonic() - started
            status.update(f"{job.command}: {outcome.fate}, {elapsed_s:.0f} s")
            if outcome.fate is Fate.DEAD:
                raise JobFailed(f"{job.command} failed: {outcome.reason}")
            if elapsed_s > JOB_S:
                raise JobFailed(f"{job.command} is still {outcome.fate} after {JOB_S:g} s")
    return results(settings, job)
