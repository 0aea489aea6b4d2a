"""What a worker asks of a renderer, and the table of those that there are."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes import Scene

#: Segments before Russian roulette begins, where a renderer lets one choose.
ROULETTE_DEPTH = 5


class Renderer(Protocol):
    """Draws one scene on one thread. Nothing clamped, filtered, denoised or adapted."""

    def version(self) -> str:
        """The version of what renders."""

    def load(self, scene: Scene, size: int, max_depth: int) -> None:
        """Take a scene for pictures of `size` x `size`; paths have at most `max_depth` segments."""

    def prepare(self, samples: int, seed: int) -> None:
        """Do for the next picture what counts as building the scene."""

    def render(self, samples: int, seed: int) -> None:
        """Draw a picture with so many samples a pixel; this alone is timed."""

    def picture(self) -> NDArray[np.float32]:
        """Linear radiance [H, W, 3] of the last picture, row 0 above."""


#: Name to the module and the arguments of its `open_renderer`.
RENDERERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpuqueue": ("benchmarks.peers.gpuqueue", {}),
    "mitsuba-scalar": ("benchmarks.peers.mitsuba", {"variant": "scalar_rgb"}),
    "mitsuba-llvm": ("benchmarks.peers.mitsuba", {"variant": "llvm_ad_rgb"}),
    # Mitsuba's better sampler for equal error; the default draws samples a little faster.
    "mitsuba-llvm-multijitter": (
        "benchmarks.peers.mitsuba",
        {"variant": "llvm_ad_rgb", "sampler": "multijitter"},
    ),
    "cycles": ("benchmarks.peers.cycles", {}),
    "luxcore": ("benchmarks.peers.luxcore", {}),
}


def open_renderer(name: str) -> Renderer:
    """The renderer `name` of the table. Raises ImportError where it is not installed."""
    module, arguments = RENDERERS[name]
    renderer: Renderer = import_module(module).open_renderer(**arguments)
    return renderer
