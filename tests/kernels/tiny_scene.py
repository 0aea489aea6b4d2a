"""Scenes of a few triangles, packed by the layouts and rendered by the compiled module."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gpuqueue.device.film import Film, empty_film, sums
from gpuqueue.device.native import kernels, layouts
from gpuqueue.scene.light_guide import light_guide

Floats = npt.NDArray[np.float32]
Vector = npt.ArrayLike

CAMERA, PATHS, SHADOW = 1, 2, 4
EVERYTHING = CAMERA | PATHS | SHADOW
TRIANGLE, POINT, SPOT, DIRECTIONAL = range(4)
INVERSE_SQUARE, NONE, LINEAR = range(3)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def record(layout: str, **fields: Any) -> Any:
    """One struct of this layout; fields not named are zero."""
    made = np.zeros((), layouts()[layout])
    for name, value in fields.items():
        made[name] = value
    return made


def shader_id(name: str) -> int:
    return list(kernels().shaders()).index(name)


def look_at(origin: Vector, target: Vector, width: int, height: int, degrees: float = 40.0) -> Any:
    """A camera with this horizontal field of view; up is y, or z where it looks along y."""
    eye, forward = np.array(origin, float), np.subtract(target, origin).astype(float)
    forward /= np.linalg.norm(forward)
    up = np.array([0.0, 0.0, 1.0] if abs(forward[1]) > 0.99 else [0.0, 1.0, 0.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    step = 2 * np.tan(np.radians(degrees) / 2) / width
    corner = forward - right * step * width / 2 - down * step * height / 2
    return record("Camera", origin=eye, corner=corner, dx=right * step, dy=down * step)


def quad(a: Vector, b: Vector, c: Vector, d: Vector) -> tuple[Floats, npt.NDArray[np.uint32]]:
    """Four corners, counter-clockwise seen from the front, as two triangles."""
    return np.array([a, b, c, d], np.float32), np.array([[0, 1, 2], [0, 2, 3]], np.uint32)


def sphere(radius: float = 1.0, rings: int = 24) -> tuple[Floats, npt.NDArray[np.uint32]]:
    """A closed sphere about the origin, front outside; its positions are its normals."""
    polar = np.linspace(0, np.pi, rings + 1)[:, None]
    turn = np.linspace(0, 2 * np.pi, 2 * rings + 1)[None, :]
    grid = np.stack(
        [np.sin(polar) * np.cos(turn), np.cos(polar) + 0 * turn, np.sin(polar) * np.sin(turn)], -1
    )
    columns = 2 * rings + 1
    corner = (np.arange(rings)[:, None] * columns + np.arange(2 * rings)[None, :]).ravel()
    lower = np.stack([corner, corner + 1, corner + columns + 1], -1)[2 * rings :]
    upper = np.stack([corner, corner + columns + 1, corner + columns], -1)[: -2 * rings]
    return (radius * grid.reshape(-1, 3)).astype(np.float32), np.concatenate([lower, upper]).astype(
        np.uint32
    )


@dataclass
class TinyScene:
    """Grows by add_* and place(); render() packs it anew each time."""

    environment: Vector = (0.0, 0.0, 0.0)
    #: False: emissive triangles are found by scattering only.
    samples_emission: bool = True
    meshes: list[Any] = field(default_factory=list)
    positions: list[Floats] = field(default_factory=list)
    normals: list[Floats] = field(default_factory=list)
    triangles: list[Any] = field(default_factory=list)
    materials: list[Any] = field(default_factory=list)
    parameters: bytearray = field(default_factory=bytearray)
    instances: list[Any] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    lights: list[tuple[Any, float]] = field(default_factory=list)
    keys: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add_material(
        self, shader: str, emission: Vector = (0, 0, 0), absence: float = 0.0, **parameters: Any
    ) -> int:
        offset = len(self.parameters)
        self.parameters += record(shader, **parameters).tobytes()
        self.materials.append(
            record(
                "Material",
                shader=shader_id(shader),
                parameters=offset,
                emission=emission,
                absence=absence,
            )
        )
        return len(self.materials) - 1

    def add_mesh(
        self,
        shape: tuple[Floats, npt.NDArray[np.uint32]],
        normals: Floats | None = None,
        slots: Sequence[int] | None = None,
    ) -> int:
        """A mesh of corners and triangles; slots gives each triangle's place in the materials."""
        corners, indices = shape
        self.meshes.append(
            record(
                "Mesh",
                first_triangle=sum(len(t) for t in self.triangles),
                triangle_count=len(indices),
                first_vertex=sum(len(p) for p in self.positions),
                vertex_count=len(corners),
                flags=0 if normals is None else 1,
            )
        )
        packed = np.zeros(len(indices), layouts()["Triangle"])
        packed["vertex"] = indices
        packed["material"] = 0 if slots is None else slots
        self.positions.append(corners)
        self.normals.append(np.zeros_like(corners) if normals is None else normals)
        self.triangles.append(packed)
        return len(self.meshes) - 1

    def place(
        self,
        mesh: int,
        materials: int | Sequence[int],
        transform: npt.NDArray[np.float64] | None = None,
        mask: int = EVERYTHING,
    ) -> int:
        """An instance; transform is world from object, 4x4 for column vectors."""
        matrix = np.eye(4) if transform is None else transform
        self.instances.append(
            record(
                "Instance",
                world_from_object=matrix[:3].ravel(),
                object_from_world=np.linalg.inv(matrix)[:3].ravel(),
                mesh=mesh,
                first_material=len(self.slots),
                mask=mask,
            )
        )
        self.slots += [materials] if isinstance(materials, int) else materials
        return len(self.instances) - 1

    def move(self, instance: int, *keys: npt.NDArray[np.float64]) -> None:
        """World from object, 4x4, at equal steps of the shutter's time."""
        record = self.instances[instance]
        record["world_from_object"] = keys[0][:3].ravel()
        record["object_from_world"] = np.linalg.inv(keys[0])[:3].ravel()
        record["motion"]["first_key"], record["motion"]["key_count"] = len(self.keys), len(keys)
        self.keys += [key[:3].ravel() for key in keys]

    def add(self, shape: tuple[Floats, npt.NDArray[np.uint32]], material: int, **place: Any) -> int:
        """A mesh without normals, placed once."""
        return self.place(self.add_mesh(shape), material, **place)

    def add_light(self, kind: int, share: float = 1.0, **fields: Any) -> None:
        """A light without extent; share weighs its probability against the others'."""
        self.lights.append((record("Light", kind=kind, **fields), share))

    def _emissive_lights(self) -> list[tuple[Any, float]]:
        found = []
        for i, instance in enumerate(self.instances):
            triangles = self.triangles[instance["mesh"]]
            slots = self.slots[instance["first_material"] :]
            matrix = instance["world_from_object"].reshape(3, 4)[:, :3].astype(float)
            corners = self.positions[instance["mesh"]][triangles["vertex"]] @ matrix.T
            edges = corners[:, 1:] - corners[:, :1]
            areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
            for k, (triangle, area) in enumerate(zip(triangles, areas, strict=True)):
                emission = self.materials[slots[triangle["material"]]]["emission"]
                if emission.any():
                    light = record("Light", color=emission, instance=i, triangle=k)
                    found.append((light, float(LUMINANCE @ emission * area)))
        return found

    def pack(self) -> tuple[Any, list[Any]]:
        """A RenderJob without film, and the arrays that it points to."""
        lights = self.lights + (self._emissive_lights() if self.samples_emission else [])
        total = sum(share for _, share in lights)
        for light, share in lights:
            light["probability"] = share / total
        arrays = {
            "positions": np.concatenate(self.positions),
            "normals": np.concatenate(self.normals),
            "triangles": np.concatenate(self.triangles),
            "meshes": np.array(self.meshes, layouts()["Mesh"]),
            "instances": np.array(self.instances, layouts()["Instance"]),
            "material_slots": np.array(self.slots, np.uint32),
            "materials": np.array(self.materials, layouts()["Material"]),
            "parameters": np.frombuffer(bytes(self.parameters), np.uint32),
            "lights": np.array([light for light, _ in lights], layouts()["Light"]),
        }
        cdf = np.cumsum(arrays["lights"]["probability"], dtype=np.float64)
        cdf[-1:] = 1.0
        arrays["light_cdf"] = cdf.astype(np.float32)
        keys = np.array(self.keys, np.float32).reshape(-1, 12)
        is_cut = any(material["absence"] > 0 for material in self.materials)
        cut = np.full(len(arrays["triangles"]), is_cut, np.uint8)
        guide = light_guide(arrays["light_cdf"])
        arrays["light_guide"] = guide["light_guide"]
        geometry = [arrays[name] for name in ("positions", "triangles", "meshes", "instances")]
        arrays |= kernels().build_faces(*geometry, arrays["lights"], keys=keys)
        del arrays["positions"]
        job = record(
            "RenderJob",
            light_count=len(lights),
            light_buckets=guide["light_buckets"],
            emission_density=1 / total if lights and self.samples_emission else 0.0,
            environment=self.environment,
            is_varying=len(keys) > 0 or is_cut,
            **{name: array.ctypes.data for name, array in arrays.items()},
        )
        built = kernels().build_accelerator(*geometry, threads=1, keys=keys, cut=cut)
        for name, value in built.items():
            is_array = isinstance(value, np.ndarray)
            job["accelerator"][name] = value.ctypes.data if is_array else value
        return job, [*arrays.values(), built]

    def film(
        self,
        camera: Any,
        size: tuple[int, int],
        samples: int,
        *,
        first: int = 0,
        seed: int = 1,
        max_depth: int = 8,
        passes: Sequence[int] | None = None,
        threads: int = 1,
        module: Any = None,
        is_varying: bool = False,
    ) -> Film:
        """The film [height, width] of so many samples, from `first` on."""
        width, height = size
        film = empty_film(width, height)
        job, alive = self.pack()
        job["camera"] = camera
        job["film"] = film.ctypes.data
        job["is_varying"] |= is_varying
        job["width"], job["height"], job["item_count"] = width, height, width * height
        job["seed"], job["max_depth"] = seed, max_depth
        end = first + samples
        for count in passes or [samples]:
            job["first_sample"], job["sample_count"] = first, count
            (module or kernels()).render(job.tobytes(), threads)
            first += count
        assert first == end
        assert alive
        return film

    def render(self, camera: Any, size: tuple[int, int], samples: int, **options: Any) -> Floats:
        """Sums of red, green, blue, and the count of samples, [height, width, 4]."""
        return sums(self.film(camera, size, samples, **options))

    def mean(self, camera: Any, size: tuple[int, int], samples: int, **options: Any) -> Floats:
        """Mean radiance [height, width, 3]; no sample may have been dropped."""
        film = self.render(camera, size, samples, **options)
        assert (film[..., 3] == samples).all(), "samples that were not finite"
        return film[..., :3] / np.float32(samples)
