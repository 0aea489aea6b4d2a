"""The images of a scene: found below its root, read once for each role, counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from gpuqueue.scene.entities import Texture
from gpuqueue.scene.source import SourceFile
from gpuqueue.scene.textures.image_file import UnreadableImage, read_image
from gpuqueue.scene.textures.picture import Picture, Role
from gpuqueue.scene.warnings import Warnings

#: All image files of a scene together, and all their texels.
MAX_FILE_BYTES = 1 << 30
MAX_TEXEL_BYTES = 1 << 32


@dataclass(frozen=True, eq=False)
class Image:
    """A picture and the name of the file, or of the texture, that it is from."""

    name: str
    picture: Picture


@dataclass(frozen=True)
class TextureUse:
    """A texture by name, the file or the shader that it is from, and what became of it: used,
    unused, missing, unusable or computed. Of a used one the picture's size and its bytes on a
    device."""

    name: str
    source: str
    state: str
    size: tuple[int, int] = (0, 0)
    texel_bytes: int = 0


class ImageLibrary:
    """Loads what textures name. An image that cannot be used is told of once and left out."""

    def __init__(self, root: Path, warnings: Warnings) -> None:
        self.images: list[Image] = []
        self.files: dict[Path, SourceFile] = {}
        self._root = root.resolve()
        self._warn = warnings
        self._ids: dict[tuple[Path | str, Role], int | None] = {}
        self._states: dict[str, str] = {}
        self._file_bytes_left, self._texel_bytes_left = MAX_FILE_BYTES, MAX_TEXEL_BYTES

    def find(self, texture: Texture) -> int | None:
        """Return the place in `images` of a texture's image; None, with a warning, if it has none
        that can be used."""
        path = self.locate(texture)
        key = self._key(texture, path)
        if key not in self._ids:
            self._ids[key] = self._load(texture, path)
        if self._ids[key] is None:
            self._states[texture.name] = "unusable" if path or texture.data else "missing"
        return self._ids[key]

    def use(self, texture: Texture) -> TextureUse:
        """Return what became of a texture once all materials are known."""
        source = texture.file or (texture.shaders and "a shader") or "the scene"
        index = self._ids.get(self._key(texture, self.locate(texture)))
        if index is not None:
            texels = self.images[index].picture.texels
            size = (texels.shape[1], texels.shape[0])
            return TextureUse(texture.name, source, "used", size, texels.nbytes * 4 // 3)
        return TextureUse(
            texture.name, source, self._states.get(texture.name) or self._idle(texture)
        )

    def _idle(self, texture: Texture) -> str:
        """The state of a texture that no material asks for."""
        if texture.shaders:
            return "computed"
        return "missing" if texture.file and self.locate(texture) is None else "unused"

    @staticmethod
    def _key(texture: Texture, path: Path | None) -> tuple[Path | str, Role]:
        return path or texture.name, texture.role

    def locate(self, texture: Texture) -> Path | None:
        """Return the file that a texture names: beside the scene file that names it, or below the
        root; else, since files name folders of other machines, one of the same last name there."""
        if texture.file is None:
            return None
        name = PurePosixPath(texture.file.replace("\\", "/"))
        folders = (texture.at.source.path.parent, self._root)
        places = [folder / part for part in (name, name.name) for folder in folders]
        return next((found for place in places if (found := self._inside(place))), None)

    def _inside(self, place: Path) -> Path | None:
        try:
            resolved = place.resolve()
            is_usable = resolved.is_relative_to(self._root) and resolved.is_file()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL, a name too long
            return None
        return resolved if is_usable else None

    def _load(self, texture: Texture, path: Path | None) -> int | None:
        if path is None and texture.data is None:
            self._refuse(texture, "is not there, neither beside the scene nor below its root")
            return None
        try:
            picture = self._read(path, texture.role) if path else _from_bytes(texture)
            self._count(picture)
        except UnreadableImage as error:
            self._refuse(texture, f"cannot be used: {error}")
            return None
        self.images.append(Image(texture.file or texture.name, picture))
        return len(self.images) - 1

    def _refuse(self, texture: Texture, why: str) -> None:
        shown = (texture.file or texture.name)[:200]
        self._warn(f"image '{shown}' {why}; grey is used instead", texture.at)

    def _read(self, path: Path, role: Role) -> Picture:
        if path not in self.files:
            size = path.stat().st_size
            if size > self._file_bytes_left:
                raise UnreadableImage(f"the images of a scene exceed {MAX_FILE_BYTES} bytes")
            self._file_bytes_left -= size
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            self.files[path] = SourceFile(path, size, digest)
        return read_image(path, role)

    def _count(self, picture: Picture) -> None:
        if picture.texels.nbytes > self._texel_bytes_left:
            raise UnreadableImage(f"the scene's images decoded exceed {MAX_TEXEL_BYTES} bytes")
        self._texel_bytes_left -= picture.texels.nbytes


def _from_bytes(texture: Texture) -> Picture:
    """Bytes written in the scene: red, green, blue, alpha, or one a texel; bottom row first."""
    width, height = texture.size
    data = np.frombuffer(texture.data or b"", np.uint8)
    return Picture(data.reshape(height, width, -1), texture.role is Role.COLOR)
