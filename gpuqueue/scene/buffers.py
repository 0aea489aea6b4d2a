"""A scene as arrays in the kernels' layouts (kernels/scene_types.cuh, reported by the module)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuqueue.errors import InvalidJob
from gpuqueue.scene.light_table import LightTable, light_table
from gpuqueue.scene.model import Camera, Instances, Material, Mesh, Scene
from gpuqueue.scene.textures.pack import ParameterBlock, StepTable, pack_images, setting_steps
from gpuqueue.scene.textures.value import Step, Texture

Layouts = Mapping[str, "np.dtype[np.void]"]
Records = NDArray[np.void]

_HAS_NORMALS, _HAS_UVS = 1, 2


@dataclass(frozen=True, eq=False)
class SceneBuffers:
    """What the kernels read. V vertices, T triangles, S slots, L lights over all meshes."""

    camera: np.void
    positions: NDArray[np.float32]  #: [V, 3]
    normals: NDArray[np.float32]  #: [V, 3]; zeros where a mesh has none
    uvs: NDArray[np.float32]  #: [V, 2]; zeros where a mesh has none
    triangles: Records  #: Triangle
    meshes: Records  #: Mesh
    instances: Records  #: Instance
    cut: NDArray[np.uint8]  #: [T]: where some instance cuts a triangle out; [0]: nowhere
    keys: NDArray[np.float32]  #: [K, 12]: transforms of the instances that move, see Motion
    material_slots: NDArray[np.uint32]  #: [S]
    materials: Records  #: Material
    parameters: NDArray[np.uint8]  #: of the shaders, and operands of the textures' steps
    images: Records  #: Image
    texels: NDArray[np.uint8]
    linear_of_srgb: NDArray[np.float32]  #: [256], or [0] without images
    texture_steps: Records  #: TextureStep; one alone: no material has a texture
    lights: Records  #: Light
    light_cdf: NDArray[np.float32]  #: [L]
    emission_density: float  #: see Light in scene_types.cuh
    environment: NDArray[np.float32]  #: [3]
    width: int
    height: int


def pack(
    scene: Scene,
    layouts: Layouts,
    shaders: Sequence[str],
    width: int | None = None,
    height: int | None = None,
) -> SceneBuffers:
    """Return a scene in the layouts of the kernels at hand.

    `shaders` lists the kernels' material kinds by id. `width` and `height` are the size of the
    film in pixels; left out, the camera's own, or what keeps its proportion. Raises InvalidJob
    for a material kind or parameter that the kernels do not have.
    """
    width, height = film_size(scene.camera, width, height)
    _check_kinds(scene.materials, shaders)
    block = ParameterBlock()
    steps = StepTable(layouts, block)
    materials = _materials(scene.materials, shaders, layouts, block, steps)
    images = pack_images(scene.images, layouts)
    lists, list_starts = _material_slots(scene)
    lights = light_table(scene)
    return SceneBuffers(
        camera=camera_record(scene.camera, layouts, width, height),
        positions=_joined([mesh.positions for mesh in scene.meshes], 3),
        normals=_joined([_or_zeros(mesh, mesh.normals, 3) for mesh in scene.meshes], 3),
        uvs=_joined([_or_zeros(mesh, mesh.uvs, 2) for mesh in scene.meshes], 2),
        triangles=_triangles(scene.meshes, layouts["Triangle"]),
        meshes=_meshes(scene.meshes, layouts["Mesh"]),
        instances=_instances(scene, list_starts, layouts["Instance"]),
        cut=_cut_triangles(scene),
        keys=_keys(scene.instances),
        material_slots=lists,
        materials=materials,
        parameters=block.array(),
        images=images.images,
        texels=images.texels,
        linear_of_srgb=images.linear_of_srgb,
        texture_steps=steps.records(),
        lights=_lights(lights, layouts["Light"]),
        light_cdf=lights.cdf,
        emission_density=lights.emission_density,
        environment=np.array(scene.environment, np.float32),
        width=width,
        height=height,
    )


def film_size(camera: Camera, width: int | None, height: int | None) -> tuple[int, int]:
    """Return the film's size: as asked for; one side alone keeps the camera's proportion."""
    own_width, own_height = camera.resolution
    if width is None and height is None:
        return own_width, own_height
    if width is None:
        width = max(1, round((height or 1) * own_width / own_height))
    return width, height or max(1, round(width * own_height / own_width))


def camera_record(camera: Camera, layouts: Layouts, width: int, height: int) -> np.void:
    """Return the Camera that fills a film of `width` x `height` pixels.

    A film of another proportion than the camera's keeps the picture's width and the shape of
    its pixels, so that nothing is distorted; it sees more or less above and below.
    """
    x, y, window_width, window_height = camera.window
    columns, rows = camera.raster
    step = window_width / width  # pixels of the raster for a pixel of the film
    right, up = camera.plane[0] / columns, camera.plane[1] / rows
    # The film's upper left corner in pixels of the raster, from the raster's centre.
    left = x - columns / 2 + camera.offset[0]
    top = rows / 2 - y - window_height / 2 + height * step / 2 + camera.offset[1]
    corner = np.array([left * right, top * up, -1.0])
    middle = np.array([(left + window_width / 2) * right, (top - height * step / 2) * up, -1.0])
    scale = np.linalg.norm(camera.world_from_camera[:3, :3] @ middle) or 1.0
    vectors = {"corner": corner, "dx": [step * right, 0.0, 0.0], "dy": [0.0, -step * up, 0.0]}
    records: Records = np.zeros(1, layouts["Camera"])
    record: np.void = records[0]
    record["origin"] = camera.world_from_camera[:3, 3]
    for name, vector in vectors.items():
        record[name] = camera.world_from_camera[:3, :3] / scale @ vector
    if camera.world_from_camera_at_end is not None:
        change = camera.world_from_camera_at_end - camera.world_from_camera
        record["origin_change"] = change[:3, 3]
        for name, vector in vectors.items():
            record[f"{name}_change"] = change[:3, :3] / scale @ vector
    return record


def _joined(arrays: Sequence[NDArray[np.float32]], columns: int) -> NDArray[np.float32]:
    if len(arrays) == 1:
        return np.ascontiguousarray(arrays[0])
    return np.concatenate([np.zeros((0, columns), np.float32), *arrays])


def _or_zeros(mesh: Mesh, values: NDArray[np.float32] | None, columns: int) -> NDArray[np.float32]:
    return np.zeros((len(mesh.positions), columns), np.float32) if values is None else values


def _triangles(meshes: Sequence[Mesh], dtype: np.dtype[np.void]) -> Records:
    records = np.zeros(sum(len(mesh.triangles) for mesh in meshes), dtype)
    start = 0
    for mesh in meshes:
        part = records[start : start + len(mesh.triangles)]
        for corner in range(3):  # whole columns: rows of three are copied slowly
            part["vertex"][:, corner] = mesh.triangles[:, corner]
        part["material"] = mesh.slots
        start += len(part)
    return records


def _meshes(meshes: Sequence[Mesh], dtype: np.dtype[np.void]) -> Records:
    records = np.zeros(len(meshes), dtype)
    triangle_counts = np.array([len(mesh.triangles) for mesh in meshes], np.int64)
    vertex_counts = np.array([len(mesh.positions) for mesh in meshes], np.int64)
    records["triangle_count"], records["vertex_count"] = triangle_counts, vertex_counts
    records["first_triangle"] = np.cumsum(triangle_counts) - triangle_counts
    records["first_vertex"] = np.cumsum(vertex_counts) - vertex_counts
    records["flags"] = [
        _HAS_NORMALS * (mesh.normals is not None) | _HAS_UVS * (mesh.uvs is not None)
        for mesh in meshes
    ]
    return records


def _instances(scene: Scene, list_starts: NDArray[np.int64], dtype: np.dtype[np.void]) -> Records:
    placed = scene.instances
    records = np.zeros(len(placed), dtype)
    inverse = np.linalg.inv(placed.world_from_object)
    shape = records["world_from_object"].shape
    records["world_from_object"] = placed.world_from_object[:, :3].reshape(shape)
    records["object_from_world"] = inverse[:, :3].reshape(shape)
    records["mesh"] = placed.mesh
    records["first_material"] = list_starts[placed.material_list]
    records["mask"] = placed.visibility
    if placed.motion is not None:
        count, steps = placed.motion.keys.shape[:2]
        motion: Records = records["motion"][placed.motion.instance]
        motion["first_key"], motion["key_count"] = np.arange(count) * steps, steps
        records["motion"][placed.motion.instance] = motion
    return records


def _cut_triangles(scene: Scene) -> NDArray[np.uint8]:
    cut = [material.cuts_out for material in scene.materials]
    slots = {n: [cut[m] for m in list_] for n, list_ in enumerate(scene.material_lists)}
    if not any(any(flags) for flags in slots.values()):
        return np.zeros(0, np.uint8)
    flags = [np.zeros(len(mesh.triangles), np.uint8) for mesh in scene.meshes]
    pairs = np.stack([scene.instances.mesh, scene.instances.material_list], axis=1)
    for mesh, materials in np.unique(pairs, axis=0):
        flags[mesh] |= np.array(slots[int(materials)], np.uint8)[scene.meshes[mesh].slots]
    return np.concatenate(flags)


def _keys(placed: Instances) -> NDArray[np.float32]:
    if placed.motion is None:
        return np.zeros((0, 12), np.float32)
    return placed.motion.keys[:, :, :3].reshape(-1, 12).astype(np.float32)


def _material_slots(scene: Scene) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Every material list end to end, and where each starts."""
    lengths = np.array([len(materials) for materials in scene.material_lists], np.int64)
    slots = [index for materials in scene.material_lists for index in materials]
    return np.array(slots, np.uint32), np.cumsum(lengths) - lengths


