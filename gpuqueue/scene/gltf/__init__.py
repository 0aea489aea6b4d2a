"""glTF 2.0 files (``.gltf``, ``.glb``) as the entities that a ``.mi`` file would define.

asset.py reads the file and its buffers, accessors.py numbers, then meshes, materials and nodes.
"""

from __future__ import annotations

from pathlib import Path

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import InstanceGroup
from gpuqueue.scene.gltf.asset import Asset, read_asset
from gpuqueue.scene.gltf.item import Item, Names
from gpuqueue.scene.gltf.materials import define_material
from gpuqueue.scene.gltf.meshes import Meshes
from gpuqueue.scene.gltf.nodes import Nodes
from gpuqueue.scene.gltf.textures import Textures
from gpuqueue.scene.source import Library
from gpuqueue.scene.standard_view import show

__all__ = ["read_gltf"]


def read_gltf(library: Library, path: Path) -> Document:
    """Read the default scene of a file. Without a camera or light it is shown from the front, in
    white surroundings.

    Raises SceneError, which tells the file and the member.
    """
    asset = read_asset(library, path)
    document, names = Document(library.root, library.watch), Names()
    if asset.table("animations"):
        document.warnings("animations are not played", asset.root.at.member("animations"))
    materials = _define_materials(asset, document, names)
    meshes = Meshes(asset, document, materials)
    objects: list[str | None] = []
    for mesh in asset.table("meshes"):
        name = names.take(mesh, "mesh")
        objects.append(name if meshes.define(mesh, name) else None)
    nodes = Nodes(asset, document, names, objects)
    members = nodes.define(_roots(asset))
    root = InstanceGroup(
        names.free("root", "group"), asset.root.at, tuple((m, asset.root.at) for m in members)
    )
    document.define(root)
    show(document, root, nodes.camera, names.free)
    return document


def _define_materials(asset: Asset, document: Document, names: Names) -> list[str]:
    """The names of all materials, and last that of what has none."""
    items = asset.table("materials")
    default = Item({"name": "default"}, asset.root.at.member("materials"))
    textures = Textures(asset, document, names)
    found = []
    for item in (*items, default):
        found.append(names.take(item, "material"))
        define_material(document, textures, item, found[-1])
    return found


def _roots(asset: Asset) -> list[int]:
    """The nodes of the default scene, or of the first; without scenes, all that are no child."""
    count = len(asset.table("nodes"))
    scene = asset.entry(asset.root, "scene", "scenes")
    if scene is None and asset.table("scenes"):
        scene = asset.table("scenes")[0]
    if scene is not None:
        return scene.indices("nodes", count, "node")
    children = {c for node in asset.table("nodes") for c in node.indices("children", count, "node")}
    return [index for index in range(count) if index not in children]
