"""One renderer in a process of its own: ``python -m benchmarks.peers.worker NAME``.

Reads one JSON object a line and answers with one: ``{"do": "load", ...}``, then ``{"do":
"render", ...}`` any number of times; the end of the input ends it. Whatever the renderer prints
goes to the standard error. Seconds are those of the processor, all threads of the process, and
those of a clock on the wall.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.renderer import Renderer, open_renderer
from benchmarks.scenes import build

Answer = dict[str, Any]


def main() -> None:
    """Answer requests until the input ends."""
    # Renderers print from native code too: keep the answers' channel apart.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    renderer: Renderer | None = None
    for line in sys.stdin:
        try:
            if renderer is None:
                renderer = open_renderer(sys.argv[1])
            answer = VERBS[(request := json.loads(line)).pop("do")](renderer, **request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def load(renderer: Renderer, scene: str, detail: float, size: int, max_depth: int) -> Answer:
    """Build a scene and hand it over."""
    described = build(scene, detail)
    seconds = timed(lambda: renderer.load(described, size, max_depth))
    return {
        "version": renderer.version(),
        "triangles": described.triangle_count,
        **seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def render(renderer: Renderer, samples: int, seed: int, file: str) -> Answer:
    """Draw a picture and keep it as an array in `file` (.npy)."""
    renderer.prepare(samples, seed)
    seconds = timed(lambda: renderer.render(samples, seed))
    picture = renderer.picture()
    np.save(file, picture)
    return {**seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def timed(action: Callable[[], None]) -> Answer:
    """Seconds that an action takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


VERBS: dict[str, Callable[..., Answer]] = {"load": load, "render": render}

if __name__ == "__main__":
    main()
