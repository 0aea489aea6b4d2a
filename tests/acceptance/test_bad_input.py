"""Wrong requests over HTTP: each is refused at once and says why; nothing is queued."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from .site import Site

UPLOAD = {"name": "s3_upload", "config": {"bucket": "results", "key": "${message_id}"}}
SCENE = {"scene_file": "scenes/cornell.mi"}


def upload(**config: Any) -> dict[str, Any]:
    return {"tasks": [{"name": "s3_upload", "config": {**UPLOAD["config"], **config}}]}  # type: ignore[dict-item]


def http_post(uri: str) -> dict[str, Any]:
    return {"tasks": [{"name": "http_post", "config": {"postback_uri": uri}}]}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"", -32700, "column 1"),
        (b"\xff\xfe", -32700, "not UTF-8 at byte 0"),
        (b'{"jsonrpc": "2.0", "id": 1,', -32700, "line 1, column"),
        (b"[" * 500_000, -32700, "nested deeper than 64 levels"),
        (b'{"a": NaN}', -32700, "NaN"),
        (b'{"a": 1e999}', -32700, "too large"),
        (b'{"a": ' + b"9" * 10_000 + b"}", -32700, "too many digits"),
        (b'{"a": 1, "a": 2}', -32700, '"a" stands twice'),
        (b'{"a": "\\ud800"}', -32700, "surrogate"),
        (b"3", -32600, "a call is an object"),
        (b"[]", -32600, "an array of 0 calls"),
        (b"[" + b"1," * 1000 + b"1]", -32600, "an array of 1001 calls; expected 1 to 100"),
        (b'{"jsonrpc": "1.0", "method": "get_version"}', -32600, "2.0"),
        (b'{"jsonrpc": "2.0", "method": 1, "id": 1}', -32600, "method"),
        (b'{"jsonrpc": "2.0", "method": "no", "id": 1}', -32601, "known: get_version"),
        (b'{"jsonrpc": "2.0", "method": "rs_fancy_render", "id": 1}', -32010, "submit it"),
        (b" " * (2 << 20), -32011, "1048576 bytes"),
    ],
)
def test_what_is_no_request_is_answered_with_what_is_wrong(
    site: Site, body: bytes, code: int, said: str
) -> None:
    error = site.post(body).json()["error"]
    assert error["code"] == code
    assert said in str(error["data"])
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("command", "more", "said"),
    [
        ("no", {}, "unknown command 'no'; known: get_version"),
        ("x" * 100_000, {}, "unknown command 'xxx"),
        ("queue_manager_submit_job", {}, "'queue_manager_submit_job' is not allowed here"),
        ("nobody_has_this", {}, "unknown command 'nobody_has_this'"),
        ("get_version", {"queue_name": "no"}, "unknown queue 'no'; known: jobs"),
        ("get_version", {"tasks": [{"name": "no"}]}, "unknown task 'no'; known: http_post, s3_up"),
        ("get_version", {"tasks": [UPLOAD] * 21}, "tasks: Tuple should have at most 20 items"),
        ("get_version", upload(bucket="no"), "tasks[0]: unknown bucket 'no'; known: results"),
        ("get_version", upload(key="/etc/passwd"), "must be relative"),
        ("get_version", upload(key="a/../../b"), "must not contain the part '..'"),
        ("get_version", upload(key="a//b"), "must not contain the part ''"),
        ("get_version", upload(key="a\nb"), "control characters"),
        ("get_version", upload(key="k" * 5000), "allowed are 1 to 1024"),
        ("get_version", upload(key="${secret_key}"), "unknown substitution ${secret_key}"),
        ("get_version", upload(acl="everybody"), "unknown acl 'everybody'; known: "),
        ("get_version", upload(content_type="a/b\r\nX: y"), "content_type"),
        ("get_version", upload(cache_control="a\r\nX: y"), "cache_control must be printable"),
        ("get_version", upload(metadata={"a\r\nX": "y"}), "metadata name"),
        ("get_version", upload(colour="red"), "colour: Extra inputs"),
        ("get_version", upload(**{f"f{n}": 1 for n in range(1000)}), "and 990 more"),
        ("get_version", http_post("ftp://example.com"), "must begin with http://"),
        ("get_version", http_post("http://example.com/\r\nX: y"), "space or control character"),
        ("get_version", http_post("http://"), "names no host"),
        ("get_version", http_post("http://a:99999/"), "host or port cannot be read"),
        ("get_version", {"parameters": {"a": "b" * 1_047_000}}, "a: Extra inputs"),
        ("probe", {"parameters": {"do": "echo", "value": "b" * 1_047_000}}, "at most 1040384 fit"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_job_that_can_never_work_is_refused_at_submit(
    site: Site, command: str, more: dict[str, Any], said: str
) -> None:
    parameters = more.pop("parameters", {})
    error = site.refusal(command, parameters, **more)
    assert error["code"] in (-32001, -32002)
    assert said in error["message"]
    assert len(error["message"]) < 3000


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "scene_file: Field required"),
        ({"scene_file": "scenes/no.mi"}, "'scenes/no.mi' is no file in the content root"),
        ({"scene_file": "scenes"}, "no file"),
        ({"scene_file": "/etc/passwd"}, "a path below the content root"),
        ({"scene_file": "../site.conf"}, "without '..'"),
        ({"scene_file": "scenes/../../site.conf"}, "without '..'"),
        ({"scene_file": ""}, "a path below the content root"),
        ({"scene_file": "a\0b"}, "a path below the content root"),
        ({"scene_file": "x" * 300}, "at most 255 bytes"),
        ({"scene_file": "x/" * 600}, "at most 1024 characters"),
        ({"scene_file": ["scenes/cornell.mi"]}, "valid string"),
        ({**SCENE, "width": 0}, "width: Input should be greater than or equal to 1"),
        ({**SCENE, "width": 10**4000}, "width: "),
        ({**SCENE, "width": 20000}, "at most 16384 a side"),
        ({**SCENE, "width": 16000, "height": 16000}, "at most 134217728"),
        ({**SCENE, "width": "wide"}, "width: "),
        ({**SCENE, "samples": 2_000_000}, "2000000 samples: this server takes at most 1048576"),
        ({**SCENE, "samples": 10**300}, "samples: "),
        ({**SCENE, "max_depth": 10**9}, "max_depth: "),
        ({**SCENE, "exposure": 1e300}, "exposure: Input should be less than or equal to 64"),
        ({**SCENE, "exposure": "NaN"}, "exposure: "),
        ({**SCENE, "time_limit_s": -1}, "time_limit_s: "),
        ({**SCENE, "format": "gif"}, "format: Input should be 'png', 'jpg', 'exr' or 'hdr'"),
        ({**SCENE, "seed": -1}, "seed: "),
        ({**SCENE, "shell": "rm"}, "shell: Extra inputs are not permitted"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_render_that_can_never_work_is_refused_at_submit(
    site: Site, parameters: dict[str, Any], said: str
) -> None:
    error = site.refusal("rs_fancy_render", parameters)
    assert error["code"] == -32001
    assert said in error["message"]
    assert len(error["message"]) < 500


def test_a_scene_that_leads_out_of_the_root_is_refused_at_submit(site: Site) -> None:
    (site.folder / "outside.mi").write_text("a secret")
    link = site.folder / "root" / "link.mi"
    link.symlink_to(site.folder / "outside.mi")
    (site.folder / "root" / "loop.mi").symlink_to("loop.mi")
    os.mkfifo(site.folder / "root" / "pipe.mi")
    for name, said in (
        ("link.mi", "outside the scene folder"),
        ("loop.mi", "no"),
        ("pipe.mi", "no file"),
    ):
        message = site.refusal("rs_fancy_render", {"scene_file": name})["message"]
        assert said in message
        assert "a secret" not in message


def test_nothing_that_was_refused_is_in_the_queue(site: Site) -> None:
    site.does_a_job()
    before = site.messages()
    site.refusal("no")
    site.refusal("get_version", **upload(bucket="no"))
    site.refusal("rs_fancy_render", {"scene_file": "scenes/no.mi"})
    assert site.messages() == before


def test_hostile_requests_cost_the_server_little(site: Site) -> None:
    """Each would take minutes with an algorithm of the wrong order."""
    names = ",".join(f'"{number}":1' for number in range(80_000))
    params = {"command": "get_version", "parameters": {}}
    many = {**params, "parameters": {str(number): 1 for number in range(60_000)}}
    started = time.monotonic()
    assert site.post(f'{{{names},"79999":1}}').json()["error"]["code"] == -32700
    assert "and 59990 more" in site.refusal("get_version", many["parameters"])["message"]
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "x" * 10_000}] * 100
    assert len(site.post(json.dumps(batch)).content) < 100_000
    assert time.monotonic() - started < 20
