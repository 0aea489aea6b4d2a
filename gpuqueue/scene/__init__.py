"""Scenes: the ``.mi`` reader, the model it produces, and arrays for the kernels.

The stages: source (bytes, places) -> tokens -> statements (entities) -> resolve (`Scene`) ->
buffers (`pack`).
"""

from gpuqueue.scene.buffers import SceneBuffers, camera_record, pack
from gpuqueue.scene.load import load_scene
from gpuqueue.scene.model import Camera, RenderOptions, Scene
from gpuqueue.scene.source import SourceFile
from gpuqueue.scene.summary import SceneSummary, summarise

__all__ = [
    "Camera",
    "RenderOptions",
    "Scene",
    "SceneBuffers",
    "SceneSummary",
    "SourceFile",
    "camera_record",
    "load_scene",
    "pack",
    "summarise",
]
