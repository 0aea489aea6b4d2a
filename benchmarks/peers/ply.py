"""Meshes as binary PLY files, which several renderers read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.scenes.description import Mesh


def write_ply(path: Path, mesh: Mesh) -> None:
    """Write positions and triangles, little-endian, without normals."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(mesh.positions)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(mesh.triangles)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    faces = np.zeros(len(mesh.triangles), [("count", "u1"), ("vertices", "<i4", 3)])
    faces["count"], faces["vertices"] = 3, mesh.triangles
    with path.open("wb") as stream:
        stream.write(header.encode())
        stream.write(mesh.positions.astype("<f4").tobytes())
        stream.write(faces.tobytes())
