"""A scene in terms that every renderer understands: flat triangles, three kinds of surface.

World space is right-handed, y up. Triangles are counter-clockwise seen from their front. Emission
is radiance from the front side. Matrices map column vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Color = tuple[float, float, float]
Floats = NDArray[np.float64]

BLACK: Color = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Surface:
    """diffuse: Lambert of reflectance `color`, both sides. metal: GGX of width `alpha`, without
    Fresnel and multiple scattering, reflectance `color`. glass: smooth, index `ior`, clear."""

    kind: Literal["diffuse", "metal", "glass"]
    color: Color = BLACK
    alpha: float = 0.0
    ior: float = 1.5
    emission: Color = BLACK


@dataclass(frozen=True, eq=False)
class Mesh:
    """Positions float32 ``[V, 3]``, triangles int32 ``[T, 3]``, and its surface in the scene."""

    positions: NDArray[np.float32]
    triangles: NDArray[np.int32]
    surface: int


@dataclass(frozen=True)
class View:
    """A pinhole at `eye` that looks at `target`, +y up; `degrees` across a square picture."""

    eye: Color
    target: Color
    degrees: float

    @property
    def world_from_camera(self) -> Floats:
        """The matrix [4, 4] of a camera that looks along its -z axis."""
        eye, target = np.array(self.eye), np.array(self.target)
        back = (eye - target) / np.linalg.norm(eye - target)
        right = np.cross([0.0, 1.0, 0.0], back)
        right /= np.linalg.norm(right)
        matrix = np.eye(4)
        matrix[:3] = np.stack([right, np.cross(back, right), back, eye], axis=1)
        return matrix


@dataclass(frozen=True, eq=False)
class Scene:
    """Meshes, and where each instance ``[N]`` of one stands: mesh, and matrix ``[N, 4, 4]``.

    Meshes that emit are placed once, by the identity. `sky` is radiance from everywhere.
    """

    name: str
    view: View
    surfaces: tuple[Surface, ...]
    meshes: tuple[Mesh, ...]
    placed: NDArray[np.int64]
    matrices: Floats
    sky: Color = BLACK

    @property
    def triangle_count(self) -> int:
        """Triangles in memory."""
        return sum(len(mesh.triangles) for mesh in self.meshes)

    @property
    def placed_triangle_count(self) -> int:
        """Triangles that rays can meet, each as often as it is placed."""
        return sum(len(self.meshes[mesh].triangles) for mesh in self.placed)


#: For what stands behind lamps.
SHADE = Surface("diffuse")


def placed_once(
    name: str,
    view: View,
    surfaces: tuple[Surface, ...],
    meshes: list[Mesh],
    sky: Color = BLACK,
) -> Scene:
    """A scene of meshes in world space."""
    count = len(meshes)
    matrices = np.broadcast_to(np.eye(4), (count, 4, 4)).copy()
    return Scene(name, view, surfaces, tuple(meshes), np.arange(count), matrices, sky)


def bounds(scene: Scene) -> Floats:
    """The lower and the upper corner [2, 3] of the boxes of all instances."""
    corners = []
    for mesh, matrix in zip(scene.placed, scene.matrices, strict=True):
        positions = scene.meshes[mesh].positions
        low, high = positions.min(axis=0), positions.max(axis=0)
        picks = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, 8).T
        box = np.where(picks, high, low).astype(float)
        corners.append(box @ matrix[:3, :3].T + matrix[:3, 3])
    every = np.concatenate(corners)
    return np.stack([every.min(axis=0), every.max(axis=0)])
