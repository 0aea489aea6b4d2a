"""Pieces of ``.mi`` text: smooth meshes as trilists, instances with transforms, materials.

Used by make_scenes.py; a start for exporters of your own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Positions and unit normals ``[V, 3]``, triangles ``[T, 3]``.
MeshData = tuple[Array, Array, NDArray[np.int64]]


def number(value: float) -> str:
    """A number with at most four decimals."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def numbers(values: Sequence[float] | Array) -> str:
    """Numbers side by side."""
    return " ".join(number(float(v)) for v in np.asarray(values).reshape(-1))


def trilist(name: str, mesh: MeshData) -> str:
    """An object with smooth normals."""
    positions, normals, triangles = mesh
    vertices = "\n".join(numbers([*p, *n]) for p, n in zip(positions, normals, strict=True))
    corners = "\n".join(" ".join(map(str, t)) for t in triangles.tolist())
    return (
        f'object "{name}" visible trace shadow\n'
        f"trilist vertex {len(positions)} p n triangle {len(triangles)}\n"
        f"[\n{vertices}\n]\n[\n{corners}\n]\nend trilist\nend object\n"
    )


def polygons(name: str, corners: Sequence[Sequence[float]], faces: Sequence[Sequence[int]]) -> str:
    """An object of flat polygons."""
    vectors = "\n".join("        " + numbers(c) for c in corners)
    vertices = " ".join(f"v {i}" for i in range(len(corners)))
    lines = "\n".join("        p " + " ".join(map(str, face)) for face in faces)
    return (
        f'object "{name}" visible trace shadow\n    group\n{vectors}\n        {vertices}\n'
        f"{lines}\n    end group\nend object\n"
    )


def textured_polygons(
    name: str, corners: Sequence[Sequence[float]] | Array, faces: Sequence[Sequence[int]] | Array
) -> str:
    """An object of flat squares; each has all of a texture, its first corner the lower left."""
    vectors = "\n".join("        " + numbers(c) for c in corners)
    count = len(corners)
    at = " ".join(f"v {v} t {count + i}" for face in np.asarray(faces) for i, v in enumerate(face))
    lines = "\n".join(
        "        p " + " ".join(str(4 * i + k) for k in range(4)) for i in range(len(faces))
    )
    return (
        f'object "{name}" visible trace shadow\n    group\n{vectors}\n'
        f"        0 0 0  1 0 0  1 1 0  0 1 0\n        {at}\n{lines}\n    end group\nend object\n"
    )


def instance(name: str, element: str, world_from_element: Array, material: str = "") -> str:
    """An element placed by a matrix for column vectors; the format wants the inverse, in rows."""
    rows = np.linalg.inv(world_from_element).T
    surface = f'    material "{material}"\n' if material else ""
    return f'instance "{name}" "{element}"\n{surface}    transform {numbers(rows)}\nend instance\n'


def instgroup(name: str, members: Sequence[str]) -> str:
    """A group of instances."""
    return f'instgroup "{name}"\n    ' + " ".join(f'"{m}"' for m in members) + "\nend instgroup\n"


def shader(kind: str, **arguments: float | Sequence[float] | str) -> str:
    """A call; a string argument is written as it stands (on, off)."""
    written = (
        f'"{key}" {value if isinstance(value, str) else numbers(np.atleast_1d(value))}'
        for key, value in arguments.items()
    )
    return f'"{kind}" ({", ".join(written)})'


def material(name: str, call: str) -> str:
    """A material with one surface shader."""
    return f'material "{name}" {call} end material\n'


# Transforms for column vectors


def translate(x: float, y: float, z: float) -> Array:
    """Move."""
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def scale(x: float, y: float | None = None, z: float | None = None) -> Array:
    """Stretch; one factor for all axes if no other is given."""
    return np.diag([x, x if y is None else y, x if z is None else z, 1.0])


