"""The meshes of a benchmark scene as ``.mi`` files, and as a PLY file for another reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes.description import Mesh
from gpuqueue.scene import load_document, scene_pieces

#: A scene needs something that looks at it.
VIEW = """\
options "quality" end options
camera "eye" focal 1 aperture 1 aspect 1 resolution 8 8 end camera
instance "eye instance" "eye" end instance
material "white" "mib_illum_lambert" ("diffuse" 0.7 0.7 0.7) end material
"""


def write_polygons(path: Path, mesh: Mesh) -> None:
    """Text: positions, vertices that name them, polygons of three vertices."""
    with path.open("wb") as file:
        file.write(VIEW.encode() + b'object "mesh" visible trace shadow\ngroup\n')
        for lines in (_positions(mesh), _numbered(b"v %d\n", mesh), _triangles(mesh)):
            file.writelines(lines)
        file.write(
            b"end group\nend object\n"
            b'instance "mesh instance" "mesh" material "white" end instance\n'
            b'instgroup "all" "eye instance" "mesh instance" end instgroup\n'
            b'render "all" "eye instance" "quality"\n'
        )


def rewrite(source: Path, target: Path, *, binary: bool) -> None:
    """The same scene as the project's own writer puts it: triangle lists."""
    document = load_document(source, source.parent)
    with target.open("wb") as file:
        file.writelines(scene_pieces(document, binary=binary))


def write_ply(path: Path, mesh: Mesh) -> None:
    """Binary PLY, little-endian."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(mesh.positions)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(mesh.triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.zeros(len(mesh.triangles), np.dtype([("count", "u1"), ("vertex", "<i4", 3)]))
    faces["count"], faces["vertex"] = 3, mesh.triangles
    path.write_bytes(header.encode() + mesh.positions.astype("<f4").tobytes() + faces.tobytes())


def corners(positions: NDArray[np.float32], triangles: NDArray[np.integer]) -> NDArray[np.float32]:
    """What a mesh is, whatever the order of its vertices: float32 [T, 3, 3]."""
    found: NDArray[np.float32] = np.asarray(positions, np.float32)[triangles]
    return found


def _positions(mesh: Mesh) -> Iterator[bytes]:
    """Nine digits give back the bits of a float."""
    for row in mesh.positions.tolist():
        yield b"%.9g %.9g %.9g\n" % tuple(row)


def _numbered(form: bytes, mesh: Mesh) -> Iterator[bytes]:
    for number in range(len(mesh.positions)):
        yield form % number


def _triangles(mesh: Mesh) -> Iterator[bytes]:
    for row in mesh.triangles.tolist():
        yield b"p %d %d %d\n" % tuple(row)


def write_obj(path: Path, mesh: Mesh) -> None:
    """Wavefront OBJ: positions with nine digits, from which every 32-bit float comes back."""
    points, triangles = mesh.positions, mesh.triangles + 1
    with path.open("w") as stream:
        stream.write("v %.9g %.9g %.9g\n" * len(points) % tuple(points.ravel().tolist()))
        stream.write("f %d %d %d\n" * len(triangles) % tuple(triangles.ravel().tolist()))
