"""The front end over HTTP."""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from pydantic import SecretStr

from gpuqueue import __version__
from gpuqueue.api.app import HttpLimits
from gpuqueue.config import Settings
from gpuqueue.config.settings import AwsSettings, LocalQueueSettings, SqsQueueSettings
from gpuqueue.queues import Queue

from .conftest import running

UPLOAD = {"name": "s3_upload", "config": {"bucket": "local_bucket", "key": "a.${mime_ext}"}}


def rpc(client: Client, method: str, params: Any = None) -> Any:
    """Call a method; return its result, or its error object."""
    request = {"jsonrpc": "2.0", "method": method, "params": params or {}, "id": 1}
    reply = client.post("/", json=request)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    return reply.json().get("error", reply.json().get("result"))


def submit(client: Client, **params: Any) -> Any:
    return rpc(client, "queue_manager_submit_job", {"command": "get_version", **params})


def test_a_submitted_job_waits_in_the_queue_under_the_id_returned(
    client: Client, queue: Queue
) -> None:
    job_id = submit(client, tasks=[UPLOAD])
    message = queue.receive(0)
    assert message is not None
    assert json.loads(message.body) == {
        "version": 1,
        "id": job_id,
        "command": "get_version",
        "parameters": {},
        "tasks": [UPLOAD],
    }


def test_parameters_may_stand_in_order(client: Client) -> None:
    assert rpc(client, "echo", ["a", 2]) == "a a"


def test_a_command_may_call_another(client: Client) -> None:
    assert rpc(client, "call_echo") == "called"


@pytest.mark.parametrize("method", ["rs_fancy_render", "call_render"])
def test_a_front_end_does_not_render_and_says_what_to_do(client: Client, method: str) -> None:
    params = {"scene_file": "scenes/a.mi"} if method == "rs_fancy_render" else {}
    error = rpc(client, method, params)
    assert error["code"] == -32010
    assert "queue_manager_submit_job with command 'rs_fancy_render'" in error["data"]


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"command": "nope"}, -32002, "unknown command 'nope'; known: .*get_version"),
        ({"command": "not_allowed"}, -32001, "'not_allowed' is not allowed here"),
        ({"command": "queue_manager_submit_job"}, -32001, "not allowed here|may not ask"),
        ({"queue_name": "nope"}, -32002, "unknown queue 'nope'; known: local_queue"),
        ({"tasks": [{"name": "nope"}]}, -32002, "unknown task 'nope'; known: .*s3_upload"),
        (
            {"tasks": [{"name": "s3_upload", "config": {"bucket": "nope", "key": "a"}}]},
            -32001,
            r"tasks\[0\]: .*bucket 'nope'; known: local_bucket",
        ),
        ({"tasks": [{"name": "s3_upload", "config": {"bucket": "local_bucket"}}]}, -32001, "key"),
        (
            {"tasks": [{"name": "s3_upload", "config": {"bucket": "local_bucket", "key": "../a"}}]},
            -32001,
            "key",
        ),
        ({"parameters": {"x": 1}}, -32001, "parameters of get_version: x"),
        (
            {"command": "rs_fancy_render", "parameters": {"scene_file": "scenes/nope.mi"}},
            -32001,
            "scenes/nope.mi",
        ),
        (
            {"command": "rs_fancy_render", "parameters": {"scene_file": "../../etc/passwd"}},
            -32001,
            "below the content root",
        ),
    ],
)
def test_a_job_that_can_never_work_is_refused_at_submit(
    client: Client, queue: Queue, params: dict[str, Any], code: int, text: str
) -> None:
    error = submit(client, **params)
    assert error["code"] == code, error
    assert re.search(text, error["message"]), error
    assert queue.counts().visible == 0


def test_a_queue_that_cannot_be_reached_is_told_as_worth_another_try(settings: Settings) -> None:
    away = "http://127.0.0.1:9"
    aws = AwsSettings(
        access_key="AKIDEXAMPLE",
        secret_key=SecretStr("exampleSecret"),
        region="us-east-1",
        endpoint_url=away,
        queues=(SqsQueueSettings(name="away", queue_url=f"{away}/1/jobs"),),
    )
    with running(settings.model_copy(update={"aws": aws})) as client:
        error = submit(client, queue_name="away")
        assert client.get("/healthz").status_code == 503
    assert error["code"] == -32005
    assert "away" in error["message"]
    assert "exampleSecret" not in error["message"]


def test_wrong_parameters_are_named_one_by_one(client: Client) -> None:
    error = rpc(client, "queue_manager_submit_job", {"command": 3, "tasks": [{}], "more": 1})
    assert error["code"] == -32602
    assert [item["field"] for item in error["data"]] == ["command", "tasks.0.name", "more"]


