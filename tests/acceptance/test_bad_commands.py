"""Commands that misbehave in every way: the job ends with a true reason, the listener goes on."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from .site import MAX_RECEIVES, SECRET_KEY, Site, running_site

AT_ONCE = 1


@pytest.mark.parametrize(
    ("do", "value", "reason", "receives"),
    [
        ("kill", int(signal.SIGSEGV), "killed by SIGSEGV", MAX_RECEIVES),
        ("kill", int(signal.SIGKILL), "killed by SIGKILL (out of memory?)", MAX_RECEIVES),
        ("abort", None, "killed by SIGABRT", MAX_RECEIVES),
        ("os_exit", 0, "exited with status 0", MAX_RECEIVES),
        ("exit", 3, "the command called exit(3)", MAX_RECEIVES),
        ("fail", ["JobFailed", "not today"], "not today", MAX_RECEIVES),
        ("fail", ["MemoryError", "no room"], "MemoryError: no room", MAX_RECEIVES),
        ("fail", ["KeyboardInterrupt", ""], "killed by SIGINT", MAX_RECEIVES),
        ("fail", ["InvalidJob", "never"], "never", AT_ONCE),
        ("fail", ["InvalidJob", "n" * 100_000], "nnn", AT_ONCE),
        ("half", None, "half \ufffd of a pair", AT_ONCE),
        ("no such deed", None, "KeyError: 'no such deed'", MAX_RECEIVES),
        ("nan", None, "not JSON compliant", MAX_RECEIVES),
        ("not_json", None, "set is not JSON serializable", MAX_RECEIVES),
        ("nested", 100_000, "RecursionError", MAX_RECEIVES),
        ("typed", "image/png\r\nX-Forged: 1", "is no MIME type", MAX_RECEIVES),
        ("text_as_bytes", "abc", "TypeError", MAX_RECEIVES),
        ("zeros", 5 << 30, "the result has 5368709120 bytes", AT_ONCE),
        ("silent", 600, "no progress within stall_timeout_s (2 s)", MAX_RECEIVES),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_command_that_cannot_do_its_job_is_dead_with_the_reason(
    site: Site, do: str, value: Any, reason: str, receives: int
) -> None:
    job_id = site.submit("probe", {"do": do, "value": value})
    assert reason in site.end_of(job_id)
    found = site.queue.find(job_id)
    assert found is not None
    assert found.receives == receives
    site.does_a_job()


def test_a_command_that_ignores_sigterm_ends_with_its_children(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "child"
    job_id = site.submit("probe", {"do": "ignore_everything", "value": str(marker)})
    assert "no progress" in site.end_of(job_id)
    state = Path(f"/proc/{marker.read_text()}/status")
    assert not state.exists() or "State:\tZ" in state.read_text()


def test_a_command_that_logs_and_reports_as_it_likes_is_done(site: Site) -> None:
    job_id = site.submit("probe", {"do": "log_freely"})
    assert site.end_of(job_id) == "done"
    assert "logged freely" in site.server.log


def test_what_a_command_tells_of_its_secrets_is_masked(site: Site) -> None:
    assert site.end_of(site.submit("probe", {"do": "talk", "value": "hello"})) == "done"
    why = site.end_of(site.submit("probe", {"do": "fail", "value": ["InvalidJob", SECRET_KEY]}))
    assert why == "***"
    log = site.server.log
    assert "the key is ***" in log
    assert SECRET_KEY not in log


def test_a_large_result_goes_through(site: Site) -> None:
    task = {"name": "s3_upload", "config": {"bucket": "results", "key": "large.${mime_ext}"}}
    job_id = site.submit("probe", {"do": "zeros", "value": 50 << 20}, tasks=[task])
    assert site.end_of(job_id) == "done"
    assert (site.folder / "bucket" / "large.bin").stat().st_size == 50 << 20


def test_a_listener_stopped_by_jobs_that_all_crash_is_replaced_and_they_end_dead(
    tmp_path: Path,
) -> None:
    """Three crashes in a row look like a bad machine, so the listener ends; `serve` has another."""
    with running_site(tmp_path, outlives=False) as site:
        jobs = [site.submit("probe", {"do": "abort"}) for _ in range(4)]
        good = site.submit("get_version")
        assert all("killed by SIGABRT" in site.end_of(job_id, 120) for job_id in jobs)
        assert site.end_of(good) == "done"
        assert "this machine needs a look" in site.server.log
        assert "Listener ended with code 1; starting another" in site.server.log
