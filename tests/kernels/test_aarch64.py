"""The CPU build for aarch64, by a cross compiler, and its hits, by an emulator.

Hits are equal bit for bit on x86-64 and aarch64. All that decides them is sums, products,
quotients and comparisons of single floats, which IEEE 754 defines to the last bit, and which the
compilers are told not to contract (-ffp-contract=off); the builder adds doubles of the same kind.
Box tests may be fused on one processor and not on the other: their slack covers either
(kernels/bvh/ray_setup.cuh), so they decide how many nodes are visited, and never what is hit.
"""

import re
import shutil
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

import nanobind
import numpy as np
import pytest

from gpuqueue.device.native import kernels

from .ray_scenes import (
    LAYOUTS,
    Array,
    RayScene,
    is_hit,
    placed_once,
    random_rays,
    random_transform,
    scene_of,
    soup,
)

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "kernels"
SOURCES = sorted(str(path.relative_to(KERNELS)) for path in (KERNELS / "host").rglob("*.cpp"))
TRACER = Path(__file__).parent / "trace_files.cpp"
COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64"


def flags_of_cmake() -> list[str]:
    """The compile options of add_kernels, those of an instruction set apart."""
    text = (ROOT / "CMakeLists.txt").read_text()
    options = re.search(r"target_compile_options\(\$\{name\} PRIVATE(.*?)\$\{ARGN\}\)", text, re.S)
    standard = re.search(r"CMAKE_CXX_STANDARD (\d+)", text)
    assert options, "CMakeLists.txt no longer names its options where this test looks"
    assert standard, "CMakeLists.txt no longer names its standard where this test looks"
    found = options[1].replace("${KERNEL_OPTIMIZATION}", "-O3")
    return [f"-std=c++{standard[1]}", *found.split()]


def tool(name: str) -> str:
    """The path of a program, or a skip that says it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on the PATH")
    return found


def compile_for_aarch64(*arguments: str) -> None:
    """Run the cross compiler; its warnings are errors."""
    command = [tool(COMPILER), *flags_of_cmake(), "-Werror", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


def python_headers() -> list[str]:
    """Where nanobind's and Python's headers are, or a skip where they are for this machine only."""
    folders = [nanobind.include_dir(), sysconfig.get_path("include")]
    options = [option for folder in folders for option in ("-isystem", folder)]
    probe = [tool(COMPILER), *options, "-E", "-x", "c++", "-"]
    done = subprocess.run(
        probe, input="#include <Python.h>", check=False, capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        pytest.skip(f"Python's headers are not for aarch64: {done.stderr.strip()}")
    return options


@cache
def aarch64_object(source: Path, folder: Path) -> Path:
    """The source, compiled into a folder."""
    object_file = folder / f"{source.stem}.o"
    needs_python = re.search(r'"module\.h"|<nanobind', source.read_text())
    headers = [f"-I{KERNELS}", *(python_headers() if needs_python else [])]
    name = "-DMODULE_NAME=_kernels_baseline"
    compile_for_aarch64(name, *headers, "-c", str(source), "-o", str(object_file))
    return object_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aarch64")


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_compiles_for_aarch64_without_a_warning(source: str, folder: Path) -> None:
    assert aarch64_object(KERNELS / source, folder).read_bytes()[:4] == b"\x7fELF"


def trace_on_aarch64(program: Path, scene: RayScene, rays: Array, folder: Path) -> None:
    """Run the tracer on a scene; what it writes lies in the folder."""
    folder.mkdir()
    names = ("positions", "triangles", "meshes", "instances", "rays")
    for name, array in zip(names, (*scene.arrays, rays), strict=True):
        array.tofile(folder / name)
    subprocess.run([tool(EMULATOR), program, folder], check=True, timeout=250)


def test_hits_have_the_same_bits_on_aarch64(folder: Path, tmp_path: Path) -> None:
    tool(EMULATOR)
    program = tmp_path / "trace_files"
    sources = [TRACER, *sorted((KERNELS / "host" / "bvh").glob("*.cpp"))]
    objects = [str(aarch64_object(source, folder)) for source in sources]
    compile_for_aarch64("-static", *objects, "-o", str(program))

    rng = np.random.default_rng(2)
    placed = [(0, random_transform(rng)) for _ in range(20)] + [(1, random_transform(rng))]
    scenes = {
        "one level": placed_once(*soup(1500, seed=1)),
        "two levels": scene_of([soup(100, seed=3), soup(200, seed=4)], placed),
    }
    rays = random_rays(4000, seed=5)
    for name, scene in scenes.items():
        trace_on_aarch64(program, scene, rays, tmp_path / name)
        assert 0.1 < is_hit(scene.closest(rays, "float8")).mean() < 0.9
        for layout in LAYOUTS:
            built = scene.build(layout)
            closest = kernels().trace_closest(built, rays, 7, layout)
            occluded = kernels().trace_any(built, rays, 7, layout)
            written = tmp_path / name / layout
            assert written.with_suffix(".closest").read_bytes() == closest.tobytes()
            assert written.with_suffix(".any").read_bytes() == occluded.tobytes()
