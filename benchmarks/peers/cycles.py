"""Cycles, through Blender's Python module (bpy), as a worker. https://docs.blender.org/api"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from benchmarks.scenes import Scene
from benchmarks.scenes.description import Mesh, Surface, View


class Cycles:
    """A `Renderer`: Cycles on the CPU with its default Sobol sampler and light tree."""

    def __init__(self) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / "picture.exr"

    def version(self) -> str:
        """Blender's version."""
        return str(bpy.app.version_string)

    def load(self, scene: Scene, size: int, max_depth: int) -> None:
        """Make Blender's objects; what Cycles builds of them is built by a first, tiny picture."""
        set_up(size, max_depth, self._file)
        set_sky(scene.sky)
        set_camera(scene.view)
        surfaces = [material(surface) for surface in scene.surfaces]
        meshes = [blender_mesh(mesh, surfaces[mesh.surface]) for mesh in scene.meshes]
        for mesh, place in zip(scene.placed, scene.matrices, strict=True):
            placed = bpy.data.objects.new("placed", meshes[mesh])
            placed.matrix_world = Matrix(place.tolist())
            bpy.context.scene.collection.objects.link(placed)
        self.render(1, 0)

    def prepare(self, samples: int, seed: int) -> None:
        """Nothing: the scene stays built."""

    def render(self, samples: int, seed: int) -> None:
        """One picture; what was built for the scene persists."""
        bpy.context.scene.cycles.samples = samples
        bpy.context.scene.cycles.seed = seed
        # Without the tag a scene that persists keeps the samples of the picture before.
        bpy.context.scene.update_tag()
        bpy.context.view_layer.update()
        bpy.ops.render.render(write_still=True)

    def picture(self) -> NDArray[np.float32]:
        """The picture, read from the file that Blender wrote; its rows start below."""
        image = bpy.data.images.load(str(self._file), check_existing=False)
        image.colorspace_settings.name = "Non-Color"
        pixels = np.zeros(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        width, height = image.size
        bpy.data.images.remove(image)
        return np.ascontiguousarray(pixels.reshape(height, width, -1)[::-1, :, :3])


def set_up(size: int, max_depth: int, file: Path) -> None:
    """Size, threads, depth; nothing adaptive, clamped, filtered or denoised."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.threads_mode, render.threads = "FIXED", 1
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    render.use_persistent_data = True
    render.filepath = str(file)
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_depth = "32"
    cycles.device = "CPU"
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_auto_tile = False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0
    cycles.caustics_reflective = cycles.caustics_refractive = True
    cycles.blur_glossy = cycles.light_sampling_threshold = 0.0
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0
    # A bounce is a scattering event before the one that meets the light.
    for kind in ("max", "diffuse", "glossy", "transmission"):
        setattr(cycles, f"{kind}_bounces", max(0, max_depth - 2))


def set_sky(color: tuple[float, float, float]) -> None:
    """An even background."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (*color, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 1.0


def set_camera(view: View) -> None:
    """The pinhole."""
    camera = bpy.data.cameras.new("view")
    camera.sensor_fit, camera.angle = "HORIZONTAL", float(np.radians(view.degrees))
    camera.clip_start, camera.clip_end = 1e-3, 1e5
    placed = bpy.data.objects.new("view", camera)
    placed.matrix_world = Matrix(view.world_from_camera.tolist())
    bpy.context.scene.collection.objects.link(placed)
    bpy.context.scene.camera = placed


def material(surface: Surface) -> Any:
    """Nodes of a surface; what emits reflects too where its colour is not black."""
    made = bpy.data.materials.new(surface.kind)
    made.use_nodes = True
    tree = made.node_tree
    tree.nodes.clear()
    shaders = []
    if any(surface.color) or not any(surface.emission):
        shaders.append(scattering(tree, surface))
    if any(surface.emission):
        shaders.append(tree.nodes.new("ShaderNodeEmission"))
        strength = max(surface.emission)
        color = [channel / strength for channel in surface.emission]
        shaders[-1].inputs["Color"].default_value = (*color, 1.0)
        shaders[-1].inputs["Strength"].default_value = strength
    out = shaders[0].outputs[0]
    if len(shaders) == 2:
        both = tree.nodes.new("ShaderNodeAddShader")
        tree.links.new(both.inputs[0], shaders[0].outputs[0])
        tree.links.new(both.inputs[1], shaders[1].outputs[0])
        out = both.outputs[0]
    tree.links.new(tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"], out)
    return made


def scattering(tree: Any, surface: Surface) -> Any:
    """The node that reflects or refracts. Blender squares a roughness to get GGX's width."""
    if surface.kind == "diffuse":
        node = tree.nodes.new("ShaderNodeBsdfDiffuse")
        node.inputs["Roughness"].default_value = 0.0
        color = surface.color
    elif surface.kind == "metal":
        node = tree.nodes.new("ShaderNodeBsdfAnisotropic")
        node.distribution = "GGX"
        node.inputs["Roughness"].default_value = surface.alpha**0.5
        color = surface.color
    else:
        node = tree.nodes.new("ShaderNodeBsdfGlass")
        node.inputs["Roughness"].default_value = 0.0
        node.inputs["IOR"].default_value = surface.ior
        color = (1.0, 1.0, 1.0)
    node.inputs["Color"].default_value = (*color, 1.0)
    return node


def blender_mesh(mesh: Mesh, surface: Any) -> Any:
    """Vertices and triangles, flat."""
    made = bpy.data.meshes.new("mesh")
    count = len(mesh.triangles)
    made.vertices.add(len(mesh.positions))
    made.vertices.foreach_set("co", mesh.positions.ravel())
    made.loops.add(3 * count)
    made.loops.foreach_set("vertex_index", mesh.triangles.ravel())
    made.polygons.add(count)
    made.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
    made.materials.append(surface)
    made.update(calc_edges=True)
    made.shade_flat()
    return made


def open_renderer() -> Cycles:
    """The renderer."""
    return Cycles()
