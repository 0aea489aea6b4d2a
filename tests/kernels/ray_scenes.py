"""Scenes and rays for the traversal tests, as the arrays that the compiled module takes."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device.native import kernels, layouts

Floats = npt.NDArray[np.floating[Any]]
Array = npt.NDArray[Any]

LAYOUTS = ("float8", "compressed8")
NO_INSTANCE = 2**32 - 1


@dataclass(frozen=True)
class RayScene:
    """The arguments of build_accelerator."""

    positions: Array  # float32 [V, 3]
    triangles: Array
    meshes: Array
    instances: Array
    keys: Array = field(default_factory=lambda: np.zeros((0, 12), np.float32))

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array]:
        return self.positions, self.triangles, self.meshes, self.instances

    def build(self, layout: str = "float8", threads: int = 1, module: Any = None) -> dict[str, Any]:
        module = module or kernels()
        built: dict[str, Any] = module.build_accelerator(*self.arrays, layout, threads, self.keys)
        return built

    def closest(
        self,
        rays: Array,
        layout: str,
        mask: int = 7,
        module: Any = None,
        times: Array | None = None,
    ) -> Array:
        """Hit records of rays, through a newly built accelerator."""
        module = module or kernels()
        built = self.build("float8" if layout == "exhaustive" else layout, module=module)
        hits: Array = module.trace_closest(built, rays, mask, layout, times=times).view(
            layouts()["Hit"]
        )
        return hits

    def any(self, rays: Array, layout: str, mask: int = 7, times: Array | None = None) -> Array:
        built = self.build("float8" if layout == "exhaustive" else layout)
        occluded: Array = kernels().trace_any(built, rays, mask, layout, times=times)
        return occluded.astype(bool)

    def world_corners(self) -> tuple[Array, Array, Array]:
        """Corners float64 [T, 3, 3] of all placed triangles; their instance and triangle [T]."""
        corners, instances, numbers = [], [], []
        for i, instance in enumerate(self.instances):
            mesh = self.meshes[instance["mesh"]]
            own = self.triangles[mesh["first_triangle"] :][: mesh["triangle_count"]]["vertex"]
            points = self.positions[mesh["first_vertex"] + own].astype(float)
            m = instance["world_from_object"].reshape(3, 4).astype(float)
            corners.append(points @ m[:, :3].T + m[:, 3])
            instances.append(np.full(len(own), i))
            numbers.append(np.arange(len(own)))
        return np.concatenate(corners), np.concatenate(instances), np.concatenate(numbers)


def scene_of(
    meshes: list[tuple[Floats, Array]],
    placed: list[tuple[int, Floats]],
    masks: list[int] | None = None,
) -> RayScene:
    """Meshes are (positions [V, 3], vertices [T, 3]); placed are (mesh, world_from_object 3x4)."""
    made = np.zeros(len(meshes), layouts()["Mesh"])
    made["vertex_count"] = [len(p) for p, _ in meshes]
    made["triangle_count"] = [len(t) for _, t in meshes]
    made["first_vertex"] = np.cumsum(made["vertex_count"]) - made["vertex_count"]
    made["first_triangle"] = np.cumsum(made["triangle_count"]) - made["triangle_count"]
    triangles = np.zeros(int(made["triangle_count"].sum()), layouts()["Triangle"])
    triangles["vertex"] = np.concatenate([np.zeros((0, 3), int), *(t for _, t in meshes)])
    instances = np.zeros(len(placed), layouts()["Instance"])
    for instance, (mesh, matrix), mask in zip(
        instances, placed, masks or [7] * len(placed), strict=True
    ):
        instance["mesh"], instance["mask"] = mesh, mask
        instance["world_from_object"] = np.asarray(matrix).ravel()
        square = np.vstack([np.asarray(matrix, float), [0, 0, 0, 1]])
        instance["object_from_world"] = np.linalg.inv(square)[:3].ravel()
    positions = np.concatenate([np.zeros((0, 3)), *(p for p, _ in meshes)]).astype(np.float32)
    return RayScene(positions, triangles, made, instances)


def moving(scene: RayScene, keys: dict[int, list[Floats]]) -> RayScene:
    """The scene with instances that move by keys, world_from_object 3x4."""
    instances, all_keys = scene.instances.copy(), []
    for number, own in keys.items():
        instance = instances[number]
        instance["motion"]["first_key"], instance["motion"]["key_count"] = len(all_keys), len(own)
        square = np.vstack([own[0], [0, 0, 0, 1]])
        instance["world_from_object"] = own[0].ravel()
        instance["object_from_world"] = np.linalg.inv(square)[:3].ravel()
        all_keys += [key.ravel() for key in own]
    return replace(scene, instances=instances, keys=np.array(all_keys, np.float32))


def placed_once(positions: Floats, vertices: Array) -> RayScene:
    """One mesh in world space."""
    return scene_of([(positions, vertices)], [(0, np.eye(3, 4))])


def soup(count: int, seed: int, size: float = 0.15) -> tuple[Floats, Array]:
    """Triangles of random place, shape and orientation in the cube of side two."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-1, 1, (count, 1, 3))
    corners = centres + rng.normal(0, size, (count, 3, 3)) * rng.uniform(0.05, 1, (count, 1, 1))
    return corners.reshape(-1, 3), np.arange(3 * count).reshape(count, 3)


