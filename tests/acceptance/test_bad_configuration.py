"""Configurations with a mistake: the program says where it is and what was expected, and ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import Process
from .site import CONFIGURATION, SECRET_KEY

GOOD = CONFIGURATION.replace("default_queue jobs\n", "default_queue jobs\n    # here\n")
#: The line of the directive default_queue.
LINE = GOOD[: GOOD.index("default_queue")].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("listen_queue jobs", "listen_queue no", f":{LINE + 2}: listen_queue 'no' is not a conf"),
        ("default_queue jobs", "default_queue no", f":{LINE}: default_queue 'no' is not a conf"),
        ("# here", "default_queue jobs", f":{LINE + 1}: default_queue is given twice"),
        ("# here", "what is this?", None),
        ("# here", "!", f":{LINE + 1}: expected a directive"),
        ("# here", "<user open>", "is never closed; expected </user>"),
        ("# here", "visibility_timeout_s", f":{LINE + 1}: visibility_timeout_s: expected a value"),
        ("# here", "max_job_time_s 1e9", f":{LINE + 1}: max_job_time_s: Input should be"),
        ("max_backoff_s 0", "max_backoff_s soon", "max_backoff_s: Input should be a valid integer"),
        ("device cpu", "device gpu", "device: Input should be 'auto', 'cpu'"),
        ("allow_private_networks on", "allow_private_networks yes", "expected on or off"),
        ("name results", "name jobs results", "name: expected one word"),
        ("path bucket", "# no path", "expected the directive path in <user bucket>"),
        ("access_key AKIDEXAMPLE", "# no key", "expected access_key beside secret_key"),
        (
            "http_address 127.0.0.1:0",
            "http_address :x",
            ":3: http_address: expected [address:]port",
        ),
        ("content_root root", "include no.conf", ":1: cannot read"),
        ("content_root root", "include .", "includes itself"),
        ("path queue.sqlite", "path site.conf", "file is not a database"),
        (
            "path queue.sqlite",
            "path site.conf/queue.sqlite",
            "site.conf is a file, expected a folder",
        ),
        ("command_folder ", "command_folder /nowhere", "command folder /nowhere"),
    ],
)
def test_a_mistake_ends_the_listener_with_its_place(
    tmp_path: Path, old: str, new: str, said: str | None
) -> None:
    assert old in GOOD
    configuration = tmp_path / "site.conf"
    configuration.write_text(GOOD.replace(old, new, 1))
    with Process(tmp_path / "log", "listen", "-c", str(configuration)) as listener:
        if said is None:  # what we do not know may be another program's
            listener.wait_for(r"Waiting for job\.")
            assert "directive 'what' in <user queue_manager> is not used" in listener.log
            return
        assert listener.wait() == 1
        lines = [line for line in listener.log.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, listener.log
        assert said in lines[0]
        assert "Traceback" not in listener.log
        assert SECRET_KEY not in listener.log
