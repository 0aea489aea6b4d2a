"""The same scene for Mitsuba 3: SceneBuffers, as the kernels read them, to a Mitsuba dictionary.

Meshes are written as PLY files in world space, one for each instance and material, so that both
renderers see the same triangles. https://mitsuba.readthedocs.io documents the plug-ins used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gpuqueue.device.native import kernels, layouts
from gpuqueue.scene import SceneBuffers

from .mitsuba_textures import bitmap

LIGHT_TRIANGLE, LIGHT_POINT, LIGHT_DIRECTIONAL = 0, 1, 3
FALLOFF_INVERSE_SQUARE = 0
MESH_HAS_NORMALS, MESH_HAS_UVS = 1, 2


def mitsuba_dict(scene: SceneBuffers, folder: Path, max_depth: int) -> dict[str, Any]:
    """The whole scene; `folder` receives the PLY files."""
    # "path" counts what a ray passes through as a bounce, and has its shadow rays stop there.
    integrator = "volpath" if scene.cut.any() else "path"
    result: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": integrator, "max_depth": max_depth, "rr_depth": 1000},
        "sensor": sensor(scene),
    }
    if np.any(scene.environment):
        result["environment"] = {"type": "constant", "radiance": rgb(scene.environment)}
    for i, light in enumerate(scene.lights):
        if light["kind"] != LIGHT_TRIANGLE:
            result[f"light{i}"] = emitter(light)
    for i, instance in enumerate(scene.instances):
        for slot, ply in write_instance(scene, instance, folder / f"instance{i}").items():
            index = scene.material_slots[instance["first_material"] + slot]
            result[f"shape{i}_{slot}"] = {**ply, **surface(scene, scene.materials[index])}
    return result


def sensor(scene: SceneBuffers) -> dict[str, Any]:
    """The pinhole camera: Mitsuba's field of view is that of the image's width."""
    import mitsuba as mi

    camera = scene.camera
    centre = camera["corner"] + 0.5 * (scene.width * camera["dx"] + scene.height * camera["dy"])
    half_width = 0.5 * scene.width * np.linalg.norm(camera["dx"])
    return {
        "type": "perspective",
        "fov_axis": "x",
        "fov": float(np.degrees(2 * np.arctan(half_width / np.linalg.norm(centre)))),
        "to_world": mi.ScalarTransform4f().look_at(
            origin=camera["origin"].tolist(),
            target=(camera["origin"] + centre).tolist(),
            up=(-camera["dy"]).tolist(),
        ),
        "film": {
            "type": "hdrfilm",
            "width": scene.width,
            "height": scene.height,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
            "component_format": "float32",
        },
    }


def emitter(light: np.void) -> dict[str, Any]:
    """A point or directional light."""
    if light["kind"] == LIGHT_DIRECTIONAL:
        direction = light["direction"].tolist()
        return {"type": "directional", "direction": direction, "irradiance": rgb(light["color"])}
    assert light["kind"] == LIGHT_POINT
    assert light["falloff"] == FALLOFF_INVERSE_SQUARE
    position = light["position"].tolist()
    return {"type": "point", "position": position, "intensity": rgb(light["color"])}


def surface(scene: SceneBuffers, material: np.void) -> dict[str, Any]:
    """The material and, where it emits, the light of one shape."""
    kind = kernels().shaders()[material["shader"]]
    dtype = layouts()[kind]
    start = int(material["parameters"])
    parameters = np.frombuffer(scene.parameters.tobytes()[start : start + dtype.itemsize], dtype)[0]
    bsdf = BSDFS[kind](parameters)
    if material["surface_steps"]:
        assert kind == "lambert", "textures are compared on matt surfaces"
        bsdf["bsdf"]["reflectance"] = bitmap(scene, int(material["surface_steps"]))
    opacity: Any = 1.0 - float(material["absence"])
    if material["opacity_steps"]:
        opacity = bitmap(scene, int(material["opacity_steps"]))
    if opacity != 1.0:
        bsdf = {"type": "mask", "opacity": opacity, "bsdf": bsdf}
    result: dict[str, Any] = {"bsdf": bsdf}
    if np.any(material["emission"]):
        radiance = rgb(material["emission"])
        if material["emission_steps"]:
            radiance = bitmap(scene, int(material["emission_steps"]), material["emission"])
        result["emitter"] = {"type": "area", "radiance": radiance}
    return result


def lambert(p: np.void) -> dict[str, Any]:
    return two_sided({"type": "diffuse", "reflectance": rgb(p["reflectance"])})


def mirror(p: np.void) -> dict[str, Any]:
    reflectance = rgb(p["reflectance"])
    return two_sided({"type": "conductor", "material": "none", "specular_reflectance": reflectance})


def conductor(p: np.void) -> dict[str, Any]:
    """Rough, without Fresnel: Mitsuba's own Fresnel wants eta and k, ours f0 and f90."""
    assert np.allclose(p["f0"], p["f90"]), "give f90 = f0 for a comparison"
    return two_sided(
        {
            "type": "roughconductor",
            "material": "none",
            "distribution": "ggx",
            "alpha": float(p["alpha"]),
            "specular_reflectance": rgb(p["f0"]),
        }
    )


