"""The task http_post: what is sent, what counts as sent, and what never leaves the machine."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gpuqueue.binary import Binary
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.config.settings import HttpPostSettings, QueueManagerSettings
from gpuqueue.errors import InvalidJob, TransientError
from gpuqueue.job import TaskCall
from gpuqueue.tasks import TaskContext, http_client, prepare_tasks
from gpuqueue.tasks.http_client import MAX_ANSWER_BYTES, parse_target
from gpuqueue.tasks.http_post import HttpPost, HttpPostConfig, seconds_of
from gpuqueue.tasks.signature import signature_headers

from .certificate import self_signed
from .receiver import Receiver, receiver

PICTURE = Binary(b"\x89PNG" + bytes(range(256)) * 4000, "image/png")


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as got:
        yield got


def settings(**options: object) -> Settings:
    options = {"allow_private_networks": True, **options}
    http_post = HttpPostSettings.model_validate(options)
    return Settings(queue_manager=QueueManagerSettings(http_post=http_post))


def post(url: str, result: Binary = PICTURE, **options: object) -> None:
    config = HttpPostConfig(postback_uri=url)
    HttpPost.check(config, settings(**options))
    HttpPost.run(config, result, TaskContext(settings(**options), "job-1", 2))


def test_the_bytes_arrive_with_their_type_and_the_jobs_name(hook: Receiver) -> None:
    post(hook.url("/hook?id=${message_id}&as=${mime_ext}"))
    [got] = hook.posts
    assert got.path == "/hook?id=job-1&as=png"
    assert got.body == PICTURE.data
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["X-Gpuqueue-Message-Id"] == "job-1"
    assert got.headers["X-Gpuqueue-Task"] == "2"
    assert got.headers["Host"] == f"127.0.0.1:{hook.port}"


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_that_of_the_specifications_example() -> None:
    headers = signature_headers(
        [SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_post_is_signed_with_the_configured_secret(hook: Receiver) -> None:
    for _ in range(2):
        post(hook.url(), signing_secrets=[SECRET])
    for got in hook.posts:
        sent = int(got.headers["webhook-timestamp"])
        assert abs(sent - time.time()) < 60
        expected = signature_headers([SECRET], "job-1.2", sent, got.body)
        assert {name: got.headers[name] for name in expected} == expected


@pytest.mark.parametrize(
    "secret",
    ["whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8G", "whsec_" + "?" * 40],
)
def test_a_secret_of_another_form_is_refused_without_telling_it(secret: str) -> None:
    with pytest.raises(ValidationError, match="expected whsec_") as caught:
        settings(signing_secrets=[secret])
    assert secret not in str(caught.value).replace("expected whsec_ and", "")


def test_while_a_secret_is_replaced_receivers_of_either_are_served(hook: Receiver) -> None:
    newer = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    post(hook.url(), signing_secrets=[newer, SECRET])
    [got] = hook.posts
    sent = int(got.headers["webhook-timestamp"])
    signatures = got.headers["webhook-signature"].split()
    assert signatures == [
        signature_headers([secret], "job-1.2", sent, got.body)["webhook-signature"]
        for secret in (newer, SECRET)
    ]


def test_a_report_of_a_failure_is_another_delivery_than_the_result(hook: Receiver) -> None:
    config = HttpPostConfig(postback_uri=hook.url(), on="always", send="link")
    report = Binary(b"{}", "application/json")
    with_secret = settings(signing_secrets=[SECRET])
    HttpPost.run(config, report, TaskContext(with_secret, "job-1", 2, is_failure=True))
    [got] = hook.posts
    assert got.body == b"{}"
    assert got.headers["X-Gpuqueue-Outcome"] == "failure"
    assert got.headers["webhook-id"] == "job-1.2.failure"


def test_a_link_says_where_the_result_is_and_leads_there(hook: Receiver, tmp_path: Path) -> None:
    embedded = embedded_settings(tmp_path)
    allowing = embedded.model_copy(update={"queue_manager": settings().queue_manager})
    calls = [
        TaskCall(name="s3_upload", config={"bucket": "local_bucket", "key": "${message_id}.png"}),
        TaskCall(name="http_post", config={"postback_uri": hook.url(), "send": "link"}),
    ]
    upload, note = prepare_tasks(calls, allowing)
    place = upload.run(PICTURE, allowing, "job-1")
    assert place is not None
    note.run(PICTURE, allowing, "job-1", [place])
    told = json.loads(hook.posts[0].body)
    [link] = told.pop("results")
    assert told == {
        "job_id": "job-1",
        "mime_type": "image/png",
        "size": len(PICTURE.data),
        "sha256": hashlib.sha256(PICTURE.data).hexdigest(),
    }
    assert link["address"] == place.address
    assert link["url"] == (tmp_path / "bucket" / "job-1.png").as_uri()
    assert link["expires_at"] == pytest.approx(time.time() + 86400, abs=60)


@pytest.mark.parametrize("before", [[], [{"on": "failure"}]], ids=["none", "on failure"])
def test_a_link_to_nothing_is_refused_at_submit(before: list[dict[str, str]]) -> None:
    upload = {"bucket": "local_bucket", "key": "a"}
    calls = [TaskCall(name="s3_upload", config={**upload, **more}) for more in before]
    calls.append(TaskCall(name="http_post", config={"postback_uri": "http://a/", "send": "link"}))
    with pytest.raises(InvalidJob, match=rf"tasks\[{len(before)}\]: a link needs a task before"):
        prepare_tasks(calls, embedded_settings(Path("nowhere")))


@pytest.mark.parametrize(
    ("allowed", "is_reached"),
    [
        ("127.0.0.1", True),
        ("127.0.0.0/8", True),
        ("10.0.0.0/8", False),
        ("localhost", False),
        ("::1", False),
    ],
)
def test_a_receiver_that_is_not_public_is_reached_only_if_allowed(
    hook: Receiver, allowed: str, is_reached: bool
) -> None:
    options = {"allow_private_networks": False, "allow_hosts": [allowed]}
    if is_reached:
        post(hook.url(), **options)
    else:
        with pytest.raises(InvalidJob, match="not public; allow_host or"):
            post(hook.url(), **options)
    assert len(hook.posts) == is_reached


def test_an_allowed_name_stands_for_whatever_it_resolves_to(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    options = {"allow_private_networks": False, "allow_hosts": ["Hooks.Example"]}
    post(f"http://hooks.example:{hook.port}/", **options)
    with pytest.raises(InvalidJob, match="not public"):
        post(f"http://other.example:{hook.port}/", **options)
    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    "word", ["", "10.0.0.0/33", "10.0.0.1/8", "a b", "http://a", "1.2.3", "a/"]
)
def test_what_is_no_receiver_cannot_be_allowed(word: str) -> None:
    with pytest.raises(ValidationError, match="expected a host name, an IP address or a network"):
        settings(allow_hosts=[word])


def test_without_a_secret_nothing_is_signed(hook: Receiver) -> None:
    post(hook.url())
    assert not [name for name in hook.posts[0].headers if name.startswith("webhook")]


def test_an_empty_result_arrives_too(hook: Receiver) -> None:
    post(hook.url(), Binary(b"", "application/json"))
    assert hook.posts[0].body == b""


def test_user_and_password_travel_in_a_header_and_nowhere_else(hook: Receiver) -> None:
    post(f"http://user:p%40ss@127.0.0.1:{hook.port}/hook")
    [got] = hook.posts
    assert base64.b64decode(got.headers["Authorization"].split()[1]) == b"user:p@ss"
    assert "user" not in got.path + got.headers["Host"]


def test_a_path_is_sent_as_it_is_written_or_percent_encoded(hook: Receiver) -> None:
    post(hook.url("/a%2Fb/ü;c=1?q=%20&x=ä"))
    assert hook.posts[0].path == "/a%2Fb/%C3%BC;c=1?q=%20&x=%C3%A4"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_two_hundreds_are_success(hook: Receiver, status: int) -> None:
    hook.answer(status)
    post(hook.url())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_some_answers_are_worth_another_try(hook: Receiver, status: int) -> None:
    hook.answer(status, Retry_After="17")
    with pytest.raises(
        TransientError, match=f"http://127.0.0.1:{hook.port} answered {status}"
    ) as e:
        post(hook.url())
    assert e.value.retry_after_s == 17


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413, 301, 302, 303, 304, 307, 308])
def test_other_answers_will_not_change(hook: Receiver, status: int) -> None:
    hook.answer(status, Location=hook.url("/elsewhere"))
    with pytest.raises(InvalidJob, match=f"answered {status}"):
        post(hook.url())
    assert len(hook.posts) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_method_is_followed_if_asked_for(
    hook: Receiver, status: int
) -> None:
    hook.answer(status, Location="/elsewhere")
    post(hook.url(), follow_redirects=True)
    assert [(got.path, got.body) for got in hook.posts] == [
        ("/hook", PICTURE.data),
        ("/elsewhere", PICTURE.data),
    ]


def test_a_redirect_that_would_lose_the_result_is_not_followed(hook: Receiver) -> None:
    hook.answer(303, Location="/elsewhere")
    with pytest.raises(InvalidJob, match="answered 303: a redirect"):
        post(hook.url(), follow_redirects=True)


def test_a_circle_of_redirects_ends(hook: Receiver) -> None:
    for _ in range(20):
        hook.answer(307, Location="/hook")
    with pytest.raises(InvalidJob, match="redirected more than 5 times"):
        post(hook.url(), follow_redirects=True)
    assert len(hook.posts) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://169.254.169.254/", "http://["])
def test_a_redirect_is_judged_like_the_first_url(
    hook: Receiver, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The receiver on this machine counts as public here, everything else as it is.
    monkeypatch.setattr(
        "gpuqueue.tasks.addresses.is_public", lambda address: address == "127.0.0.1"
    )
    hook.answer(307, Location=location)
    with pytest.raises(InvalidJob):
        post(hook.url(), follow_redirects=True, allow_private_networks=False)


def test_credentials_do_not_follow_a_redirect(hook: Receiver) -> None:
    with receiver() as other:
        hook.answer(307, Location=other.url())
        post(f"http://user:pass@127.0.0.1:{hook.port}/", follow_redirects=True)
        assert "Authorization" in hook.posts[0].headers
        assert "Authorization" not in other.posts[0].headers


def test_a_long_answer_is_not_read_to_its_end(hook: Receiver) -> None:
    hook.answer(200, b"x" * (MAX_ANSWER_BYTES * 200))
    post(hook.url())


@contextmanager
def raw_server(answer: bytes, pause_s: float = 0) -> Iterator[str]:
    """A server that writes `answer`, byte by byte if it pauses, whatever it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    for byte in answer:
                        connection.sendall(bytes([byte]))
                        time.sleep(pause_s)
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 2", b"SSH-2.0-OpenSSH\r\n", b"\x00" * 100], ids=repr
)
def test_what_is_no_answer_is_worth_another_try(answer: bytes) -> None:
    with raw_server(answer) as url, pytest.raises(TransientError, match=r"127\.0\.0\.1"):
        post(url, Binary(b"1", "application/json"))


