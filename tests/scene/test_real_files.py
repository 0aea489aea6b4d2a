"""Files of other programs, where a copy lies beside this checkout (or in GPUQUEUE_MI_FILES)."""

import os
import re
from pathlib import Path

import pytest

from gpuqueue.scene import load_scene, summarise
from gpuqueue.scene.document import Document
from gpuqueue.scene.source import Library, open_scene
from gpuqueue.scene.statements import read_statements
from gpuqueue.scene.tokens import Tokens

FOLDER = Path(
    os.environ.get("GPUQUEUE_MI_FILES") or Path(__file__).parents[2].parent / "shared" / "mi"
)
FILES = sorted(FOLDER.rglob("*.mi")) if FOLDER.is_dir() else []
SCENES = [path for path in FILES if b"\nrender" in path.read_bytes()]

pytestmark = pytest.mark.skipif(not FILES, reason="set GPUQUEUE_MI_FILES to a folder of .mi files")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_statement_is_read(path: Path) -> None:
    library, document = Library(path.parent, 1 << 24), Document(path.parent)
    source = open_scene(library, path)
    read_statements(Tokens(library, source, document.warnings), document)
    assert document.entities or document.declarations or len(source.data) < 8000


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.name)
def test_a_complete_scene_loads_with_triangles_lights_and_a_camera_that_sees_them(
    path: Path,
) -> None:
    scene = load_scene(path, path.parent)
    summary = summarise(scene)
    assert summary.triangles > 0
    assert summary.lights or summary.emissive_instances
    to_camera = scene.instances.world_from_object[:, :3, 3] - scene.camera.world_from_camera[:3, 3]
    forward = -scene.camera.world_from_camera[:3, 2]
    assert (to_camera @ forward > 0).all()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_free_form_surface_is_cut_into_triangles(path: Path) -> None:
    library, document = Library(path.parent, 1 << 24), Document(path.parent)
    source = open_scene(library, path)
    read_statements(Tokens(library, source, document.warnings), document)
    assert not any("surface" in warning for warning in document.warnings.all())
    has_surfaces = re.search(rb'^\s*surface "', source.data, re.MULTILINE) is not None
    assert (document.surface_points > 0) == has_surfaces
