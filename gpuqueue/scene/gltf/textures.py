"""Textures of materials as lookups of images (glTF 2.0, section 3.8; KHR_texture_transform).

Images stand in files beside the asset, or in it. Their first row is the upper one, and v points
down: here both are the other way round.
"""

from __future__ import annotations

import math
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Connection, NamedShader, ShaderCall, Texture, Value
from gpuqueue.scene.gltf.asset import Asset, bytes_of_data
from gpuqueue.scene.gltf.item import Item, Names
from gpuqueue.scene.textures.image_file import UnreadableImage, read_image, read_image_bytes
from gpuqueue.scene.textures.picture import Picture, Role

_REPEAT = 10497
#: Of mib_color_mix: the product of base and layer.
_MULTIPLY = 4


class Textures:
    """Shaders of the document that look images up, each texture kept when it is first met."""

    def __init__(self, asset: Asset, document: Document, names: Names) -> None:
        self._asset = asset
        self._document = document
        self._names = names
        self._images: dict[int, str | None] = {}

    def color(self, owner: Item, member: str, factor: tuple[float, ...]) -> Connection | None:
        """Return the connection to a texture times a factor; None if the member is not there, or
        has an image that cannot be used."""
        lookup = self.lookup(owner, member)
        if lookup is None or factor == (1.0, 1.0, 1.0):
            return lookup
        arguments: dict[str, Value] = {
            "num": (1,),
            "color_base": lookup,
            "mode_0": (_MULTIPLY,),
            "weight_0": (1.0,),
            "color_0": (*factor, 1.0),
        }
        return self._shader(owner, f"{member} factor", "mib_color_mix", arguments)

    def alpha(self, owner: Item, member: str, factor: float) -> Connection | None:
        """Return the connection to a texture's alpha times a factor."""
        lookup = self.lookup(owner, member)
        if lookup is None:
            return None
        arguments: dict[str, Value] = {"input": lookup, "factor": (factor,)}
        return self._shader(owner, f"{member} alpha", "mib_color_alpha", arguments)

    def mean(self, owner: Item, member: str) -> tuple[float, ...] | None:
        """Return the mean of a texture's numbers, red, green, blue, alpha; None if there is none
        that can be used."""
        image = self._image_of(owner, member)
        if image is None:
            return None
        item = self._asset.table("images")[image]
        try:
            return self._read(item, Role.VECTOR).mean()
        except UnreadableImage as error:
            self._document.warnings(f"this image cannot be used: {error}", item.at)
            return None

    def lookup(self, owner: Item, member: str) -> Connection | None:
        """Return the connection to the lookup of a texture."""
        image = self._image_of(owner, member)
        name = None if image is None else self._image(image)
        return None if name is None else self._looked_up(owner, member, name)

    def _image_of(self, owner: Item, member: str) -> int | None:
        """The number of a texture's image; None if there is no texture or image."""
        if not owner.has(member):
            return None
        info = owner.child(member)
        texture = self._asset.entry(info, "index", "textures")
        if texture is None:
            raise info.error("index", "an index")
        self._warn_of_what_is_left_out(info, texture)
        return texture.index("source", len(self._asset.table("images")), "image")

    def _warn_of_what_is_left_out(self, info: Item, texture: Item) -> None:
        if info.integer("texCoord", 0):
            self._document.warnings("the first texture coordinates are used", info.at, "texCoord")
        sampler = self._asset.entry(texture, "sampler", "samplers")
        wraps = {sampler.integer(w, _REPEAT) for w in ("wrapS", "wrapT")} if sampler else {_REPEAT}
        if wraps != {_REPEAT}:
            self._document.warnings("textures are repeated, not mirrored or clamped", texture.at)

    def _looked_up(self, owner: Item, member: str, image: str) -> Connection:
        transform = owner.child(member).child("extensions").child("KHR_texture_transform")
        if not transform.values:
            arguments: dict[str, Value] = {"tex": (image,), "factor": (1.0,)}
            return self._shader(owner, member, "mib_texture_lookup2", arguments)
        matrix = uv_matrix(transform)
        vector = self._shader(owner, f"{member} uv", "mib_texture_vector", {})
        remap: dict[str, Value] = {
            "input": vector,
            "transform": tuple(matrix.T.ravel().tolist()),
            "torus_x": (True,),
            "torus_y": (True,),
        }
        place = self._shader(owner, f"{member} place", "mib_texture_remap", remap)
        lookup: dict[str, Value] = {"tex": (image,), "coord": place}
        return self._shader(owner, member, "mib_texture_lookup", lookup)

    def _shader(self, owner: Item, what: str, kind: str, arguments: dict[str, Value]) -> Connection:
        name = self._names.free(f"{owner.text('name', '') or owner.at.path} {what}", "shader")
        call = ShaderCall(kind, arguments, owner.at)
        self._document.define(NamedShader(name, owner.at, (call,)))
        return Connection(name)

    def _image(self, index: int) -> str | None:
        """The name of an image's texture, read once; None, with a warning, if it is unusable."""
        if index not in self._images:
            self._images[index] = self._define(self._asset.table("images")[index])
        return self._images[index]

    def _define(self, image: Item) -> str | None:
        name = self._names.take(image, "image")
        if (file := _file_of(image)) is not None:
            self._document.define(Texture(name, image.at, Role.COLOR, file))
            return name
        try:
            texels = self._read(image, Role.COLOR).texels
            if texels.dtype != np.uint8:
                raise UnreadableImage("inside a glTF file, images of 8 bits are read")
        except UnreadableImage as error:
            self._document.warnings(f"this image cannot be used: {error}", image.at)
            return None
        rows, columns, _ = texels.shape
        self._document.define(
            Texture(name, image.at, Role.COLOR, None, (columns, rows), texels.tobytes())
        )
        return name

    def _read(self, image: Item, role: Role) -> Picture:
        """An image's picture. Raises UnreadableImage."""
        file = _file_of(image)
        if file is None:
            is_text = image.has("uri")
            data = bytes_of_data(image) if is_text else bytes(self._asset.view(image)[1])
            return read_image_bytes(data, role)
        path = self._document.images.locate(Texture("", image.at, role, file))
        if path is None:
            raise UnreadableImage(f"'{file[:200]}' is not there")
        return read_image(path, role)


def _file_of(image: Item) -> str | None:
    """The name of an image's file; None if it stands in the asset."""
    uri = image.text("uri", "")
    return unquote(uri) if uri and not uri.startswith("data:") else None


def uv_matrix(transform: Item) -> NDArray[np.float64]:
    """Return the matrix ``[4, 4]``, for column vectors, that a KHR_texture_transform is with v up.

    The extension turns, then moves: ``T R S`` of coordinates whose v points down.
    """
    x, y = transform.numbers("offset", (0.0, 0.0))
    width, height = transform.numbers("scale", (1.0, 1.0))
    angle = transform.number("rotation", 0.0)
    cosine, sine = math.cos(angle), math.sin(angle)
    down = np.eye(4)
    down[:2, :2] = np.array([[cosine, sine], [-sine, cosine]]) * [width, height]
    down[:2, 3] = x, y
    flip = np.diag([1.0, -1.0, 1.0, 1.0])
    flip[1, 3] = 1
    return np.asarray(flip @ down @ flip, np.float64)
