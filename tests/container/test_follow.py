"""Dockerfile.cuda, followed step by step: what it makes renders, and its health check answers."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernels.cuda_compilers import CompilerMissing, find_nvcc

from .dockerfile import DockerfileError, Stage, parse, read
from .follow import Follower

ROOT = Path(__file__).parents[2]
#: How the driver knows a fatbin.
FATBIN_MAGIC = bytes.fromhex("50ed55ba")
PATIENCE_S = 90
BASE_PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()


@dataclass(frozen=True)
class Image:
    """What the last stage left, as an engine would run it."""

    follower: Follower
    stage: Stage

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.follower.workdir,
            env=self.follower.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command)
        output, _ = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(command, process.returncode, output)

    def entry(self, *arguments: str) -> list[str]:
        return self.follower.command(self.stage, list(arguments))

    def health(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(*self.follower.health_check(self.stage), *options)

    @contextmanager
    def running(self, *arguments: str, asked: Sequence[str] = ()) -> Iterator[None]:
        """The image with a command, from when its health check says that it is well."""
        process = self.start(*self.entry(*arguments))
        try:
            end = time.monotonic() + PATIENCE_S
            while (check := self.health(*asked)).returncode != 0:
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < end, check.stdout
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, output


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    try:
        nvcc = Path(find_nvcc())
    except CompilerMissing as missing:
        pytest.skip(str(missing))
    python = BASE_PYTHON.with_name("python")
    tools = {"nvidia/cuda:": [nvcc], "python:": [python if python.exists() else BASE_PYTHON]}
    stages = read(ROOT / "Dockerfile.cuda")
    # Not pytest's folder: a venv's programs name it in their first line, which has a bound.
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        follower = Follower(ROOT, Path(folder), tools)
        follower.follow(stages)
        yield Image(follower, stages[-1])


def holds_the_kernels_compiled_ahead(image: Image) -> None:
    script = (
        "from gpuqueue.device.kernel_image import kernel_image; "
        "print({kernel_image(a) for a in (75, 86, 120, 999)}.pop())"
    )
    python = Path(image.entry()[0]).with_name("python")
    told = image.run(str(python), "-P", "-c", script)
    fatbin = Path(told.stdout.strip())
    assert fatbin.read_bytes()[:4] == FATBIN_MAGIC
    assert image.follower.root in fatbin.parents


def runs_without_what_it_was_built_with(image: Image) -> None:
    assert [path.name for path in (image.follower.root.resolve().parent).iterdir()] == ["2"]
    assert image.follower.user == "10001"


def renders_the_demonstration(image: Image) -> None:
    done = image.run(*image.entry("demo"))
    assert done.returncode == 0, done.stdout
    pictures = [path for path in image.follower.workdir.rglob("*.png") if path.stat().st_size]
    assert pictures, done.stdout


def is_asked_for_the_health_of_a_server(image: Image) -> None:
    options = ["-c", "realityserver.conf"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = image.follower.workdir / options[1]
    file.write_text(f"http_address 127.0.0.1:{port}\n")
    assert image.health(*options).returncode != 0
    with image.running("serve", "--no-listen", *options, asked=options):
        assert f":{port}/healthz answers well" in image.health(*options).stdout
    assert image.health(*options).returncode != 0


def is_asked_for_the_health_of_a_listener(image: Image) -> None:
    with image.running("listen"):
        assert "the listener works" in image.health().stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_image_renders_and_tells_how_it_is(image: Image) -> None:
    """One test, for the image is built anew in each of pytest's processes."""
    holds_the_kernels_compiled_ahead(image)
    runs_without_what_it_was_built_with(image)
    renders_the_demonstration(image)
    is_asked_for_the_health_of_a_server(image)
    is_asked_for_the_health_of_a_listener(image)


class TestFollowing:
    """What an engine would do, on files of a few lines."""

    @pytest.fixture
    def context(self, tmp_path: Path) -> Path:
        context = tmp_path / "context"
        (context / "folder" / "__pycache__").mkdir(parents=True)
        (context / "folder" / "kept").write_text("kept")
        (context / "folder" / "__pycache__" / "left").write_text("left out")
        (context / "secret").write_text("left out")
        (context / ".dockerignore").write_text("# a comment\n*\n!folder\n**/__pycache__\n")
        return context

    def follow(self, context: Path, text: str) -> tuple[Follower, list[Stage]]:
        folder = context.parent / "build"
        folder.mkdir()
        stages = parse(text)
        follower = Follower(context, folder, {"base:": []}, say=lambda _: None)
        follower.follow(stages)
        return follower, stages

    def test_a_stage_holds_what_was_copied_and_made_and_no_other_stages_files(
        self, context: Path
    ) -> None:
        follower, _ = self.follow(
            context,
            "FROM base:1 AS first\nCOPY folder /there\nRUN cat /there/kept > /made && \\\n"
            "    echo ' more' >> /made\nFROM base:1\nCOPY --from=first /made /taken/\n"
            "WORKDIR /srv\nUSER 7\n",
        )
        held = {p.relative_to(follower.root).as_posix() for p in follower.root.rglob("*")}
        assert held == {"tmp", "taken", "taken/made", "srv"}
        assert (follower.root / "taken" / "made").read_text() == "kept more\n"
        assert follower.workdir == follower.root / "srv"
        assert follower.user == "7"

    def test_what_the_context_ignores_is_not_copied(self, context: Path) -> None:
        follower, _ = self.follow(context, "FROM base:1\nCOPY folder .\n")
        assert {p.name for p in follower.root.iterdir()} == {"tmp", "kept"}

    def test_the_environment_holds_for_later_steps_and_the_command(self, context: Path) -> None:
        follower, (stage,) = self.follow(
            context,
            "FROM base:1\nENV PLACE=/opt/x \\\n  PATH=/bin:$PATH\nRUN mkdir -p $PLACE/y\n"
            'ENTRYPOINT ["sh"]\nCMD ["-c", "exit 3"]\n',
        )
        assert (follower.root / "opt" / "x" / "y").is_dir()
        assert follower.command(stage) == ["/bin/sh", "-c", "exit 3"]
        assert follower.command(stage, ["other"]) == ["/bin/sh", "other"]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("FROM base:1\nCOPY secret .\n", "line 2: there is no secret"),
            ("FROM base:1\nCOPY nothing .\n", "line 2: there is no nothing"),
            ("FROM base:1\nCOPY --from=else /x .\n", r"line 2: --from=else; stages: 0"),
            ("FROM base:1\nRUN echo gone wrong && false\n", "line 2: (?s:.*)gone wrong"),
            ("FROM other:1\n", "nothing here stands for the image other:1"),
            ("FROM base:1\nRUN [\"sh\", 'x']\n", "line 2: not a JSON list"),
        ],
    )
    def test_a_step_that_fails_is_named(self, context: Path, text: str, reason: str) -> None:
        with pytest.raises(DockerfileError, match=reason):
            self.follow(context, text)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "no FROM"),
            ("RUN true\nFROM base:1\n", "line 1: RUN before any FROM"),
            ("FROM base:1\n\nADD x y\n", "line 3: ADD is not followed; known: "),
            ("FROM base:1 as x\n", "line 1: expected FROM IMAGE"),
            ("FROM base:1\nRUN true \\\n", "line 2: goes on beyond the end"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_refused(self, text: str, reason: str) -> None:
        with pytest.raises(DockerfileError, match=reason):
            parse(text)