def test_a_receiver_that_drips_is_given_up_when_the_total_time_is_over() -> None:
    start = time.monotonic()
    dripping = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100
    with raw_server(dripping, 0.05) as url, pytest.raises(TransientError, match=r"0\.4 s|timed"):
        post(url, Binary(b"1", "application/json"), total_timeout_s=0.4)
    assert time.monotonic() - start < 5


def test_a_receiver_that_never_reads_is_given_up_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(TransientError):
            post(url, Binary(b"x" * (64 << 20), "image/png"), total_timeout_s=0.4)


def test_a_closed_port_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransientError, match=f"http://127.0.0.1:{port}: ConnectError"):
        post(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("example.com/hook", "must begin with http"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("http://[::1", "malformed"),
        ("http://example.com:port/", "malformed"),
        ("http://example.com:99999/", "malformed"),
        (f"http://{'a' * 64}.example.com/", "malformed"),
        ("http://example.com/a b", "space or control"),
        ("http://example.com/\r\nX-Evil: 1", "space or control"),
        ("http://example.com/${secret}", r"unknown substitution \$\{secret\}"),
    ],
)
def test_a_url_that_cannot_be_posted_to_is_refused_at_submit(url: str, why: str) -> None:
    with pytest.raises(InvalidJob, match=f"postback_uri: .*{why}"):
        HttpPost.check(HttpPostConfig(postback_uri=url), settings())