def _check_kinds(materials: Sequence[Material], shaders: Sequence[str]) -> None:
    for material in materials:
        if material.kind not in shaders:
            raise InvalidJob(
                f"material '{material.name}' is of kind '{material.kind}';"
                f" the kernels have: {', '.join(shaders)}"
            )


def _materials(
    materials: Sequence[Material],
    shaders: Sequence[str],
    layouts: Layouts,
    block: ParameterBlock,
    steps: StepTable,
) -> Records:
    records: Records = np.zeros(len(materials), layouts["Material"])
    for record, material in zip(records, materials, strict=True):
        record["shader"] = shaders.index(material.kind)
        record["parameters"] = block.add(_parameters(material, layouts[material.kind]))
        record["emission"] = material.emission
        record["absence"] = 1.0 - material.opacity
        record["surface_steps"] = steps.add(_surface_steps(material, layouts[material.kind]))
        record["emission_steps"] = steps.add(_steps_of(material.emission_texture))
        record["opacity_steps"] = steps.add(_steps_of(material.opacity_texture))
    return records


def _parameters(material: Material, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """A material's shader parameters; of those that vary the mean."""
    record = np.zeros((), dtype)
    for name, value in material.parameters.items():
        if name not in (dtype.names or ()):
            raise InvalidJob(f"the kernels' '{material.kind}' has no parameter '{name}'")
        if isinstance(value, Texture):
            record[name] = value.mean[:3] if dtype[name].shape else value.mean[0]
        else:
            record[name] = value
    return record


def _surface_steps(material: Material, dtype: np.dtype[np.void]) -> list[Step]:
    return [
        step
        for name, value in material.parameters.items()
        if isinstance(value, Texture)
        for step in setting_steps(dtype, name, value)
    ]


def _steps_of(texture: Texture | None) -> tuple[Step, ...]:
    return () if texture is None else texture.steps


def _lights(table: LightTable, dtype: np.dtype[np.void]) -> Records:
    records = np.zeros(len(table.probability), dtype)
    for name in table.columns:
        records[name] = table.columns[name]
    records["probability"] = table.probability
    return records
