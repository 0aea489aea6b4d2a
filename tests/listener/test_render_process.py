"""The render process: what a command may do to it, and what becomes of that."""

from __future__ import annotations

import errno
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gpuqueue.binary import Binary
from gpuqueue.config.settings import (
    AwsSettings,
    QueueManagerSettings,
    RenderSettings,
    Settings,
    embedded_settings,
)
from gpuqueue.errors import (
    ConfigError,
    DeviceLost,
    GpuqueueError,
    Interrupted,
    InvalidJob,
    JobFailed,
    LeaseLost,
    SceneError,
    TransientError,
)
from gpuqueue.job import Job
from gpuqueue.listener.child_process import to_json
from gpuqueue.listener.lease import Lease
from gpuqueue.listener.render_process import RenderProcess

from .fakes import lease_of, message

COMMANDS = Path(__file__).parent / "commands"
SETTINGS = Settings(
    queue_manager=QueueManagerSettings(
        allow_command=frozenset({"probe", "get_version", "queue_manager_submit_job", "nope"}),
        self_test=False,
    ),
    command_folders=(COMMANDS,),
    aws=AwsSettings(access_key="AKID", secret_key=SecretStr("hunter2+secret")),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[RenderProcess]:
    process = RenderProcess(SETTINGS)
    yield process
    process.close()


def job(command: str, parameters: dict[str, Any]) -> Job:
    return Job(id="job-1", command=command, parameters=parameters)


def run(process: RenderProcess, do: str, value: Any = None, lease: Lease | None = None) -> Binary:
    parameters = {"do": do, "value": value}
    return process.run(job("probe", parameters), lease or lease_of(message()), lambda *_: None)


def pid_of(process: RenderProcess) -> int:
    process.start()
    assert process._child is not None
    return process._child.pid


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


@pytest.mark.parametrize("value", [None, True, 1, "ä\u2028", [], {"a": [1.5, {}]}], ids=repr)
def test_plain_data_comes_back_as_its_json_text(shared: RenderProcess, value: Any) -> None:
    assert run(shared, "echo", value) == Binary.of(value)


def test_bytes_come_back_as_they_are(shared: RenderProcess) -> None:
    got = run(shared, "big", 50_000_000)
    assert got.mime_type == "application/octet-stream"
    assert got.data == b"\xab" * 50_000_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("InvalidJob", InvalidJob),
        ("SceneError", SceneError),
        ("JobFailed", JobFailed),
        ("TransientError", TransientError),
        ("ConfigError", ConfigError),
        ("Interrupted", Interrupted),
        ("ZeroDivisionError", JobFailed),
        ("MemoryError", JobFailed),
        ("RecursionError", JobFailed),
    ],
)
def test_an_error_keeps_its_meaning_and_its_text(
    shared: RenderProcess, name: str, expected: type[Exception]
) -> None:
    before = pid_of(shared)
    with pytest.raises(expected, match=r"scene\.mi:3:7: what is wrong") as caught:
        run(shared, "fail", [name, "scene.mi:3:7: what is wrong"])
    assert type(caught.value) is expected
    assert pid_of(shared) == before, "the process answered for itself and is kept"
    assert issubclass(SceneError, InvalidJob)


def test_an_error_with_arguments_of_its_own_keeps_its_text(shared: RenderProcess) -> None:
    with pytest.raises(InvalidJob, match="unknown queue 'nope'; known: yes"):
        run(shared, "raise_unknown_name")


@pytest.mark.parametrize(("do", "why"), [("nan", "JSON"), ("not_json", "JSON")])
def test_a_result_that_is_no_json_fails_the_job(shared: RenderProcess, do: str, why: str) -> None:
    with pytest.raises(JobFailed, match=why):
        run(shared, do)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("nope", "unknown command 'nope'"),
        ("queue_manager_submit_job", "may not ask for it"),
        ("rs_fancy_render", "not allowed here"),
    ],
)
def test_a_command_that_no_job_may_ask_for_is_refused(
    shared: RenderProcess, command: str, why: str
) -> None:
    with pytest.raises(InvalidJob, match=why):
        shared.run(job(command, {}), lease_of(message()), lambda *_: None)


def test_a_buffer_of_numbers_arrives_as_its_bytes(shared: RenderProcess) -> None:
    assert run(shared, "numbers", 3).data == bytes(12)


def test_bytes_that_are_none_fail_the_job(shared: RenderProcess) -> None:
    with pytest.raises(JobFailed, match="TypeError"):
        run(shared, "text_as_bytes", "text")


def test_bad_parameters_are_refused_by_name(shared: RenderProcess) -> None:
    with pytest.raises(InvalidJob, match=r"parameters of probe: do: .*; colour: "):
        shared.run(job("probe", {"colour": 1}), lease_of(message()), lambda *_: None)


