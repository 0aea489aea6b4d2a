"""Nodes as instances and groups of instances, and the cameras and lights that stand in them.

glTF 2.0, sections 3.5 and 3.10; lights: KHR_lights_punctual. World space is as here: right-handed,
in metres, +Y up, a camera looks along -Z.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Camera, Instance, InstanceGroup, Light, ShaderCall
from gpuqueue.scene.gltf.asset import Asset
from gpuqueue.scene.gltf.item import Item, Names
from gpuqueue.scene.source import Part

#: Pixels of a picture's height; glTF has no resolution.
HEIGHT = 720
_PUNCTUAL = "KHR_lights_punctual"


class Nodes:
    """Instances of the document, one for each node, as they are asked for.

    `meshes` are names of objects by index of the mesh, None for those without triangles.
    """

    def __init__(
        self, asset: Asset, document: Document, names: Names, meshes: list[str | None]
    ) -> None:
        self._asset = asset
        self._document = document
        self._names = names
        self._meshes = meshes
        self._lights = asset.root.child("extensions").child(_PUNCTUAL).children("lights")
        self._instances: dict[int, str | None] = {}
        self._shared: dict[tuple[str, int], str] = {}
        #: The instance of the first camera.
        self.camera = ""

    def define(self, roots: list[int]) -> list[str]:
        """Keep these nodes and all below them; return the names of the roots' instances.

        Nodes are visited without recursion: a file may nest them as deeply as it likes.
        """
        table = self._asset.table("nodes")
        stack = list(reversed(roots))
        opened: set[int] = set()
        while stack:
            index = stack[-1]
            children = table[index].indices("children", len(table), "node")
            waiting = [c for c in children if c not in self._instances and c not in opened]
            opened.add(index)
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            if index not in self._instances:
                self._instances[index] = self._node(table[index], children)
        return [name for r in roots if (name := self._instances[r]) is not None]

    def _node(self, node: Item, children: list[int]) -> str | None:
        """The name of a node's instance; None if there is nothing below it."""
        name = self._names.take(node, "node")
        contents = self._contents(node)
        below = [found for c in children if (found := self._instances.get(c)) is not None]
        matrix = self._matrix(node)
        if matrix is None or not (contents or below):
            return None
        if len(contents) == 1 and not below:
            ((kind, element),) = contents.items()
        else:
            kind, element = "group", self._group(node, name, contents, below)
        self._place(node, name, kind, element, matrix)
        return name

    def _group(self, node: Item, name: str, contents: Mapping[str, str], below: list[str]) -> str:
        members = []
        for kind, element in contents.items():
            members.append(self._names.free(f"{name} {kind}", "instance"))
            self._place(node, members[-1], kind, element, None)
        group = self._names.free(f"{name} group", "group")
        self._document.define(
            InstanceGroup(group, node.at, tuple((m, node.at) for m in (*members, *below)))
        )
        return group

    def _place(
        self, node: Item, name: str, kind: str, element: str, matrix: NDArray[np.float64] | None
    ) -> None:
        if kind == "camera":
            self.camera = self.camera or name
        self._document.define(Instance(name, node.at, element, matrix))

    def _contents(self, node: Item) -> dict[str, str]:
        """What stands in a node, by its kind."""
        found: dict[str, str] = {}
        mesh = node.index("mesh", len(self._meshes), "mesh")
        if mesh is not None and (name := self._meshes[mesh]) is not None:
            found["mesh"] = name
        if (camera := self._asset.entry(node, "camera", "cameras")) is not None:
            found["camera"] = self._once("camera", node.values["camera"], camera)
        reference = node.child("extensions").child(_PUNCTUAL)
        if (light := reference.index("light", len(self._lights), "light")) is not None:
            found["light"] = self._once("light", light, self._lights[light])
        return found

    def _once(self, kind: str, index: int, item: Item) -> str:
        """The name of a camera or light, which is kept when it is first met."""
        if (kind, index) not in self._shared:
            name = self._names.take(item, kind)
            entity = camera_of(item, name) if kind == "camera" else light_of(item, name)
            self._document.define(entity)
            self._shared[kind, index] = name
        return self._shared[kind, index]

    def _matrix(self, node: Item) -> NDArray[np.float64] | None:
        """Maps row vectors of the parent to the node's; None, with a warning, if it is flat."""
        local = local_matrix(node)
        size = abs(local[:3, :3]).max()
        if not size > 0 or abs(np.linalg.det(local[:3, :3] / size)) < 1e-12:
            self._document.warnings("a node that is scaled to nothing is left out", node.at)
            return None
        return np.asarray(np.linalg.inv(local).T, np.float64)


