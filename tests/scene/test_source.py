from pathlib import Path

import pytest

from gpuqueue.errors import SceneError
from gpuqueue.scene import load_scene
from gpuqueue.scene.source import Library, Place, Source, open_scene

SCENE = (
    'camera "v" end camera instance "c" "v" end instance instgroup "g" "c" end instgroup'
    ' options "o" end options render "g" "c" "o"\n'
)


def place(text: str, needle: str) -> Place:
    source = Source("a.mi", Path("a.mi"), text.encode())
    return Place(source, source.data.index(needle.encode()))


def test_a_place_counts_lines_and_characters_from_one() -> None:
    assert str(place("one\n  two three", "three")) == "a.mi:2:7"


def test_a_column_counts_characters_not_bytes() -> None:
    assert str(place('"äöü" x', "x")) == "a.mi:1:7"


def test_an_excerpt_shows_the_line_and_a_caret_below_the_place() -> None:
    assert place("one\n\tfocal fifty\r\n", "fifty").source.excerpt(11) == (
        "   focal fifty \n         ^"
    )


def test_an_excerpt_of_a_long_line_is_cut_around_the_place() -> None:
    shown, caret = (
        place("x" * 5000 + "HERE" + "y" * 5000, "HERE").error("m").args[0].split("\n")[1:]
    )
    assert len(shown) < 110
    assert shown[caret.index("^") :].startswith("HERE")


def test_a_scene_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"scene file 'no\.mi' does not exist"):
        load_scene(Path("no.mi"), tmp_path)


@pytest.mark.parametrize(
    "name", ["../outside.mi", "/etc/passwd", "link.mi", "folder/../../outside.mi"]
)
def test_nothing_outside_the_root_is_read(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "outside.mi").write_text(SCENE)
    (root / "link.mi").symlink_to(tmp_path / "outside.mi")
    with pytest.raises(SceneError, match="outside the scene folder"):
        load_scene(Path(name), root)


@pytest.mark.parametrize("name", ["nul\0.mi", "x" * 5000, "loop.mi"])
def test_an_unusable_path_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop.mi").symlink_to(tmp_path / "loop.mi")
    with pytest.raises(SceneError):
        load_scene(Path(name), tmp_path)


def test_a_folder_is_no_scene(tmp_path: Path) -> None:
    (tmp_path / "folder.mi").mkdir()
    with pytest.raises(SceneError, match="does not exist"):
        load_scene(Path("folder.mi"), tmp_path)


def test_all_files_of_a_scene_are_listed_with_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "a.mi").write_text('$include "b.mi"\n' + SCENE)
    (tmp_path / "b.mi").write_text("verbose on\n")
    files = load_scene(Path("a.mi"), tmp_path).sources
    assert [file.path.name for file in files] == ["a.mi", "b.mi"]
    assert files[1].size == 11
    assert len(files[1].sha256) == 64


def test_the_limit_of_bytes_counts_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.mi").write_text('$include "b.mi"\n' + SCENE)
    (tmp_path / "b.mi").write_text("# " + "x" * 1000)
    size = (tmp_path / "a.mi").stat().st_size + 1002
    load_scene(Path("a.mi"), tmp_path, max_bytes=size)
    with pytest.raises(SceneError, match=f"limit of {size - 1} bytes"):
        load_scene(Path("a.mi"), tmp_path, max_bytes=size - 1)


def test_a_file_that_is_included_often_counts_every_time(tmp_path: Path) -> None:
    (tmp_path / "a.mi").write_text('$include "b.mi"\n' * 100 + SCENE)
    (tmp_path / "b.mi").write_text("# " + "x" * 1000)
    with pytest.raises(SceneError, match="limit of 50000 bytes"):
        load_scene(Path("a.mi"), tmp_path, max_bytes=50_000)


def test_includes_are_bounded_in_number(tmp_path: Path) -> None:
    (tmp_path / "a.mi").write_text('$include "b.mi"\n' * 1001)
    (tmp_path / "b.mi").write_text("")
    with pytest.raises(SceneError, match="more than 1000 files"):
        load_scene(Path("a.mi"), tmp_path)


def test_includes_are_bounded_in_depth(tmp_path: Path) -> None:
    for i in range(20):
        (tmp_path / f"{i}.mi").write_text(f'$include "{i + 1}.mi"\n')
    with pytest.raises(SceneError, match=r"^11\.mi:1:1: includes are nested more than 11 deep"):
        load_scene(Path("0.mi"), tmp_path)


def test_an_include_is_found_beside_the_file_or_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.mi").write_text('$include "near.mi"\n$include <sub/far.mi>\n' + SCENE)
    (tmp_path / "sub" / "near.mi").write_text("")
    (tmp_path / "sub" / "far.mi").write_text("")
    assert len(load_scene(Path("sub/a.mi"), tmp_path).sources) == 3


def test_a_library_opens_a_scene_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "a.mi").write_text("")
    assert open_scene(Library(tmp_path, 10), tmp_path / "a.mi").name == "a.mi"


def test_a_file_that_is_no_scene_by_its_name_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "realityserver.conf").write_text("secret_key hunter2\n")
    (tmp_path / "link.mi").symlink_to("realityserver.conf")
    (tmp_path / "main.mi").write_text('$include "realityserver.conf"\n')
    for name in ("realityserver.conf", "link.mi", "main.mi"):
        with pytest.raises(SceneError, match=r"its name must end in \.mi") as error:
            load_scene(Path(name), tmp_path)
        assert "hunter2" not in str(error.value)
