"""Scenes: the ``.mi`` reader, the model it produces, and arrays for the kernels.

The stages: source (bytes, places) -> tokens -> statements (entities) -> resolve (`Scene`) ->
buffers (`pack`). write/ goes back from entities to text.
"""

from gpuqueue.scene.buffers import SceneBuffers, camera_record, pack
from gpuqueue.scene.load import load_document, load_scene
from gpuqueue.scene.model import Camera, RenderOptions, Scene
from gpuqueue.scene.source import SourceFile
from gpuqueue.scene.summary import SceneSummary, summarise
from gpuqueue.scene.write import scene_pieces

__all__ = [
    "Camera",
    "RenderOptions",
    "Scene",
    "SceneBuffers",
    "SceneSummary",
    "SourceFile",
    "camera_record",
    "load_document",
    "load_scene",
    "pack",
    "scene_pieces",
    "summarise",
]