def local_matrix(node: Item) -> NDArray[np.float64]:
    """Parent from node, for column vectors: its matrix, else translation x rotation x scale."""
    if node.has("matrix"):
        matrix = np.array(node.numbers("matrix", np.eye(4).ravel().tolist())).reshape(4, 4).T
        if (matrix[3] != (0, 0, 0, 1)).any():
            raise node.error("matrix", "an affine matrix, column by column")
        return matrix
    x, y, z, w = node.numbers("rotation", (0.0, 0.0, 0.0, 1.0))
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if length < 1e-6:
        raise node.error("rotation", "a quaternion of length 1")
    x, y, z, w = x / length, y / length, z / length, w / length
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * node.numbers("scale", (1.0, 1.0, 1.0))
    matrix[:3, 3] = node.numbers("translation", (0.0, 0.0, 0.0))
    return matrix


def camera_of(item: Item, name: str) -> Camera:
    """Return a camera of `HEIGHT` pixels: the file's angle or size, and its aspect."""
    kind = item.text("type")
    if kind == "perspective":
        view = item.child(kind)
        aspect = view.number("aspectRatio", 16 / 9, 0.01, 100)
        height = 2 * math.tan(view.number("yfov", low=1e-3, high=math.pi - 1e-3) / 2)
        return _camera(item.at, name, 1.0, height, aspect)
    if kind == "orthographic":
        view = item.child(kind)
        x, y = (abs(view.number(member)) for member in ("xmag", "ymag"))
        if not 1e-6 < min(x, y) <= max(x, y) < 100 * min(x, y):
            raise view.error("xmag", "half the width of the picture, and half its height in ymag")
        return _camera(item.at, name, None, 2 * y, x / y)
    raise item.error("type", "perspective or orthographic")


def _camera(at: Part, name: str, focal: float | None, height: float, aspect: float) -> Camera:
    width = max(round(HEIGHT * aspect), 1)
    return Camera(name, at, focal, height * aspect, aspect, (width, HEIGHT))


def light_of(item: Item, name: str) -> Light:
    """Return a point, spot or directional light; candela and lux are taken for W/sr and W/m^2."""
    kind = item.text("type")
    color = item.numbers("color", (1.0, 1.0, 1.0))
    intensity = item.number("intensity", 1.0, 0)
    if kind == "directional":
        shader = _physical_light(item, color, intensity)
        return Light(name, item.at, (shader,), direction=(0.0, 0.0, -1.0))
    flux = 4 * math.pi * intensity
    if kind == "point":
        return Light(name, item.at, (_physical_light(item, color, flux),), origin=(0.0, 0.0, 0.0))
    if kind != "spot":
        raise item.error("type", "point, spot or directional")
    cone = item.child("spot")
    inner = cone.number("innerConeAngle", 0.0, 0, math.pi / 2)
    outer = cone.number("outerConeAngle", math.pi / 4, 0, math.pi / 2)
    shader = _physical_light(item, color, flux, cone=math.cos(min(inner, outer)))
    return Light(
        name, item.at, (shader,), (0.0, 0.0, 0.0), (0.0, 0.0, -1.0), spread=math.cos(outer)
    )


def _physical_light(
    item: Item, color: tuple[float, ...], scale: float, cone: float | None = None
) -> ShaderCall:
    """The inverse square law; its colour is the flux of a light that shines everywhere."""
    arguments = {"color": tuple(value * scale for value in color)}
    if cone is not None:
        arguments["cone"] = (cone,)
    return ShaderCall("physical_light", arguments, item.at)