HOSTILE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "localhost",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "224.0.0.1",
    "255.255.255.255",
]


@pytest.mark.parametrize("host", HOSTILE)
def test_a_private_address_is_not_connected_to_however_it_is_written(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: connected.append(a))
    with pytest.raises(InvalidJob, match="not public; allow_host or allow_private"):
        post(f"http://{host}/", allow_private_networks=False)
    assert not connected


def test_a_private_address_as_such_is_refused_at_submit() -> None:
    config = HttpPostConfig(postback_uri="http://169.254.169.254/latest/meta-data/")
    with pytest.raises(InvalidJob, match="not public"):
        HttpPost.check(config, settings(allow_private_networks=False))


def resolving_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have names resolve to these addresses, one list for each look-up."""
    left, asked, real = list(answers), [], socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        if host[0].isdigit():
            return real(host, port, *arguments, **options)
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving_to(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(InvalidJob, match=r"'rebind\.example' is the address 10\.0\.0\.1"):
        post("http://rebind.example/", allow_private_networks=False)


def test_the_address_that_was_judged_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that changes its address between check and use finds no second look-up."""
    asked = resolving_to(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    connected: list[str] = []

    def create_connection(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with pytest.raises(TransientError):
        post("http://rebind.example/", allow_private_networks=False)
    assert (asked, connected) == (["rebind.example"], ["93.184.215.14"])


def test_the_next_address_is_tried_if_one_does_not_answer(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving_to(monkeypatch, ["127.0.0.9", "127.0.0.1"])
    with socket.create_server(("127.0.0.9", 0)) as closed:
        del closed
    post(f"http://two.example:{hook.port}/")
    assert hook.posts[0].headers["Host"] == f"two.example:{hook.port}"


def test_a_name_beyond_ascii_is_resolved_and_sent_in_its_ascii_form(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving_to(monkeypatch, ["127.0.0.1"])
    post(f"http://müller.example:{hook.port}/")
    assert asked == ["xn--mller-kva.example"]
    assert hook.posts[0].headers["Host"] == f"xn--mller-kva.example:{hook.port}"


def test_an_ipv6_address_keeps_its_brackets() -> None:
    target = parse_target("http://[2606:4700::1111]:8080/x", HttpPostSettings())
    assert (target.host, target.origin) == ("2606:4700::1111", "http://[2606:4700::1111]:8080")


def test_a_name_that_does_not_resolve_may_do_so_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(TransientError, match=r"cannot resolve 'no\.example'"):
        post("http://no.example/")


def test_proxies_of_the_environment_are_not_used(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    post(hook.url())
    assert hook.posts


@pytest.fixture
def tls_hook(tmp_path: Path) -> Iterator[Receiver]:
    http_client._ssl_context.cache_clear()
    with receiver(self_signed(tmp_path, "localhost")) as got:
        yield got
    http_client._ssl_context.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_hook: Receiver) -> None:
    with pytest.raises(TransientError, match="CERTIFICATE_VERIFY_FAILED"):
        post(f"https://localhost:{tls_hook.port}/")
    assert not tls_hook.posts


def test_it_is_taken_if_verify_ssl_is_off(tls_hook: Receiver) -> None:
    post(f"https://localhost:{tls_hook.port}/", verify_ssl=False)
    assert tls_hook.posts[0].body == PICTURE.data


def test_a_certificate_authority_of_this_machine_is_trusted(
    tls_hook: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    post(f"https://localhost:{tls_hook.port}/")
    assert tls_hook.posts
    with pytest.raises(TransientError, match="CERTIFICATE_VERIFY_FAILED"):
        post(f"https://127.0.0.1:{tls_hook.port}/")


@pytest.mark.parametrize("secret", ["hunter2", "tok-en"])
def test_no_error_tells_the_secrets_of_a_url(hook: Receiver, secret: str) -> None:
    for status in (404, 503, 307):
        hook.answer(status)
        with pytest.raises((InvalidJob, TransientError)) as caught:
            post(f"http://me:hunter2@127.0.0.1:{hook.port}/tok-en?key=tok-en")
        assert secret not in str(caught.value)


def test_retry_after_is_seconds_or_a_date() -> None:
    assert seconds_of("120") == 120
    assert 3500 < (seconds_of(formatdate(time.time() + 3600, usegmt=True)) or 0) <= 3600
    assert seconds_of(formatdate(time.time() - 3600, usegmt=True)) == 0


@pytest.mark.parametrize("text", [None, "", "soon", "-5", "1e9"])
def test_a_retry_after_that_is_neither_is_ignored(text: str | None) -> None:
    assert seconds_of(text) is None