def test_a_command_may_call_another(shared: RenderProcess) -> None:
    assert b"build" in run(shared, "call", ["get_version", {}]).data


def test_sys_exit_fails_the_job_and_not_the_process(shared: RenderProcess) -> None:
    before = pid_of(shared)
    with pytest.raises(JobFailed, match=r"exit\(3\)"):
        run(shared, "exit", 3)
    assert pid_of(shared) == before


@pytest.mark.parametrize(
    ("do", "value", "expected", "why"),
    [
        ("abort", None, DeviceLost, "SIGABRT"),
        ("kill", signal.SIGSEGV, DeviceLost, "SIGSEGV"),
        ("kill", 40, DeviceLost, "signal 40"),
        ("kill", signal.SIGKILL, DeviceLost, r"SIGKILL \(out of memory\?\)"),
        ("os_exit", 7, JobFailed, "status 7"),
        ("os_exit", 0, JobFailed, "status 0"),
        ("fail", ["DeviceLost", "sticky CUDA error"], DeviceLost, "sticky"),
    ],
)
def test_a_spoilt_process_is_named_and_replaced(
    shared: RenderProcess, do: str, value: Any, expected: type[Exception], why: str
) -> None:
    before = pid_of(shared)
    with pytest.raises(expected, match=why) as caught:
        run(shared, do, value)
    assert type(caught.value) is expected
    assert run(shared, "echo", "still here").data == b'"still here"'
    assert pid_of(shared) != before
    wait_until_gone(before)


def test_a_process_that_died_while_idle_is_replaced_and_costs_no_job(shared: RenderProcess) -> None:
    pid = pid_of(shared)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    assert shared._child is not None
    shared._child._undertaker.join(10)
    assert run(shared, "echo", 1).data == b"1"


@pytest.mark.parametrize("reason", [LeaseLost("gone"), Interrupted("stop")], ids=repr)
def test_a_revoked_lease_stops_the_command_and_its_process(
    shared: RenderProcess, reason: GpuqueueError
) -> None:
    pid, lease = pid_of(shared), lease_of(message())
    with pytest.raises(type(reason)):
        shared.run(
            job("probe", {"do": "sleep", "value": 600}), lease, lambda *_: lease.revoke(reason)
        )
    wait_until_gone(pid)


def test_a_lease_that_ended_late_does_not_disturb_the_next_job(shared: RenderProcess) -> None:
    shared.start()
    assert shared._child is not None
    shared._child.wake()
    assert run(shared, "echo", 1).data == b"1"


def test_a_lease_that_was_revoked_before_runs_nothing_to_its_end(shared: RenderProcess) -> None:
    lease = lease_of(message())
    lease.revoke(Interrupted("stop"))
    with pytest.raises(Interrupted):
        run(shared, "sleep", 600, lease)


def test_a_command_that_takes_too_long_is_stopped(shared: RenderProcess) -> None:
    pid = pid_of(shared)
    with pytest.raises(JobFailed, match="max_job_time_s"):
        run(shared, "sleep", 600, lease_of(message(), max_job_time_s=0.3))
    wait_until_gone(pid)


def test_a_command_that_reports_nothing_for_too_long_is_stopped() -> None:
    limits = SETTINGS.queue_manager.model_copy(update={"stall_timeout_s": 1})
    process = RenderProcess(SETTINGS.model_copy(update={"queue_manager": limits}))
    try:
        assert run(process, "sleep", 1.3).data == b'"slept"', "it reports"
        pid = pid_of(process)
        with pytest.raises(JobFailed, match=r"no progress within stall_timeout_s \(1 s\)"):
            run(process, "silent", 600)
        wait_until_gone(pid)
    finally:
        process.close()


def test_a_process_that_cannot_be_started_loses_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("subprocess.Popen", fail)
    with pytest.raises(DeviceLost, match="cannot be started: Resource temporarily"):
        RenderProcess(SETTINGS).start()


def test_a_command_that_ignores_sigterm_is_killed_with_its_children(
    shared: RenderProcess, tmp_path: Path
) -> None:
    pid, lease, marker = pid_of(shared), lease_of(message()), tmp_path / "child"

    def revoke_when_started() -> None:
        while not (marker.exists() and marker.read_text()):
            time.sleep(0.01)
        lease.revoke(Interrupted("stop"))

    threading.Thread(target=revoke_when_started).start()
    with pytest.raises(Interrupted):
        run(shared, "ignore_everything", str(marker), lease)
    wait_until_gone(pid)
    wait_until_gone(int(marker.read_text()))


