"""Readers of a file, up to arrays. The corners of the triangles are gathered when asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.loading.files import corners
from gpuqueue.device.native import kernels, layouts
from gpuqueue.scene import load_scene, pack

#: float32 [T, 3, 3]
Corners: TypeAlias = Callable[[], NDArray[np.float32]]


def read_mi(path: Path) -> Corners:
    """As a job reads it, to the arrays that are sent to a device."""
    buffers = pack(load_scene(path, path.parent), layouts(), kernels().shaders(), 8, 8)
    return lambda: corners(buffers.positions, buffers.triangles["vertex"])


def read_by_trimesh(path: Path) -> Corners:
    """Nothing is merged, ordered or computed."""
    import trimesh

    mesh = trimesh.load_mesh(path, process=False, maintain_order=True)
    return lambda: corners(mesh.vertices, mesh.faces)


def read_by_mitsuba(path: Path) -> Corners:
    """As a shape of `scalar_rgb` without normals, in no scene: nothing is built on it."""
    import mitsuba

    mitsuba.set_variant("scalar_rgb")
    kind = path.suffix.removeprefix(".")
    shape = mitsuba.load_dict({"type": kind, "filename": str(path), "face_normals": True})

    def found() -> NDArray[np.float32]:
        arrays = mitsuba.traverse(shape)
        points = np.array(arrays["vertex_positions"]).reshape(-1, 3)
        return corners(points, np.array(arrays["faces"]).reshape(-1, 3))

    return found


def others() -> dict[str, tuple[str, Callable[[Path], Corners]]]:
    """Case to the end of a file's name and the reader, of the libraries that are installed."""
    known = {"trimesh": read_by_trimesh, "mitsuba": read_by_mitsuba}
    return {
        f"{library}, {suffix[1:].upper()}": (suffix, read)
        for library, read in known.items()
        if find_spec(library)
        for suffix in (".obj", ".ply")
    }