def rotate(axis: int, degrees: float) -> Array:
    """Turn about the x (0), y (1) or z (2) axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


def look_at(eye: Sequence[float], target: Sequence[float]) -> Array:
    """World from camera: at `eye`, toward `target`, y up."""
    position, aim = np.array(eye, float), np.array(target, float)
    back = (position - aim) / np.linalg.norm(position - aim)
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :4] = np.stack([right, np.cross(back, right), back, position], axis=1)
    return matrix


# Shapes


def _grid(points: Array, normals: Array, *, close_u: bool, close_v: bool) -> MeshData:
    """Triangles between the points ``[U, V, 3]`` of a grid, which may close on itself.

    Counter-clockwise where the normals show them from outside.
    """
    nu, nv = points.shape[:2]
    u, v = np.meshgrid(
        np.arange(nu if close_u else nu - 1), np.arange(nv if close_v else nv - 1), indexing="ij"
    )
    a = (u * nv + v).reshape(-1)
    b = ((u + 1) % nu * nv + v).reshape(-1)
    c = ((u + 1) % nu * nv + (v + 1) % nv).reshape(-1)
    d = (u * nv + (v + 1) % nv).reshape(-1)
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    flat, flat_normals = points.reshape(-1, 3), normals.reshape(-1, 3)
    p, q, r = (flat[triangles[:, i]] for i in range(3))
    cross = np.cross(q - p, r - p)
    facing = (cross * flat_normals[triangles].sum(axis=1)).sum(axis=1)
    triangles[facing < 0] = triangles[facing < 0][:, ::-1]
    solid = np.linalg.norm(cross, axis=1) > 1e-9
    return flat, flat_normals, triangles[solid]


def lathe(profile: Sequence[Sequence[float]], segments: int = 48) -> MeshData:
    """A profile of (radius, height) points, from below outside to above, turned about y.

    Normals are those of the smooth profile, to the right of its direction.
    """
    curve = np.array(profile, float)
    tangent = np.gradient(curve, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    angle = np.arange(segments) * (2 * np.pi / segments)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]

    def turned(values: Array) -> Array:
        r, y = values.T[:, None]
        return np.stack([r * c, np.broadcast_to(y, (segments, r.size)), r * s], axis=2)

    return _grid(turned(curve), turned(normal), close_u=True, close_v=False)


def sphere(segments: int = 40) -> MeshData:
    """The unit sphere."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    mesh = lathe(np.stack([np.cos(angles), np.sin(angles)], axis=1), segments)
    return mesh[0], mesh[0] / np.linalg.norm(mesh[0], axis=1, keepdims=True), mesh[2]


def tube(path: Array, radius: float, around: int = 16) -> MeshData:
    """A closed tube along the points ``[N, 3]`` of a closed curve."""
    tangent = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    bend = np.roll(path, -1, axis=0) - 2 * path + np.roll(path, 1, axis=0)
    first = bend - (bend * tangent).sum(axis=1, keepdims=True) * tangent
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    angle = np.arange(around) * (2 * np.pi / around)
    normals = np.cos(angle)[:, None] * first[:, None] + np.sin(angle)[:, None] * second[:, None]
    return _grid(path[:, None] + radius * normals, normals, close_u=True, close_v=True)


def torus(major: float, minor: float, segments: int = 72, around: int = 20) -> MeshData:
    """A ring about the z axis."""
    angle = np.arange(segments) * (2 * np.pi / segments)
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    return tube(major * circle, minor, around)


def torus_knot(p: int, q: int, radius: float, segments: int = 180) -> MeshData:
    """A tube along a (p, q) torus knot of size about 3."""
    t = np.arange(segments) * (2 * np.pi / segments)
    r = 2 + np.cos(q * t)
    path = np.stack([r * np.cos(p * t), r * np.sin(p * t), -np.sin(q * t)], axis=1)
    return tube(path, radius)


def blob(seed: int, segments: int = 12, roughness: float = 0.22) -> MeshData:
    """A lumpy unit sphere."""
    random = np.random.default_rng(seed)
    positions, _, triangles = sphere(segments)
    waves = random.normal(size=(6, 3)) * 2.2
    bumps = np.sin(positions @ waves.T + random.uniform(0, 6, 6)).mean(axis=1, keepdims=True)
    positions = positions * (1 + roughness * bumps * 2)
    return positions, smooth_normals(positions, triangles), triangles


def smooth_normals(positions: Array, triangles: NDArray[np.int64]) -> Array:
    """The mean of the triangles at each vertex, by area; equal points share one."""
    a, b, c = (positions[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(positions)
    _, same = np.unique(positions.round(6), axis=0, return_inverse=True)
    same = same.reshape(-1)
    for corner in range(3):
        np.add.at(normals, same[triangles[:, corner]], np.cross(b - a, c - a))
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))[same]