def test_progress_arrives_while_the_command_runs(shared: RenderProcess) -> None:
    seen: list[tuple[float, str]] = []
    asked = job("probe", {"do": "sleep", "value": 0.3})
    shared.run(asked, lease_of(message()), lambda *p: seen.append(p))
    assert seen
    assert all(0 <= fraction <= 1 and text == "sleeping" for fraction, text in seen)
    assert seen == sorted(seen)


def test_a_flood_of_progress_is_thinned(shared: RenderProcess) -> None:
    seen: list[float] = []
    parameters = {"do": "flood", "value": 20_000}
    got = shared.run(job("probe", parameters), lease_of(message()), lambda f, _: seen.append(f))
    assert got.data == b'"flooded"'
    assert len(seen) < 1000


def test_frames_from_many_threads_do_not_mix(shared: RenderProcess) -> None:
    assert run(shared, "from_threads", 50).data == b"50"


def test_what_a_command_prints_and_logs_reaches_the_log_without_secrets(
    shared: RenderProcess, caplog: pytest.LogCaptureFixture
) -> None:
    pid = pid_of(shared)
    with caplog.at_level(logging.INFO, "gpuqueue"):
        assert run(shared, "talk", "hello").data == b'"talked"'
        shared.close()
    assert f"[{pid}] printed hello" in caplog.messages
    assert f"[{pid}] written to 1" in caplog.messages
    assert "logged hello" in caplog.messages
    assert f"[{pid}] the key is ***" in caplog.messages
    assert max(map(len, caplog.messages)) < 10_000


def test_a_broken_user_command_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import json\n\n1 / 0\n")
    process = RenderProcess(Settings(command_folders=(tmp_path,)))
    with pytest.raises(ConfigError, match=r"broken\.py:3: ZeroDivisionError"):
        process.start()


def test_a_user_command_that_kills_its_process_at_start_loses_the_device(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text("import os\nos._exit(9)\n")
    with pytest.raises(DeviceLost, match=r"did not start: .*status 9"):
        RenderProcess(Settings(command_folders=(tmp_path,))).start()


def test_the_settings_reach_the_child_whole(tmp_path: Path) -> None:
    settings = embedded_settings(tmp_path, tmp_path).model_copy(
        update={"aws": SETTINGS.aws, "command_folders": (COMMANDS,)}
    )
    assert Settings.model_validate_json(to_json(settings)) == settings


def test_nothing_is_left_after_close() -> None:
    process = RenderProcess(SETTINGS)
    pid = pid_of(process)
    process.close()
    wait_until_gone(pid)
    assert not [t.name for t in threading.enumerate() if str(pid) in t.name]


TESTED = SETTINGS.model_copy(
    update={
        "queue_manager": SETTINGS.queue_manager.model_copy(update={"self_test": True}),
        "render": RenderSettings(device="cpu", threads=1),
    }
)


@contextmanager
def process_of(settings: Settings) -> Iterator[RenderProcess]:
    process = RenderProcess(settings)
    try:
        yield process
    finally:
        process.close()


def test_a_process_tests_its_device_once_before_it_takes_commands(records: list) -> None:
    with process_of(TESTED) as process:
        for _ in range(2):
            process.start()
            run(process, "echo", 1)
        assert (process.device or "").startswith("cpu: the CPU")
    assert [record.event for record in records].count("self_test") == 1


def test_a_device_that_renders_something_else_is_bad(tmp_path: Path) -> None:
    # Another picture is expected, which is as good as another one rendered.
    (tmp_path / "harm.py").write_text(
        "from gpuqueue.render import self_test\nself_test.SKY = (1, 1, 1)\n"
    )
    with process_of(TESTED.model_copy(update={"command_folders": (tmp_path,)})) as process:
        with pytest.raises(DeviceLost, match="the self-test failed: 2048 of 2048 pixels"):
            process.start()
        assert process._child is None


def test_a_process_that_dies_of_its_self_test_is_a_bad_machine(tmp_path: Path) -> None:
    (tmp_path / "harm.py").write_text(
        "import os\nfrom gpuqueue.render import self_test\n"
        "self_test.self_test = lambda device: os._exit(3)\n"
    )
    settings = TESTED.model_copy(update={"command_folders": (tmp_path,)})
    why = r"self-test failed: .*exited with status 3"
    with process_of(settings) as process, pytest.raises(DeviceLost, match=why):
        process.start()


def test_where_there_is_no_device_as_configured_nothing_starts() -> None:
    render = RenderSettings(device="pycuda")
    settings = TESTED.model_copy(update={"render": render})
    why = "no device can be used"
    with process_of(settings) as process, pytest.raises(ConfigError, match=why):
        process.start()


def test_a_device_that_renders_nothing_is_not_tested(records: list) -> None:
    render = RenderSettings(device="null")
    with process_of(TESTED.model_copy(update={"render": render})) as process:
        process.start()
    assert "self_test" not in [record.event for record in records]
