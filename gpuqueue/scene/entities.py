"""What a scene file says, entity by entity, before names are looked up.

Resolving (resolve.py) turns these into the scene of model.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.source import Place
from gpuqueue.scene.textures.picture import Role

Atom: TypeAlias = bool | int | float | str | None
Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Connection:
    """``= "shader"`` or ``= interface "parameter"``: the value is another shader's result."""

    name: str
    interface: bool = False


#: An argument as it was written: atoms side by side, an array, a struct, or a connection.
Value: TypeAlias = "tuple[Atom, ...] | list[Value] | Mapping[str, Value] | Connection"


@dataclass(frozen=True, slots=True)
class ShaderCall:
    """``"type" ("argument" value, ...)``."""

    type: str
    arguments: Mapping[str, Value]
    at: Place


@dataclass(frozen=True, slots=True)
class ShaderName:
    """``= "name"``: a shader that stands elsewhere."""

    name: str
    at: Place


ShaderList: TypeAlias = "tuple[ShaderCall | ShaderName, ...]"


@dataclass(frozen=True)
class Declaration:
    """A shader's parameters: name to type, and the defaults that were declared."""

    name: str
    types: Mapping[str, str]
    defaults: Mapping[str, tuple[Atom, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class NamedShader:
    """``shader "name" ...`` at the top level."""

    name: str
    at: Place
    shaders: ShaderList = ()


@dataclass(frozen=True)
class Phenomenon:
    """``declare phenomenon``: shaders of its own behind an interface.

    `root` is the result; `slots` are what it has for a camera's lens, environment or volume.
    """

    declaration: Declaration
    at: Place
    entities: Mapping[str, Entity]
    root: ShaderList
    slots: Mapping[str, ShaderList] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """``options``: keyword phrases, string options and attributes with their values."""

    name: str
    at: Place
    keywords: Mapping[str, tuple[Atom, ...]] = field(default_factory=dict)
    strings: Mapping[str, tuple[Atom, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Camera:
    """``camera``; `focal` None is an orthographic one. Window in pixels from the lower left."""

    name: str
    at: Place
    focal: float | None = 1.0
    aperture: float = 1.0
    aspect: float = 4 / 3
    resolution: tuple[int, int] = (768, 576)
    offset: tuple[float, float] = (0.0, 0.0)
    window: tuple[int, int, int, int] | None = None
    clip: tuple[float, float] = (1e-4, 1e6)
    lens: ShaderList = ()
    environment: ShaderList = ()
    volume: ShaderList = ()
    outputs: tuple[str, ...] = ()
    strings: Mapping[str, tuple[Atom, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Area:
    """Shape of an area light: ``rectangle`` u v, ``disc`` normal r, ``sphere`` r, ``cylinder``
    axis r, or ``object`` with an instance's name."""

    shape: str
    vectors: tuple[Vector, ...] = ()
    radius: float = 0.0
    instance: str = ""


@dataclass(frozen=True)
class Light:
    """``light``; its kind follows from which of origin, direction and spread are given."""

    name: str
    at: Place
    shaders: ShaderList = ()
    origin: Vector | None = None
    direction: Vector | None = None
    spread: float | None = None
    energy: Vector | None = None
    exponent: float | None = None
    area: Area | None = None
    visible: bool = False


@dataclass(frozen=True)
class Material:
    """``material``: the surface shaders; the other slots by name."""

    name: str
    at: Place
    shaders: ShaderList = ()
    slots: Mapping[str, ShaderList] = field(default_factory=dict)


@dataclass(frozen=True)
class Texture:
    """``texture``: an image file, or `data`, bytes of a picture of `size` from the bottom row up;
    neither if its values are computed by `shaders`."""

    name: str
    at: Place
    role: Role = Role.COLOR
    file: str | None = None
    size: tuple[int, int] = (0, 0)
    data: bytes | None = None
    shaders: ShaderList = ()


@dataclass(frozen=True)
class Flags:
    """What an object or instance says about itself; None says nothing."""

    visible: bool | None = None
    trace: bool | None = None
    shadow: bool | None = None


@dataclass(frozen=True, eq=False)
class Geometry:
    """Triangles of an object. `slots` gives each slot's material: a name, a label of a tagged
    object, or None for the instance's own.

    positions, normals ``[V, 3]``, uvs ``[V, 2]`` float32 (None: there are none; a zero normal
    is a missing one); triangles ``[T, 3]`` and slots of triangles ``[T]``, int32.
    """

    positions: NDArray[np.float32]
    normals: NDArray[np.float32] | None
    uvs: NDArray[np.float32] | None
    triangles: NDArray[np.int32]
    triangle_slots: NDArray[np.int32]
    slots: tuple[str | int | None, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.positions, self.normals, self.uvs, self.triangles, self.triangle_slots)
        return sum(0 if array is None else array.nbytes for array in arrays)


@dataclass(frozen=True)
class Object:
    """``object``: flags and geometry; None if it has none that can be rendered."""

    name: str
    at: Place
    flags: Flags = Flags()
    tagged: bool = False
    geometry: Geometry | None = None


@dataclass(frozen=True)
class Instance:
    """``instance``: places an element; `matrix` ``[4, 4]`` maps the parent's row vectors to it.

    `motion` is the matrix at time 1, None that of always; what moves the instances above moves this
    one too, unless it `stays`.
    """

    name: str
    at: Place
    element: str | None = None
    matrix: NDArray[np.float64] | None = None
    motion: NDArray[np.float64] | None = None
    stays: bool = False
    materials: tuple[str, ...] | None = None
    override: bool = False
    hide: bool = False
    flags: Flags = Flags()


@dataclass(frozen=True)
class InstanceGroup:
    """``instgroup``: names of instances, and where they stand."""

    name: str
    at: Place
    members: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True)
class Opaque:
    """An entity that is read but means nothing to the renderer (userdata, profiles, ...)."""

    name: str
    at: Place


@dataclass(frozen=True)
class Render:
    """``render root camera options``."""

    root: str
    camera: str
    options: str
    at: Place


Entity: TypeAlias = (
    NamedShader
    | Options
    | Camera
    | Light
    | Material
    | Texture
    | Object
    | Instance
    | InstanceGroup
    | Opaque
)
