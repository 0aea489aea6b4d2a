"""What every request must pass and every reply carries: bounds, origin, security headers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpuqueue.api.pages import STYLE_HASH
from gpuqueue.api.rpc import failure
from gpuqueue.api.rpc_errors import InvalidRequest, TimedOut, TooLarge
from gpuqueue.errors import shown

#: How long, and how much of, a refused body is thrown away before its connection is closed.
LINGER_S = 1.0
LINGER_BYTES = 16 << 20

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]*)?")


class SecurityHeaders:
    """ASGI middleware: adds the headers above to every reply."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class KnownHosts:
    """ASGI middleware: refuses requests for other hosts than this one.

    A page of another site can have its own name resolved to this machine ("DNS rebinding"); its
    reader's browser then takes this server for a part of that site. The name of the other site
    in the header Host is all that tells.
    """

    def __init__(self, app: ASGIApp, *, address: str, names: Iterable[str]) -> None:
        self._app = app
        self._names = {name.lower() for name in (*names, address, "localhost")}
        #: Which names lead to an address that others can reach, only its operator knows.
        self._takes_all = not names and not _is_loopback(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        header = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        problem = self._problem(header) if header else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            reply = failure(InvalidRequest(problem))
            await Refusal(reply.data, 421, media_type=reply.mime_type)(scope, receive, send)

    def _problem(self, header: str) -> str | None:
        match = _HOST.fullmatch(header)
        if match is None:
            return "the header Host names no host"
        name = (match[1] or match[2]).lower().rstrip(".")
        if self._takes_all or name in self._names or _is_address(name):
            return None
        return f"this server is not called '{shown(name)}'; its directive http_host names it"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name.lower() == "localhost" or (_is_address(name) and ip_address(name).is_loopback)


async def read_body(request: Request, limit_bytes: int, time_s: float) -> bytes:
    """The body, never holding more than the limit.

    Raises TooLarge as soon as the limit is passed, by the announced length where there is one,
    TimedOut if the body takes longer than `time_s` to arrive, and ClientDisconnect.
    """
    announced = request.headers.get("content-length", "")
    too_large = TooLarge(f"at most {limit_bytes} bytes are taken (http_post_body_limit)")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(time_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise too_large
    except TimeoutError:
        raise TimedOut(f"the body did not arrive within {time_s:g} s") from None
    return bytes(body)


class Refusal(Response):
    """The answer to a request whose body has not been read: nothing else can come after it.

    Closing at once would reset the connection while the client still sends, and the client
    would lose the answer. So what it sends is taken and thrown away for a moment.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        """Answer, linger, close."""
        self.headers["Connection"] = "close"
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await _discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    left = LINGER_BYTES
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        left -= len(message["body"])


def is_cross_site(request: Request) -> bool:
    """Whether a page of another site had a browser send this.

    Any page can make its reader's browser post to a server in the reader's own network; without
    this, visiting a page would be enough to submit a job.
    """
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = request.headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    except ValueError:
        return True


__all__ = [
    "SECURITY_HEADERS",
    "ClientDisconnect",
    "KnownHosts",
    "Refusal",
    "SecurityHeaders",
    "is_cross_site",
    "read_body",
]
