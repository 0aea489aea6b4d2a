"""The import rule: imports point down only, and each outside library has one door."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gpuqueue"

#: From the top down; a room imports rooms of lower rank, or itself.
RANKS = [
    {"cli"},
    {"api", "listener"},
    {"commands"},
    {"tasks"},
    {"render"},
    {"device"},
    {"scene", "image", "queues", "records"},
    {"storage"},
    {"aws"},
    {"config", "job", "binary"},
    {"registry", "log", "strict_json", "disk_cache", "integrity"},
    {"errors", "_scene_reader"},  # compiled: kernels/host/mi
]
RANK_OF = {room: -rank for rank, rooms in enumerate(RANKS) for room in rooms}

#: The only modules, or folders, that may import a library.
DOORS = {
    "fastapi": {"api"},
    "starlette": {"api"},
    "uvicorn": {"api"},
    "boto3": {"aws.py"},
    "botocore": {"aws.py", "queues/sqs.py", "storage/s3.py"},
    "cupy": {"device/cuda_cupy.py"},
    "pycuda": {"device/cuda_pycuda.py"},
    "httpcore": {"tasks/http_client.py"},
    "httpx": {"cli"},
    "typer": {"cli"},
    "rich": {"cli"},
    "trimesh": {"scene/mesh_files.py"},
    "PIL": {"image.py"},
    "OpenEXR": {"image.py"},
    "OpenImageIO": {"scene/textures/image_file.py"},
}


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{a.name}" for a in node.names if node.module == "gpuqueue"}
    return found


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "gpuqueue" and len(parts) > 1 else None


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for target in filter(None, map(room_of, imported_modules(path))):
        if room in ("__init__", "__main__") or target in (room, "__version__"):
            continue
        assert RANK_OF[target] < RANK_OF[room], f"{path.name}: {room} may not import {target}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_one_door(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for module in imported_modules(path):
        doors = DOORS.get(module.split(".")[0])
        if doors is not None:
            assert any(
                place == d or place.startswith(f"{d}/") or place == f"{d}.py" for d in doors
            ), f"{place} imports {module}, which belongs to {sorted(doors)}"
