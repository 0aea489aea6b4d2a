"""A scene as JSON data, to compare with the files beside the scenes of tests/data/mi/valid."""

from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gpuqueue.scene import Scene, load_scene, summarise

ROOT = Path(__file__).parent.parent / "data" / "mi"


def load(path: Path) -> Scene:
    return load_scene(path, ROOT)


def describe(scene: Scene) -> dict[str, Any]:
    """The summary, and by name what it only counts."""
    summary = asdict(summarise(scene))
    del summary["source_bytes"], summary["name"]
    for row, material in zip(summary["materials"], scene.materials, strict=True):
        row |= {"parameters": dict(material.parameters), "emission": material.emission}
    summary["lights"] = [asdict(light) for light in scene.lights]
    options = {k: v for k, v in asdict(scene.options).items() if k != "stated"}
    if not scene.options.shutter.blurs:
        del options["shutter"]
    summary["options"] = options
    if scene.camera.world_from_camera_at_end is not None:
        summary["camera"]["position at end"] = scene.camera.world_from_camera_at_end[:3, 3].tolist()
    summary["exposure"] = scene.camera.exposure
    summary["placed"] = [_placed(scene, index) for index in range(len(scene.instances))]
    rounded: dict[str, Any] = _rounded(summary)
    return rounded


def _placed(scene: Scene, index: int) -> dict[str, Any]:
    placed = scene.instances
    materials = scene.material_lists[placed.material_list[index]]
    mesh = scene.meshes[placed.mesh[index]]
    return _motion(scene, index) | {
        "mesh": mesh.name,
        "materials": [scene.materials[m].name for m in materials],
        "triangles by slot": np.bincount(mesh.slots, minlength=mesh.slot_count).tolist(),
        "normals": mesh.normals is not None,
        "uvs": mesh.uvs is not None,
        "visibility": int(placed.visibility[index]),
        "position": placed.world_from_object[index, :3, 3].tolist(),
    }


def _motion(scene: Scene, index: int) -> dict[str, Any]:
    """Where the first two corners of an instance that moves are, at every key."""
    motion = scene.instances.motion
    if motion is None or index not in motion.instance:
        return {}
    corners = scene.meshes[scene.instances.mesh[index]].positions[:2]
    keys = motion.keys[motion.instance == index][0]
    places = [(corners @ key[:3, :3].T + key[:3, 3]).tolist() for key in keys]
    return {"corners at keys": places}


def _rounded(value: Any) -> Any:
    """Floats to six significant digits, tuples to lists: what survives JSON."""
    if isinstance(value, float):
        return float(f"{value:.6g}") + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, np.ndarray):
        return _rounded(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _rounded(getattr(value, f.name)) for f in fields(value)}
    return value
