"""Messages that nobody checked, put into the queue by hand: each is dead with its reason.

What a scene holds cannot be known at submit either; a job whose scene is broken ends the same way.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from .site import Site


def body(**fields: Any) -> str:
    return json.dumps({"version": 1, "command": "get_version", **fields})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("\0", "not JSON"),
        ("hello", "not JSON: Expecting value at line 1, column 1"),
        ("{" * 1000, "not JSON"),
        ("[" * 100_000 + "]" * 100_000, "nested deeper than 64 levels"),
        ('{"command": "get_version", "parameters": {"a": NaN}}', "NaN is not a JSON number"),
        ('{"command": "get_version", "parameters": {"a": 1e999}}', "a number is too large"),
        (f'{{"command": {"9" * 9999}}}', "too many digits"),
        ('{"command": "get_version", "command": "probe"}', '"command" stands twice'),
        ('{"command": "get_version", "parameters": {"a": "\\ud800"}}', "surrogate"),
        (json.dumps("x" * (1 << 20)), "not a job"),
        ("null", "not a job"),
        (body(version=2), "version: Input should be 1"),
        (body(version="1"), "version"),
        (body(colour="red"), "colour: Extra inputs are not permitted"),
        (body(**{f"f{number}": 1 for number in range(5000)}), "and 4990 more"),
        (body(id="../../etc/passwd"), "id: String should match pattern"),
        (body(id="x" * 200), "id: "),
        (body(command=None), "command: Input should be a valid string"),
        (body(command="rm -rf /"), "command 'rm -rf /' is not allowed here"),
        (body(command="a\nQUEUE  main info : b\x1b[2J"), "is not allowed here"),
        (body(command="x" * 500_000), "is not allowed here"),
        (body(command="queue_manager_submit_job"), "is not allowed here"),
        (body(command="nobody_has_this"), "unknown command 'nobody_has_this'"),
        (body(parameters={"a": 1}), "a: Extra inputs are not permitted"),
        (body(parameters=[]), "parameters: Input should be a valid dictionary"),
        (body(tasks=[{"name": "no"}]), "unknown task 'no'"),
        (body(tasks=[{"name": "s3_upload", "config": {"bucket": "no", "key": "a"}}]), "bucket"),
        (body(tasks=[{"name": "s3_upload", "config": {"bucket": "results"}}] * 21), "at most 20"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_message_that_is_no_good_job_is_dead_at_once(site: Site, text: str, reason: str) -> None:
    message_id = str(uuid.uuid4())
    site.insert(text, message_id)
    why = site.end_of(message_id)
    assert reason in why
    assert len(why) < 4000
    found = site.queue.find(message_id)
    assert found is not None
    assert found.receives == 1


def test_no_text_of_a_message_passes_for_a_line_of_the_log(site: Site) -> None:
    for command in ("a\nQUEUE  main info : forged", "b\r\x1b[2Jforged"):
        message_id = str(uuid.uuid4())
        site.insert(body(command=command), message_id)
        site.end_of(message_id)
    assert not [
        line
        for line in site.server.log.splitlines()
        if line.startswith("QUEUE  main info : forged")
    ]
    assert "\x1b" not in site.server.log


def mesh(vectors: str = "0 0 -5  1 0 -5  0 1 -5", rest: str = 'p "m" 0 1 2') -> str:
    return f"""\
options "opt" end options
camera "cam"
    output "rgb" "png" "a.png"
    focal 1 aperture 1 aspect 1 resolution 8 8
end camera
instance "eye" "cam" end instance
material "m" "mib_illum_lambert" () end material
object "o" visible trace shadow
    group
        {vectors}
        v 0 v 1 v 2
        {rest}
    end group
end object
instance "oi" "o" end instance
instgroup "world" "eye" "oi" end instgroup
render "world" "eye" "opt"
"""


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("empty.mi", b"", "empty.mi"),
        ("noise.mi", bytes(range(256)) * 100, "noise.mi:1:1: "),
        ("gzip.mi", b"\x1f\x8b\x08\x00", "compressed"),
        ("word.mi", b'kamera "a"\n', "word.mi:1:1: "),
        ("open.mi", b'camera "a"\n  resolution 8', "open.mi:2:"),
        ("zero.mi", mesh().replace("resolution 8 8", "resolution 0 8").encode(), "zero.mi:4:"),
        ("wide.mi", mesh().replace("n 8 8", "n 20000 20000").encode(), "16384 a side"),
        ("wider.mi", mesh().replace("n 8 8", "n 999999999 9").encode(), "wider.mi:4:44: "),
        ("digits.mi", mesh().replace("focal 1", "focal 1e999999").encode(), "digits.mi:4:"),
        ("index.mi", mesh(rest='p "m" 0 1 999999999999').encode(), "index.mi:"),
        ("vertex.mi", mesh("0 0 0", "v 4000000000").encode(), "vertex.mi:"),
        ("include.mi", b'$include "../site.conf"\n', "outside the scene folder"),
        ("absolute.mi", b'$include "/etc/passwd"\n', "outside the scene folder"),
        ("self.mi", b'$include "self.mi"\n', "self.mi:1:"),
        ("missing.mi", b'$include "nowhere.mi"\n', "missing.mi:1:"),
        ("deep.mi", b'declare shader "a" (' + b'struct "s" { ' * 50_000, "deep.mi:1:"),
        ("blind.mi", b'options "o" end options\n', "blind.mi"),
    ],
)
def test_a_broken_scene_is_dead_with_the_place_of_its_fault(
    site: Site, name: str, text: bytes, reason: str
) -> None:
    (site.folder / "root" / name).write_bytes(text)
    job_id = site.submit("rs_fancy_render", {"scene_file": name, "samples": 1})
    why = site.end_of(job_id)
    assert reason in why
    assert "hunter2" not in why
    assert len(why) < 2000
    found = site.queue.find(job_id)
    assert found is not None
    assert found.receives == 1, "no machine could do better"


def test_a_scene_that_is_right_is_rendered_beside_all_these(site: Site) -> None:
    (site.folder / "root" / "right.mi").write_text(mesh())
    job_id = site.submit(
        "rs_fancy_render", {"scene_file": "right.mi", "samples": 1, "allow_black": True}
    )
    assert site.end_of(job_id) == "done"


def test_a_scene_that_goes_away_between_submit_and_render_is_dead_with_its_name(site: Site) -> None:
    path = site.folder / "root" / "gone.mi"
    path.write_text(mesh())
    job_id = str(uuid.uuid4())
    path.unlink()
    site.insert(body(command="rs_fancy_render", parameters={"scene_file": "gone.mi"}), job_id)
    assert "gone.mi" in site.end_of(job_id)