def random_transform(rng: np.random.Generator, spread: float = 3.0) -> Floats:
    """A rotation or reflection, scaled differently along each axis, and moved."""
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    other, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    linear = rotation @ np.diag(rng.uniform(0.2, 3, 3)) @ other
    return np.hstack([linear, rng.uniform(-spread, spread, (3, 1))])


def displaced_sphere(
    columns: int, rows: int, centre: Floats, displacement: float = 0.1
) -> tuple[Floats, Array]:
    """A closed bumpy sphere of radius one. Rows meet in poles, columns close to a ring."""
    v = np.linspace(0, np.pi, rows + 1)[1:-1, None]
    u = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :]
    radius = 1 + displacement * np.sin(7 * u) * np.sin(11 * v)
    ring = np.stack([np.sin(v) * np.cos(u), np.cos(v) + 0 * u, np.sin(v) * np.sin(u)], -1)
    points = np.concatenate([[[0, 1, 0]], (ring * radius[..., None]).reshape(-1, 3), [[0, -1, 0]]])
    column = np.arange(columns)
    following = (column + 1) % columns
    top = np.stack([np.zeros(columns, int), 1 + following, 1 + column], -1)
    last = 1 + (rows - 2) * columns
    bottom = np.stack([np.full(columns, len(points) - 1), last + column, last + following], -1)
    quads = []
    for row in range(rows - 2):
        a, b = 1 + row * columns + column, 1 + row * columns + following
        c, d = a + columns, b + columns
        quads += [np.stack([a, b, c], -1), np.stack([b, d, c], -1)]
    return points + centre, np.concatenate([top, *quads, bottom])


def rays_of(
    origins: Floats, directions: Floats, t_max: Floats | float = np.inf, t_min: float = 0.0
) -> Array:
    """Ray records; origins and directions broadcast."""
    origins, directions = np.broadcast_arrays(origins, directions)
    rays = np.zeros(len(origins), layouts()["Ray"])
    rays["origin"], rays["direction"] = origins, directions
    rays["t_min"], rays["t_max"] = t_min, t_max
    return rays


def random_rays(count: int, seed: int, extent: float = 2.0) -> Array:
    """Origins in a cube, directions of any length; a fifth of them along an axis or in a plane."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, 3)) * rng.uniform(0.1, 10, (count, 1))
    flat = rng.random((count, 3)) < 0.5
    directions[: count // 5][flat[: count // 5]] = 0.0
    directions[(directions == 0).all(1), 2] = -1.0
    return rays_of(rng.uniform(-extent, extent, (count, 3)), directions)


def is_hit(hits: Array) -> Array:
    """Which of the hits is one."""
    found: Array = hits["instance"] != NO_INSTANCE
    return found
