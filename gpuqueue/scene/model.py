"""A scene ready to be packed: names are resolved, the graph is flat, shaders are materials.

Every reader of a scene format produces this; buffers.py turns it into arrays for the kernels.
World space is right-handed. Transforms map column vectors: ``p_world = M @ (p_object, 1)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.motion import Shutter
from gpuqueue.scene.source import SourceFile
from gpuqueue.scene.textures.image_library import Image, TextureUse
from gpuqueue.scene.textures.value import Color as Color
from gpuqueue.scene.textures.value import Texture

Matrix: TypeAlias = NDArray[np.float64]
#: A shader parameter of the kernels: one number, or a colour; or what varies over the surface.
Parameter: TypeAlias = float | Color | Texture

BLACK: Color = (0.0, 0.0, 0.0)


class Visibility(IntFlag):
    """Which rays see an instance; the bits of InstanceMask in kernels/scene_types.cuh."""

    CAMERA = 1
    PATHS = 2
    SHADOW = 4
    ALL = 7


class LightKind(StrEnum):
    """What a light without a surface is."""

    POINT = "point"
    SPOT = "spot"
    DIRECTIONAL = "directional"


class Falloff(StrEnum):
    """How a point or spot light fades; see LightFalloff in kernels/scene_types.cuh."""

    INVERSE_SQUARE = "inverse square"
    NONE = "none"
    LINEAR = "linear"


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole at the origin of camera space that looks along -Z, +Y up.

    `plane` is the image plane's width and height at distance 1, divided into `raster` pixels and
    shifted by `offset` pixels to the right and up; `window` (x, y, width, height) is the part of
    the raster to render, from the upper left.
    """

    name: str
    world_from_camera: Matrix
    plane: tuple[float, float]
    raster: tuple[int, int]
    window: tuple[int, int, int, int]
    offset: tuple[float, float] = (0.0, 0.0)
    #: What an exposure shader of the camera multiplies the picture with; a hint.
    exposure: float = 1.0
    #: Where it stands when the shutter closes; None for one that stands still.
    world_from_camera_at_end: Matrix | None = None

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height of the picture, where nothing else is asked for."""
        return self.window[2:]


@dataclass(frozen=True)
class RenderOptions:
    """Hints that a scene gives; None where it says nothing. `stated` is all that it says.

    `max_depth` is the longest path in segments, `samples` are for each pixel.
    """

    max_depth: int | None = None
    samples: int | None = None
    gamma: float | None = None
    light_scale: float = 1.0
    shutter: Shutter = field(default_factory=Shutter)
    stated: Mapping[str, tuple[object, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in object space, shared by all instances.

    positions ``[V, 3]``, normals ``[V, 3]`` or None, uvs ``[V, 2]`` or None, float32;
    triangles ``[T, 3]`` int32; slots ``[T]`` int32: entries of an instance's material list.
    """

    name: str
    positions: NDArray[np.float32]
    normals: NDArray[np.float32] | None
    uvs: NDArray[np.float32] | None
    triangles: NDArray[np.int32]
    slots: NDArray[np.int32]
    slot_count: int


@dataclass(frozen=True)
class Material:
    """A surface: a kind that the kernels know and its parameters. Emission is radiance.

    Where `emission_texture` and `opacity_texture` are, emission and opacity are their means.

    `shader` is the scene's own shader type; `note` says what was left out or approximated.
    """

    name: str
    kind: str
    parameters: Mapping[str, Parameter]
    emission: Color = BLACK
    shader: str = ""
    note: str = ""
    #: Share of rays that find the surface; the others pass as if there were none.
    opacity: float = 1.0
    emission_texture: Texture | None = None
    opacity_texture: Texture | None = None

    @property
    def cuts_out(self) -> bool:
        """Whether rays may find nothing where the surface is."""
        return self.opacity < 1 or self.opacity_texture is not None

    @property
    def is_textured(self) -> bool:
        """Whether anything of it varies over the surface."""
        values = (*self.parameters.values(), self.emission_texture, self.opacity_texture)
        return any(isinstance(value, Texture) for value in values)


@dataclass(frozen=True, eq=False)
class Motion:
    """Numbers of M instances, and their matrices ``[M, K, 4, 4]`` at K equal steps of the time that
    the shutter is open, changing linearly between two."""

    instance: NDArray[np.int64]
    keys: Matrix


@dataclass(frozen=True, eq=False)
class Instances:
    """Meshes in the world: matrices ``[N, 4, 4]`` float64, mesh ``[N]``, material list ``[N]``
    (an index into `Scene.material_lists`) and `Visibility` bits ``[N]``.

    The matrix of one that moves is its first key.
    """

    world_from_object: Matrix
    mesh: NDArray[np.int64]
    material_list: NDArray[np.int64]
    visibility: NDArray[np.uint32]
    motion: Motion | None = None

    def __len__(self) -> int:
        """The number of instances."""
        return len(self.mesh)


@dataclass(frozen=True)
class Light:
    """A light without a surface, in world space.

    `color` is intensity (W/sr) with INVERSE_SQUARE, irradiance (W/m^2) otherwise. A spot is
    full inside `cos_inner` and ends at `cos_outer`; LINEAR fades over `fade` distances.
    """

    name: str
    kind: LightKind
    color: Color
    position: Color = BLACK
    direction: Color = (0.0, 0.0, -1.0)
    falloff: Falloff = Falloff.NONE
    cos_inner: float = 1.0
    cos_outer: float = -1.0
    fade: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a picture depends on, and what the reader had to say about it."""

    name: str
    camera: Camera
    options: RenderOptions
    meshes: tuple[Mesh, ...]
    instances: Instances
    materials: tuple[Material, ...]
    #: Materials by slot, as indices into `materials`; shared by instances.
    material_lists: tuple[tuple[int, ...], ...]
    lights: tuple[Light, ...]
    environment: Color
    textures: tuple[TextureUse, ...]
    #: What the materials' textures refer to by number.
    images: tuple[Image, ...]
    #: Scene files, the first that of the scene, and image files.
    sources: tuple[SourceFile, ...]
    warnings: tuple[str, ...]