def glass(p: np.void) -> dict[str, Any]:
    assert not np.any(p["absorption"]), "absorption would need a medium"
    return {
        "type": "dielectric",
        "int_ior": float(p["ior"]),
        "ext_ior": 1.0,
        "specular_reflectance": rgb(p["reflection"]),
        "specular_transmittance": rgb(p["transmission"]),
    }


BSDFS = {"lambert": lambert, "mirror": mirror, "conductor": conductor, "glass": glass}


def two_sided(bsdf: dict[str, Any]) -> dict[str, Any]:
    return {"type": "twosided", "bsdf": bsdf}


def rgb(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    """A linear colour as Mitsuba takes it."""
    return {"type": "rgb", "value": np.asarray(value, dtype=float).tolist()}


def write_instance(scene: SceneBuffers, instance: np.void, stem: Path) -> dict[int, dict[str, Any]]:
    """Write one PLY per material slot; return the shapes by slot."""
    mesh = scene.meshes[instance["mesh"]]
    vertices = slice(mesh["first_vertex"], mesh["first_vertex"] + mesh["vertex_count"])
    count = slice(mesh["first_triangle"], mesh["first_triangle"] + mesh["triangle_count"])
    matrix = instance["world_from_object"].reshape(3, 4).astype(float)
    inverse = instance["object_from_world"].reshape(3, 4).astype(float)
    positions = scene.positions[vertices] @ matrix[:, :3].T + matrix[:, 3]
    smooth = bool(mesh["flags"] & MESH_HAS_NORMALS)
    normals = scene.normals[vertices] @ inverse[:, :3] if smooth else None
    uvs = scene.uvs[vertices] if mesh["flags"] & MESH_HAS_UVS else None
    shapes = {}
    for slot in np.unique(scene.triangles[count]["material"]):
        triangles = scene.triangles[count]
        faces = triangles[triangles["material"] == slot]["vertex"]
        if np.linalg.det(matrix[:, :3]) < 0:
            faces = faces[:, [0, 2, 1]]
        path = stem.with_name(f"{stem.name}_{slot}.ply")
        write_ply(path, positions, normals, uvs, faces)
        shapes[int(slot)] = {"type": "ply", "filename": str(path), "face_normals": not smooth}
    return shapes


def write_ply(path: Path, positions: Any, normals: Any, uvs: Any, faces: Any) -> None:
    """Write a binary little-endian PLY file."""
    given = {"x y z": positions, "nx ny nz": normals, "u v": uvs}
    columns = np.hstack([values for values in given.values() if values is not None])
    names = [n for key, values in given.items() if values is not None for n in key.split()]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(columns)}"]
    header += [f"property float {name}" for name in names]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    lists = np.zeros(len(faces), [("n", "u1"), ("v", "<i4", 3)])
    lists["n"], lists["v"] = 3, faces
    with path.open("wb") as stream:
        stream.write(("\n".join(header) + "\n").encode())
        stream.write(columns.astype("<f4").tobytes())
        stream.write(lists.tobytes())
