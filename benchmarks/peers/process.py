"""Talking to a worker."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.environments import ROOT, PeerMissing, environment_variables, python_of

#: How long a worker may take for one answer; loading five million triangles is the longest.
ANSWER_S = 900.0


class WorkerFailed(Exception):
    """A worker answered with an error, ended, or kept silent."""


class Worker:
    """A renderer's process, open while the block runs."""

    def __init__(self, name: str, cache: Path) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        try:
            with self._log.open("w") as log:
                self._process = subprocess.Popen(
                    [str(python_of(name, cache)), "-m", "benchmarks.peers.worker", name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    cwd=ROOT,
                    env=environment_variables(),
                )
        except PeerMissing:
            self._folder.cleanup()
            raise

    def load(self, scene: str, detail: float, size: int, max_depth: int) -> dict[str, Any]:
        """Version, triangles, seconds and memory of taking a scene."""
        return self._ask(do="load", scene=scene, detail=detail, size=size, max_depth=max_depth)

    def render(self, samples: int, seed: int) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """Seconds of a picture, and the picture [H, W, 3]."""
        file = Path(self._folder.name) / "picture.npy"
        answer = self._ask(do="render", samples=samples, seed=seed, file=str(file))
        picture: NDArray[np.float32] = np.load(file)
        return answer, picture

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        watchdog = threading.Timer(ANSWER_S, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            raise WorkerFailed(f"{self.name} ended within {ANSWER_S:g} s: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerFailed(f"{self.name}: {answer['error']}")
        return answer

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()
