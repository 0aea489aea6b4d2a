"""The CPU build under ASan with UBSan, and under TSan: builds, rays and renders, four threads; the
reader of scenes on hostile files.

Each kind of mistake is planted once, so that a clean run means something.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .build import SANITIZERS, SCENE_READER, build_library, build_module, libraries, run_python

PLANTED = Path(__file__).parent / "planted.cpp"
#: Sanitizer, call of a function in planted.cpp, what the report says.
MISTAKES = [
    ("address_and_undefined", "film_too_short()", "heap-buffer-overflow"),
    ("address_and_undefined", "film_given_back()", "heap-use-after-free"),
    ("address_and_undefined", "index_beyond_integers(65536)", "signed integer overflow"),
    ("address_and_undefined", "cell_of_coordinate(c_float(1e20))", "outside the range"),
    ("address_and_undefined", "share_of(c_float(1), c_float(0))", "division by zero"),
    ("threads", "pixel_of_all_threads()", "data race"),
]


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept between runs: a second run compiles only what changed."""
    cache = getattr(request.config, "cache", None)
    kept: Path = cache.mkdir("sanitizers") if cache else tmp_path_factory.mktemp("sanitizers")
    return kept


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SANITIZERS))
def test_builds_rays_and_renders_are_clean(name: str, folder: Path) -> None:
    sanitizer = SANITIZERS[name]
    libraries(sanitizer)
    module = build_module(sanitizer, folder / name)
    done = run_python(sanitizer, "-m", "tests.sanitizers.exercise", str(module))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "forest.mi" in done.stdout


@pytest.mark.slow
def test_the_scene_reader_is_clean_on_hostile_files(folder: Path) -> None:
    name = "address_and_undefined"
    sanitizer = SANITIZERS[name]
    libraries(sanitizer)
    module = build_module(sanitizer, folder / name, SCENE_READER)
    fuzz = ("-m", "tests.scene.fuzz", "--module", str(module), "--runs", "1500", "--seconds", "100")
    done = run_python(sanitizer, *fuzz)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "files" in done.stdout


@pytest.mark.parametrize(("name", "call", "report"), MISTAKES)
def test_a_planted_mistake_ends_the_process_with_a_report(
    name: str, call: str, report: str, tmp_path: Path
) -> None:
    sanitizer = SANITIZERS[name]
    libraries(sanitizer)
    library = build_library(sanitizer, PLANTED, tmp_path)
    script = f"from ctypes import CDLL, c_float\nCDLL({str(library)!r}).{call}\nprint('survived')"
    done = run_python(sanitizer, "-c", script)
    assert done.returncode != 0
    assert report in done.stderr
    assert "planted.cpp" in done.stderr or "film.cuh" in done.stderr
    assert "survived" not in done.stdout
