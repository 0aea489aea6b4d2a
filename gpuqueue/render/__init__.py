"""Rendering: a request for a picture becomes an image file."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gpuqueue.render.request import RenderRequest

if TYPE_CHECKING:
    from pathlib import Path

    from gpuqueue.config.settings import RenderSettings
    from gpuqueue.render.renderer import Renderer

__all__ = ["RenderRequest", "renderer_for"]


@lru_cache(maxsize=1)
def renderer_for(settings: RenderSettings, content_root: Path) -> Renderer:
    """This process's renderer: the device stays open and scenes stay loaded between jobs.

    Raises ConfigError if the device cannot be used.
    """
    from gpuqueue.render.renderer import Renderer

    return Renderer(settings, content_root)
