"""Embree 4 as a peer: its library out of the ``embreex`` wheel, called by ``embree.cpp``."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import numpy as np

from gpuqueue.device.native import layouts
from tests.kernels.ray_scenes import Array, RayScene

HERE = Path(__file__).parent
KERNELS = HERE.parent.parent / "kernels"
FLAGS = ("-std=c++17", "-O3", "-march=x86-64-v3", "-shared", "-fPIC", f"-I{KERNELS}")


class EmbreeMissingError(Exception):
    """The ``embreex`` wheel or a C++ compiler is missing; the message says which."""


def library_path() -> Path:
    """Where the wheel keeps the library. Raises EmbreeMissingError."""
    spec = find_spec("embreex")
    if spec is None or spec.origin is None:
        raise EmbreeMissingError(
            "embreex is not installed; for the comparison: pip install embreex"
        )
    found = sorted((Path(spec.origin).parent.parent / "embreex.libs").glob("libembree4*"))
    if not found:
        raise EmbreeMissingError(f"no libembree4 beside {spec.origin}")
    return found[0]


class _Arrays(ctypes.Structure):
    _fields_ = (
        ("positions", ctypes.c_void_p),
        ("triangles", ctypes.c_void_p),
        ("meshes", ctypes.c_void_p),
        ("instances", ctypes.c_void_p),
        ("instance_count", ctypes.c_uint32),
    )


class Embree:
    """The compiled peer; a context, at whose end its files are gone."""

    def __enter__(self) -> Embree:
        library = library_path()
        self._folder = tempfile.TemporaryDirectory()
        built = Path(self._folder.name) / "embree.so"
        sources = [str(HERE / name) for name in ("embree.cpp", "embree_tree.cpp")]
        linked = [str(library), f"-Wl,-rpath,{library.parent}"]
        command = ["c++", *FLAGS, *sources, *linked, "-o", str(built)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise EmbreeMissingError("no C++ compiler for the comparison with Embree") from error
        except subprocess.CalledProcessError as error:
            raise EmbreeMissingError(f"Embree's peer does not compile:\n{error.stderr}") from error
        self.functions = ctypes.CDLL(str(built))
        self.functions.embree_scene.restype = ctypes.c_void_p
        self.functions.embree_tree_cost.restype = ctypes.c_double
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()


class EmbreeScene:
    """A scene of Embree's, to be traced after `build`; a context that frees it."""

    def __init__(self, embree: Embree, scene: RayScene, *, robust: bool, threads: int = 1) -> None:
        self._functions = embree.functions
        arrays = _Arrays(*(a.ctypes.data for a in scene.arrays), len(scene.instances))
        self._scene = ctypes.c_void_p(
            self._functions.embree_scene(ctypes.byref(arrays), threads, int(robust))
        )
        if self._scene.value is None:
            raise RuntimeError("Embree reports an error for this scene")

    def build(self) -> EmbreeScene:
        """Build the trees at Embree's default quality, medium."""
        self._functions.embree_build(self._scene)
        return self

    def closest(self, rays: Array) -> Array:
        """Hit records [N]."""
        return self._trace("embree_closest", rays, np.empty(len(rays), layouts()["Hit"]))

    def any(self, rays: Array) -> Array:
        """Whether each ray hits anything, uint8 [N]."""
        return self._trace("embree_any", rays, np.empty(len(rays), np.uint8))

    def _trace(self, function: str, rays: Array, answers: Array) -> Array:
        rays = np.ascontiguousarray(rays)
        getattr(self._functions, function)(
            self._scene,
            ctypes.c_void_p(rays.ctypes.data),
            ctypes.c_void_p(answers.ctypes.data),
            ctypes.c_size_t(len(rays)),
        )
        return answers

    def __enter__(self) -> EmbreeScene:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._functions.embree_release(self._scene)
