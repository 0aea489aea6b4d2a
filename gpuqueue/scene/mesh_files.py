"""OBJ, PLY and STL files, read by trimesh, as the entities of a document.

For people who convert their own files: nothing that comes over the network is read this way.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from gpuqueue.errors import SceneError
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import (
    Flags,
    Geometry,
    Instance,
    InstanceGroup,
    Material,
    Object,
    ShaderCall,
    Value,
)
from gpuqueue.scene.gltf.item import Item, Names
from gpuqueue.scene.source import Library, Part, Source
from gpuqueue.scene.standard_view import show
from gpuqueue.scene.statements.mesh import check_coordinates, check_indices

SUFFIXES = (".obj", ".ply", ".stl")
_MTLLIB = re.compile(rb"^[ \t]*mtllib[ \t]+([^\r\n]+)", re.MULTILINE)
_MAP = re.compile(rb"^[ \t]*(map_|bump)", re.MULTILINE)


def read_mesh_file(library: Library, path: Path) -> Document:
    """Read the meshes of a file, an object with a material each, seen from the front.

    Raises SceneError for what trimesh cannot read, and where it is not installed.
    """
    name = path.relative_to(library.root).as_posix()
    at = Part(Source(name, path, b""), 0)
    document, names = Document(library.root, library.watch), Names()
    members = []
    for label, parts in _parts(library, path, at, document).items():
        called = Item({"name": str(label)}, at.member(str(label)))
        members.append((_define(document, names, called, parts), at))
    root = InstanceGroup(names.free("root", "group"), at, tuple(members))
    document.define(root)
    show(document, root, "", names.free)
    return document


def _parts(
    library: Library, path: Path, at: Part, document: Document
) -> Mapping[str, Mapping[str, Any]]:
    """What trimesh makes of a file: by name, "vertices", "faces" and what else there is."""
    try:
        from trimesh.exchange.obj import load_obj
        from trimesh.exchange.ply import load_ply
        from trimesh.exchange.stl import load_stl
    except ImportError:
        raise at.error("needs trimesh: pip install 'gpuqueue[convert]'") from None
    data = library.read(path)
    beside = _material_files(library, path, data) if path.suffix.lower() == ".obj" else {}
    if any(_MAP.search(text) for text in beside.values()):
        document.warnings("textures of OBJ materials are not rendered", at)
    with _reporting(at), warnings.catch_warnings(action="ignore"):
        if path.suffix.lower() == ".obj":
            found = load_obj(BytesIO(data), resolver=beside)
        else:
            load = load_ply if path.suffix.lower() == ".ply" else load_stl
            found = {"geometry": {path.stem: load(BytesIO(data))}}
    parts: Mapping[str, Mapping[str, Any]] = found.get("geometry", {path.stem: found})
    if not parts:
        raise at.error("there are no triangles")
    return parts


@contextmanager
def _reporting(at: Part) -> Iterator[None]:
    """Whatever a parser of hostile bytes may raise, as an error of this file."""
    try:
        yield
    except SceneError:
        raise
    except Exception as error:
        told = str(error) or type(error).__name__
        raise at.error(f"trimesh cannot read this: {told[:200]}") from error


def _material_files(library: Library, path: Path, data: bytes) -> Mapping[str, bytes]:
    """The material files that an OBJ names and that are there; no pictures, no other files.

    Raises SceneError for one outside the scene's folder.
    """
    found = {}
    for match in _MTLLIB.finditer(data):
        name = match[1].decode("utf-8", "replace").strip()
        place = library.locate(name, (path.parent,), (".mtl",))
        if place is not None:
            found[name] = library.read(place)
    return found


def _define(document: Document, names: Names, item: Item, parts: Mapping[str, Any]) -> str:
    """Keep an object, its material and an instance, whose name is returned."""
    material = names.take(item, "material")
    name = names.take(item, "object")
    document.define(Material(material, item.at, (_shader(document, item, parts),)))
    shown = Flags(visible=True, trace=True, shadow=True)
    document.define(Object(name, item.at, shown, False, _geometry(item.at, parts, material)))
    instance = names.free(name, "instance")
    document.define(Instance(instance, item.at, name))
    return instance


def _geometry(at: Part, parts: Mapping[str, Any], material: str) -> Geometry:
    from trimesh.geometry import triangulate_quads

    faces = parts.get("faces")
    if faces is None or not len(faces):
        raise at.error("there are no triangles")
    with _reporting(at):
        triangles = np.asarray(triangulate_quads(faces), np.int64).reshape(-1, 3)
        columns = {"vertices": parts["vertices"], "normals": parts.get("vertex_normals")}
        columns["uvs"] = getattr(parts.get("visual"), "uv", None)
        arrays = {k: None if v is None else np.asarray(v, np.float64) for k, v in columns.items()}
    positions, normals, uvs = (
        None if array is None else check_coordinates(array[:, :width], at)
        for array, width in zip(arrays.values(), (3, 3, 2), strict=True)
    )
    if positions is None:
        raise at.error("there are no vertices")
    check_indices(triangles, len(positions), "vertex", at)
    slots = np.zeros(len(triangles), np.int32)
    return Geometry(positions, normals, uvs, triangles.astype(np.int32), slots, (material,))


def _shader(document: Document, item: Item, parts: Mapping[str, Any]) -> ShaderCall:
    """An OBJ material, else grey: Kd below a lobe of Ks and Ns, d of it there, Ke emitted."""
    for name in ("vertex_colors", "face_colors"):
        if parts.get(name) is not None:
            document.warnings(f"{name.replace('_', ' ')} are not rendered", item.at)
    given = getattr(getattr(parts.get("visual"), "material", None), "kwargs", {})
    specular = _numbers(given, "ks", (0.0, 0.0, 0.0))
    strength = min(max(specular), 1.0)
    exponent = max(_numbers(given, "ns", (10.0,))[0], 0.0)
    arguments: dict[str, Value] = {
        "diffuse": _numbers(given, "kd", (0.7, 0.7, 0.7)),
        "diffuse_weight": (1.0,),
        "reflectivity": (strength,),
        "refl_color": tuple(s / max(specular) for s in specular) if strength else (1.0, 1.0, 1.0),
        "refl_gloss": (_gloss(exponent),),
        "brdf_0_degree_refl": (1.0,),
        "additional_color": _numbers(given, "ke", (0.0, 0.0, 0.0)),
        "cutout_opacity": _numbers(given, "d", (1.0,)),
    }
    return ShaderCall("mia_material_x", arguments, item.at)


def _gloss(exponent: float) -> float:
    """Of the microfacet lobe as wide as cos^n: alpha^2 = 2 / (n + 2) (Walter et al. 2007), and
    alpha is the square of 1 - gloss."""
    return 1.0 - math.sqrt(math.sqrt(2.0 / (exponent + 2.0)))


def _numbers(given: Mapping[str, Any], name: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Numbers of a material, which trimesh leaves as they were written."""
    value = given.get(name, default)
    try:
        found = tuple(float(v) for v in np.atleast_1d(value))
    except (TypeError, ValueError):
        return default
    is_usable = len(found) == len(default) and all(0 <= v <= 1e6 for v in found)
    return found if is_usable else default
