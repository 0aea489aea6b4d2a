"""One POST with bounds: where it may go, how long it may take, how much it may answer.

The bounds sit below HTTP, in the sockets: the address that was judged is the address that is
connected to (a name cannot be rebound in between), and every read and write shares one deadline,
so that a receiver that drips bytes ends with the total time. No proxy of the environment is used.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import certifi
import httpcore

from gpuqueue.config.settings import HttpPostSettings
from gpuqueue.errors import InvalidJob, TransientError, shown
from gpuqueue.tasks.addresses import judge_literal, resolve

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 64 << 10
MAX_SAID_CHARS = 300
CHUNK_BYTES = 64 << 10
#: Left as they are in a URL; everything else is percent-encoded.
URL_CHARACTERS = "/%:@!$&'()*+,;=~-._?[]"


@dataclass(frozen=True)
class Target:
    """A URL taken apart. Its text may hold secrets in every part but `origin`."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)
    credentials: str | None = field(repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port: what may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True)
class Answer:
    """What the receiver said."""

    status: int
    retry_after: str | None
    location: str | None


def parse_target(url: str, settings: HttpPostSettings) -> Target:
    """Take a URL apart. Raises InvalidJob, without the URL in it, if it cannot be posted to."""
    if any(character <= " " or character == "\x7f" for character in url):
        raise InvalidJob("the URL contains a space or control character")
    try:
        parts = urlsplit(url)
        port, name = parts.port, parts.hostname or ""
        host = name if ":" in name else name.encode("idna").decode()
    except ValueError as error:
        raise InvalidJob("the URL is malformed: its host or port cannot be read") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise InvalidJob("the URL must begin with http:// or https://")
    if not host:
        raise InvalidJob("the URL names no host")
    judge_literal(host, settings)
    path = quote(parts.path or "/", safe=URL_CHARACTERS)
    query = f"?{quote(parts.query, safe=URL_CHARACTERS)}" if parts.query else ""
    return Target(
        parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path + query, _credentials(parts)
    )


def _credentials(parts: SplitResult) -> str | None:
    """The value of an Authorization header for the URL's user and password."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def post(
    target: Target, body: bytes, headers: Mapping[str, str], settings: HttpPostSettings
) -> Answer:
    """Post `body` and return the answer, following redirects as `settings` say.

    Only redirects that keep the method (307, 308) are followed. Raises TransientError if the
    receiver cannot be reached or is too slow, InvalidJob if it must not be reached.
    """
    deadline = Deadline(settings.total_timeout_s)
    for _ in range(MAX_REDIRECTS + 1):
        answer = _post_once(target, body, headers, settings, deadline)
        if not (settings.follow_redirects and answer.status in (307, 308) and answer.location):
            return answer
        target = parse_target(_absolute(answer.location, target), settings)
    raise InvalidJob(f"{target.origin} redirected more than {MAX_REDIRECTS} times")


def _absolute(location: str, base: Target) -> str:
    try:
        return urljoin(base.origin + base.path, location)
    except ValueError as error:
        raise InvalidJob(f"{base.origin} redirected to a malformed URL") from error


def _post_once(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    settings: HttpPostSettings,
    deadline: Deadline,
) -> Answer:
    pool = httpcore.ConnectionPool(
        ssl_context=_ssl_context(settings.verify_ssl),
        network_backend=BoundedBackend(settings, deadline),
    )
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    sent = {
        **headers,
        "Host": target.origin.partition("://")[2],
        "Content-Length": str(len(body)),
        **({"Authorization": target.credentials} if target.credentials else {}),
    }
    try:
        with (
            pool,
            pool.stream("POST", url, headers=list(sent.items()), content=_chunks(body)) as got,
        ):
            _skim(got.iter_stream())
            answered = {name.lower(): value.decode("latin-1") for name, value in got.headers}
            return Answer(got.status, answered.get(b"retry-after"), answered.get(b"location"))
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        # What came instead of an answer may stand in the error.
        said = shown(str(error), MAX_SAID_CHARS)
        raise TransientError(f"{target.origin}: {type(error).__name__}: {said}") from error


def _chunks(body: bytes) -> Iterator[bytes]:
    """The body in pieces, so that the deadline is looked at between them."""
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]


def _skim(answer: Iterable[bytes]) -> None:
    """Read the answer, so that the receiver is not cut off, but no more than its bound."""
    size = 0
    for chunk in answer:
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            return


@cache
def _ssl_context(verify: bool) -> ssl.SSLContext:
    """Trusts the machine's own certificates, and those of Mozilla where it has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Deadline:
    """A moment that all steps of one post share."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining_s(self) -> float:
        """Seconds left. Raises httpcore.ReadTimeout if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"not done in {self._seconds:g} s")
        return left


class BoundedBackend(httpcore.NetworkBackend):
    """Connects to judged addresses only, and hands out streams that keep the deadline."""

    def __init__(self, settings: HttpPostSettings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the deadline takes its place)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers."""
        failure: Exception = httpcore.ConnectError(f"'{host}' has no address")
        for address in resolve(host, port, self._settings):
            patience_s = min(self._settings.connect_timeout_s, self._deadline.remaining_s())
            try:
                stream = self._sockets.connect_tcp(
                    address, port, patience_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return BoundedStream(stream, self._deadline)
        raise failure


class BoundedStream(httpcore.NetworkStream):
    """A stream whose every step ends with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read what has come."""
        return self._stream.read(max_bytes, self._deadline.remaining_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write all of `buffer`."""
        self._stream.write(buffer, self._deadline.remaining_s())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Encrypt the stream."""
        left_s = self._deadline.remaining_s()
        return BoundedStream(
            self._stream.start_tls(ssl_context, server_hostname, left_s), self._deadline
        )
