"""The command line: what it prints, and its exit codes."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.status import Status
from typer.testing import CliRunner, Result

from gpuqueue import __version__
from gpuqueue.cli import app
from gpuqueue.cli.render import DeviceName
from gpuqueue.config import embedded_settings
from gpuqueue.device import DEVICES
from gpuqueue.job import Job
from gpuqueue.queues import open_queue
from gpuqueue.scene import watch

SCENE = """\
options "options" end options
camera "eye"
    focal 1 aperture 1 aspect 1 resolution 8 8
end camera
instance "eye instance" "eye" end instance
material "<shining> [bold]" "one_color" ("color" 1 1 1) end material
object "wall" visible trace shadow
    group
        -9 -9 -5  9 -9 -5  9 9 -5  -9 9 -5
        v 0 v 1 v 2 v 3
        p "<shining> [bold]" 0 1 2 3
    end group
end object
instance "wall instance" "wall" end instance
light "lamp" "mib_light_point" ("color" 1 1 1) origin 0 1 0 end light
instance "lamp instance" "lamp" end instance
instgroup "all" "eye instance" "wall instance" "lamp instance" end instgroup
render "all" "eye instance" "options"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in a folder of the test's own, which holds a scene; leave logging as it was."""
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("gpuqueue")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    monkeypatch.setattr(logger, "level", logger.level)
    (tmp_path / "wall.mi").write_text(SCENE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def assert_fails(result: Result, *texts: str, code: int = 1) -> None:
    assert result.exit_code == code, result.output
    for text in texts:
        assert text in result.stderr
    assert "Traceback" not in result.output


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
sys.argv = ["gpuqueue", "--help"]
from gpuqueue.cli import main
try:
    main()
except SystemExit:
    pass
heavy = ("boto3", "fastapi", "httpx", "numpy", "pydantic", "rich", "uvicorn", "PIL", "sqlite3")
print("heavy:", [name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "heavy: []" in done.stdout, done.stdout
    assert "...\n" not in done.stdout.partition("Commands:")[2], "each summary fits its line"
    commands = "demo serve listen submit render inspect doctor health version"
    for command in commands.split():
        assert f"  {command} " in done.stdout


def test_the_module_can_be_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gpuqueue", "version"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith(f"{__version__}, build ")
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["submit"],
        ["submit", "get_version", "-p", "novalue"],
        ["submit", "get_version", "-p", "=1"],
        ["submit", "get_version", "-p", "a=1", "-p", "a=2"],
        ["submit", "get_version", "--task", "s3_upload bucket"],
        ["submit", "get_version", "--task", "s3_upload 'open"],
        ["submit", "get_version", "--task", ""],
        ["render", "wall.mi"],
        ["render", "wall.mi", "-o", "a.png", "--width", "0"],
        ["render", "wall.mi", "-o", "a.png", "--device", "toaster"],
        ["serve", "--port", "70000"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert_fails(run(*arguments), code=2)


def test_devices_of_the_render_command_are_those_of_the_registry() -> None:
    assert {device.value for device in DeviceName} == {"auto", *DEVICES}


def test_submit_puts_a_job_into_the_queue_and_prints_its_id() -> None:
    result = run(
        "submit",
        "rs_fancy_render",
        "-p",
        "scene_file=wall.mi",
        "-p",
        "width=8",
        "--task",
        "s3_upload bucket=local_bucket key='a b/${message_id}.${mime_ext}'",
        "--task",
        "http_post postback_uri=https://example.com/a?b=c:d",
    )
    assert result.exit_code == 0, result.output
    message = open_queue(embedded_settings(), "local_queue").receive(0)
    assert message is not None
    job = Job.from_body(message.body, message.id)
    assert job.id == result.stdout.strip()
    assert job.parameters == {"scene_file": "wall.mi", "width": 8}
    assert [task.config for task in job.tasks] == [
        {"bucket": "local_bucket", "key": "a b/${message_id}.${mime_ext}"},
        {"postback_uri": "https://example.com/a?b=c:d"},
    ]


def test_submit_refuses_what_can_never_work() -> None:
    assert_fails(run("submit", "nope"), "unknown command 'nope'", "get_version")
    assert_fails(run("submit", "get_version", "--queue", "nope"), "unknown queue 'nope'")
    assert_fails(run("submit", "get_version", "-p", "a=1"), "parameters of get_version: a")


def test_submit_waits_no_longer_than_it_is_told() -> None:
    result = run("submit", "get_version", "--wait", "--timeout", "0")
    assert_fails(result, "is still waiting after 0 s", code=3)


def test_a_configuration_that_is_wrong_names_its_line(folder: Path) -> None:
    (folder / "a.conf").write_text("http_address nowhere:at:all\n")
    for command in (["serve"], ["listen"], ["submit", "get_version"]):
        assert_fails(run(*command, "-c", "a.conf"), "a.conf:1", "http_address")
    assert_fails(run("listen", "-c", "missing.conf"), "missing.conf")


def test_listen_needs_a_queue_to_listen_to(folder: Path) -> None:
    (folder / "a.conf").write_text("http_address 8080\n")
    assert_fails(run("listen", "-c", "a.conf"), "listen_queue")


def test_inspect_tells_counts_materials_and_lights() -> None:
    result = run("inspect", "wall.mi")
    assert result.exit_code == 0, result.output
    shown = ("2 stored, 2 placed", "8 x 8 pixels", "<shining> [bold]", "one_color", "lamp")
    for text in (*shown, "film of 8 x 8 pixels", "acceleration structure", "3.5 KiB"):
        assert text in result.stdout


def test_a_terminal_is_shown_how_far_a_scene_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    shown: list[str] = []
    monkeypatch.setattr(Status, "update", lambda _, text: shown.append(text.plain))
    assert run("inspect", "wall.mi").exit_code == 0
    assert shown[0].startswith("Reading wall.mi: ")
    assert any(line.startswith("Placing elements") for line in shown)


def test_a_broken_scene_is_shown_with_a_caret(folder: Path) -> None:
    (folder / "bad.mi").write_text(SCENE.replace("focal 1 aperture", "focal fifty aperture"))
    result = run("inspect", "bad.mi")
    assert_fails(result, "bad.mi:3:11", "focal fifty")
    lines = result.stderr.splitlines()
    number = next(i for i, line in enumerate(lines) if "^" in line)
    assert lines[number].index("^") == lines[number - 1].index("fifty")


def test_a_scene_may_not_read_beyond_its_root(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "a.mi").write_text('$include "../wall.mi"\n')
    assert run("inspect", "inner/a.mi").exit_code == 0
    assert_fails(run("inspect", "inner/a.mi", "--root", "inner"), "a.mi:1")
    assert_fails(run("inspect", "wall.mi", "--root", "inner"), "wall.mi")
    assert_fails(run("inspect", "missing.mi"), "missing.mi")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.exr", "a.hdr"])
def test_render_writes_the_format_of_the_extension(folder: Path, name: str) -> None:
    result = run("render", "wall.mi", "-o", name, "--device", "null", "--samples", "1")
    assert result.exit_code == 0, result.output
    starts = {"png": b"\x89PNG", "jpg": b"\xff\xd8", "exr": b"v/1\x01", "hdr": b"#?RADIANCE"}
    assert (folder / name).read_bytes().startswith(starts[name[2:]])
    assert [p.name for p in folder.iterdir() if p.name.endswith(".part")] == []


def test_render_is_the_same_for_the_same_seed(folder: Path) -> None:
    for name, seed, threads in (("a.exr", "1", "1"), ("b.exr", "1", "2"), ("c.exr", "2", "1")):
        result = run(
            "render", "wall.mi", "-o", name, "--device", "cpu", "--samples", "2",
            "--seed", seed, "--threads", threads, "--width", "16",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
    assert (folder / "a.exr").read_bytes() == (folder / "b.exr").read_bytes()


def test_render_refuses_before_it_begins(folder: Path) -> None:
    assert_fails(run("render", "wall.mi", "-o", "a.gif"), "no image format 'gif'", "png")
    assert_fails(run("render", "wall.mi", "-o", "no/a.png"), "does not exist")
    (folder / "d.png").mkdir()
    assert_fails(run("render", "wall.mi", "-o", "d.png"), "is a folder")
    assert_fails(run("render", "wall.mi", "-o", "a.png", "--width", "1000000"), "65536")
    assert_fails(run("render", "missing.mi", "-o", "a.png"), "missing.mi")


def test_doctor_finds_the_embedded_default_well() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    for text in (
        "✓ configuration: the embedded default",
        "✓ queue local_queue: 0 waiting, 0 in flight, 0 dead",
        "✓ bucket local_bucket",
        "✓ device cpu",
        "✓ test render",
    ):
        assert text in result.stdout
    assert re.search("[✓·] device cupy: ", result.stdout)


def test_doctor_names_what_is_broken_and_never_a_secret(folder: Path) -> None:
    (folder / "a.conf").write_text("""\
<user queue_manager>
    allow_command no_such_command
</user>
<user aws>
    access_key AKIDEXAMPLE
    secret_key exampleSecret
    region us-east-1
    endpoint_url http://127.0.0.1:9
    <user sqs>
        <user queue>
            name q
            queue_url http://127.0.0.1:9/123456789012/q
        </user>
    </user>
</user>
<user render>
    device pycuda
</user>
""")
    result = run("doctor", "-c", "a.conf")
    assert result.exit_code == 1
    for text in (
        "✗ commands: allow_command names what no command is: no_such_command",
        "✓ credentials: from the configuration",
        "✗ queue q: ",
        "✓ device cpu",
    ):
        assert text in result.stdout
    assert "exampleSecret" not in result.output
    (folder / "b.conf").write_text("<user queue_manager>\n")
    result = run("doctor", "-c", "b.conf")
    assert result.exit_code == 1
    assert "✗ configuration: " in result.stdout