def test_an_image_is_the_body_of_the_reply(client: Client) -> None:
    call = {"jsonrpc": "2.0", "method": "picture", "id": 1}
    for reply in (
        client.post("/", json=call),
        client.get("/", params={"json_rpc_request": json.dumps([call])}),
    ):
        assert reply.headers["content-type"] == "image/png"
        assert reply.content == b"\x89PNG and so on"


def test_a_call_may_stand_in_the_address(client: Client) -> None:
    call = json.dumps({"jsonrpc": "2.0", "method": "echo", "params": ["hä"], "id": 1})
    assert client.get("/", params={"json_rpc_request": call}).json()["result"] == "hä"


def test_looking_at_an_address_makes_no_call(client: Client, queue: Queue) -> None:
    params = {"command": "get_version"}
    call = {"jsonrpc": "2.0", "method": "queue_manager_submit_job", "params": params, "id": 1}
    assert client.head("/", params={"json_rpc_request": json.dumps(call)}).status_code == 200
    assert queue.counts().visible == 0


def test_a_notification_has_an_empty_reply(client: Client) -> None:
    reply = client.post("/", json={"jsonrpc": "2.0", "method": "echo"})
    assert (reply.status_code, reply.content) == (204, b"")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "application/x"])
def test_the_content_type_does_not_matter(client: Client, content_type: str) -> None:
    body = '{"jsonrpc": "2.0", "method": "echo", "params": ["a"], "id": 1}'
    reply = client.post("/", content=body, headers={"Content-Type": content_type})
    assert reply.json()["result"] == "a"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[NaN]", b"[" * 2000])
def test_what_is_not_json_is_a_parse_error(client: Client, body: bytes) -> None:
    assert client.post("/", content=body).json()["error"]["code"] == -32700


def test_a_bug_shows_neither_its_name_nor_its_place(client: Client) -> None:
    error = rpc(client, "bug")
    assert error["code"] == -32603
    assert "secret" not in json.dumps(error)
    assert "Zero" not in json.dumps(error)


def test_a_body_above_the_limit_is_refused_by_its_announced_length(client: Client) -> None:
    reply = client.post("/", content=b" " * 2049)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == -32011


def test_a_body_above_the_limit_is_refused_while_it_comes(client: Client) -> None:
    taken = 0

    def body() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b" " * 1024

    assert client.post("/", content=body()).status_code == 413


def test_a_call_that_takes_too_long_is_answered_in_time(settings: Settings) -> None:
    limits = replace(HttpLimits(), call_s=0.1)
    with running(settings, limits) as client:
        reply = client.post("/", json={"jsonrpc": "2.0", "method": "sleep", "id": 1})
    assert reply.status_code == 504
    assert reply.json()["error"]["code"] == -32012


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_may_not_call(
    client: Client, queue: Queue, headers: dict[str, str]
) -> None:
    call = {
        "jsonrpc": "2.0",
        "method": "queue_manager_submit_job",
        "params": {"command": "get_version"},
        "id": 1,
    }
    post = client.post("/", json=call, headers=headers)
    get = client.get("/", params={"json_rpc_request": json.dumps(call)}, headers=headers)
    assert (post.status_code, get.status_code) == (403, 403)
    assert queue.counts().visible == 0


def test_an_address_alone_submits_no_job(client: Client, queue: Queue) -> None:
    """An image of any page may have a browser fetch it, without a word of where it comes from."""
    call = {
        "jsonrpc": "2.0",
        "method": "queue_manager_submit_job",
        "params": {"command": "get_version"},
        "id": 1,
    }
    error = client.get("/", params={"json_rpc_request": json.dumps(call)}).json()["error"]
    assert (error["code"], queue.counts().visible) == (-32600, 0)
    assert "POST" in error["data"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example"])
@pytest.mark.parametrize("path", ["/", "/?doc=", "/healthz", "/?json_rpc_request={}"])
def test_a_name_that_was_pointed_at_this_machine_is_refused(
    client: Client, host: str, path: str
) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    for reply in (client.get(path, headers=headers), client.post("/", headers=headers)):
        assert reply.status_code == 421
        assert "http_host" in reply.json()["error"]["data"]


@pytest.mark.parametrize("host", ["[::1", "a b", "a/b", "a@b", "[]", ":80", "é".encode()])
def test_a_host_that_is_none_is_refused(client: Client, host: str | bytes) -> None:
    assert client.get("/", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8080", "127.0.0.1:1", "[::1]:8080", "10.1.2.3", "localhost."]
)
def test_addresses_and_localhost_are_hosts_of_ours(client: Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_configured_name_is_a_host_of_ours_and_no_other(settings: Settings) -> None:
    update = {"http_hosts": ("Render.example",), "http_address": "0.0.0.0"}
    with running(settings.model_copy(update=update)) as client:
        ours = client.get("/healthz", headers={"Host": "render.example:443"})
        other = client.get("/healthz", headers={"Host": "other.example"})
    assert (ours.status_code, other.status_code) == (200, 421)


def test_a_server_for_others_takes_every_name_if_it_has_none(settings: Settings) -> None:
    with running(settings.model_copy(update={"http_address": "0.0.0.0"})) as client:
        assert client.get("/healthz", headers={"Host": "render.example"}).status_code == 200


def test_a_long_list_of_wrong_fields_has_a_short_answer(client: Client) -> None:
    wrong = {f"{'x' * 150}{number}": 1 for number in range(10)}
    reply = rpc(client, "echo", {"text": "a", **wrong, "y": 1})
    assert len(reply["data"]) == 10
    assert all(len(item["field"]) <= 101 for item in reply["data"])


def test_our_own_pages_and_programs_may_call(client: Client) -> None:
    call = {"jsonrpc": "2.0", "method": "echo", "params": ["a"], "id": 1}
    own = str(client.base_url).rstrip("/")
    for headers in ({"Origin": own}, {"Sec-Fetch-Site": "none"}):
        assert client.post("/", json=call, headers=headers).status_code == 200


def test_the_status_page_tells_version_queues_buckets_and_commands(
    settings: Settings, queue: Queue
) -> None:
    with running(settings) as client:
        submit(client)
        page = client.get("/").text
    for text in (__version__, "local_queue", "local_bucket", "/?doc=rs_fancy_render", "ready"):
        assert text in page
    assert re.search(r"<b>1</b><span>waiting</span>", page)
    assert "not ready" not in page


def test_pages_load_nothing_and_run_nothing(client: Client) -> None:
    for address in ("/", "/?doc=", "/?doc=echo"):
        reply = client.get(address)
        assert reply.headers["content-type"].startswith("text/html")
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in reply.text
        assert not re.search(r"""(src|href)="(?!/|data:)""", reply.text)


def test_the_policy_allows_the_style_sheet_of_the_page(client: Client) -> None:
    import base64
    import hashlib

    reply = client.get("/")
    style = re.search("<style>(.*)</style>", reply.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in reply.headers["content-security-policy"]


def test_a_commands_page_tells_its_arguments_and_escapes_them(client: Client) -> None:
    page = client.get("/?doc=echo").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <code>text</code>" in page
    assert "What to say, &lt;b&gt;as it is&lt;/b&gt;." in page
    assert re.search("<code>times</code>.*?<code>integer</code>.*?<code>1</code>", page)
    assert "required" in page
    assert "the text" in page


def test_the_documentation_lists_every_command(client: Client) -> None:
    reply = client.get("/?doc=")
    assert reply.status_code == 200
    assert {"echo", "get_version", "rs_fancy_render"} <= set(re.findall(r"doc=(\w+)", reply.text))


def test_an_unknown_command_has_no_page_and_is_escaped(client: Client) -> None:
    reply = client.get("/", params={"doc": "<img src=x>"})
    assert reply.status_code == 404
    assert "<img" not in reply.text
    assert "get_version" in reply.text


def test_health_is_good_while_every_queue_can_be_reached(client: Client) -> None:
    reply = client.get("/healthz")
    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ok",
        "version": __version__,
        "queues": {"local_queue": "ok"},
    }


def test_a_queue_that_cannot_be_used_is_told_without_its_address(
    settings: Settings, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    (tmp_path / "secret-place").write_text("no database, but long enough to be looked at" * 100)
    broken = LocalQueueSettings(name="broken", path=tmp_path / "secret-place")
    local = settings.local.model_copy(update={"queues": (*settings.local.queues, broken)})
    with running(settings.model_copy(update={"local": local})) as client:
        health, page = client.get("/healthz"), client.get("/")
    assert health.status_code == 503
    assert health.json()["queues"] == {"local_queue": "ok", "broken": "unreachable"}
    assert "cannot be used as configured" in page.text
    assert "secret-place" not in health.text + page.text
    assert sum("secret-place" in record.getMessage() for record in records) == 1


def test_the_readiness_tool_of_realityserver_is_answered(client: Client) -> None:
    for path in ("/uac/create/", "/uac/destroy/"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc", "/style.css", "/../etc"])
def test_there_is_nothing_else(client: Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert reply.headers["x-content-type-options"] == "nosniff"
