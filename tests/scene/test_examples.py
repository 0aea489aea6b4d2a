"""The scenes that we ship."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuqueue.scene import load_scene, pack
from tests.scene.test_buffers import LAYOUTS, SHADERS

EXAMPLES = Path(__file__).parents[2] / "examples"
SCENES = sorted((EXAMPLES / "scenes").glob("*.mi"))


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_an_example_loads_without_a_warning_and_has_light(path: Path) -> None:
    scene = load_scene(path, path.parent)
    assert scene.warnings == ()
    buffers = pack(scene, LAYOUTS, SHADERS)
    assert len(buffers.lights) > 0
    assert path.stat().st_size < 1 << 20


def test_there_are_the_promised_scenes() -> None:
    assert {"cornell", "forest", "glass_metal", "juggling", "leaves", "meyemII"} <= {
        path.stem for path in SCENES
    }


def test_the_forest_shares_few_meshes_among_thousands_of_instances() -> None:
    scene = load_scene(EXAMPLES / "scenes" / "forest.mi", EXAMPLES)
    assert len(scene.meshes) < 10
    assert len(scene.instances) > 5000


def test_the_generated_scenes_are_those_that_the_script_writes(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, make_scenes as m; m.SCENES = pathlib.Path(sys.argv[1]); m.write_all()"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=EXAMPLES, check=True)
    for path in tmp_path.glob("*.mi"):
        kept = (EXAMPLES / "scenes" / path.name).read_text().split()
        for written, word in zip(path.read_text().split(), kept, strict=True):
            # Another processor may round the last decimal otherwise.
            assert written == word or float(written) == pytest.approx(float(word), abs=2e-4)
    assert len(list(tmp_path.glob("*.mi"))) == 4
    for path in tmp_path.glob("images/*.png"):
        kept_picture = np.asarray(Image.open(EXAMPLES / "scenes" / "images" / path.name), int)
        assert np.abs(np.asarray(Image.open(path), int) - kept_picture).max() <= 1
    assert len(list(tmp_path.glob("images/*.png"))) == 2
